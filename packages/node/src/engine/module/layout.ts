/** What the engine needs to know of a module: the decoded sections, and where in the file the rest lies. */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref'

export const valueTypes: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
])

export const valueCodes: ReadonlyMap<ValueType, number> = new Map([...valueTypes].map(([code, type]) => [type, code]))

/** Section ids of core specification 5.5.2. */
export const sectionIds = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const

/** The order in which sections stand in a file: data count comes before code. */
export const sectionOrder: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]

export const exportKinds = ['function', 'table', 'memory', 'global'] as const
export type ExternalKind = (typeof exportKinds)[number]

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface Limits {
  readonly min: number
  readonly max?: number
}

export interface ModuleLayout {
  readonly bytes: Uint8Array
  /** Where each section's header and content begin, and where it ends; by id; custom sections are left out. */
  readonly sections: ReadonlyMap<number, { readonly header: number; readonly start: number; readonly end: number }>
  readonly types: readonly FunctionType[]
  readonly imports: readonly { module: string; name: string; kind: ExternalKind; typeIndex: number }[]
  readonly importedFunctions: number
  /** Type index of every function, the imported ones first. */
  readonly functions: readonly number[]
  readonly tables: readonly (Limits & { type: ValueType })[]
  readonly memories: readonly Limits[]
  readonly globals: readonly { type: ValueType; mutable: boolean }[]
  readonly exports: readonly { name: string; kind: ExternalKind; index: number }[]
  /** Index of the start function. */
  readonly start: number | undefined
  /** Bodies of the functions that the module defines: from the locals to the final `end`. */
  readonly bodies: readonly { readonly start: number; readonly end: number }[]
}

/** @returns `(i32, i32) -> i32` */
export function showType({ params, results }: FunctionType): string {
  return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`
}

export function sameType(a: FunctionType, b: FunctionType): boolean {
  return showType(a) === showType(b)
}
