import { ByteReader } from './byte-reader.ts'
import { limits, name, u32, vector } from './byte-writer.ts'
import {
  type ExternalKind,
  exportKinds,
  type FunctionType,
  type Limits,
  type ModuleLayout,
  sectionIds,
  sectionOrder,
  type ValueType,
  valueCodes,
} from './layout.ts'

/**
 * Collects changes to a module and writes the changed file. What is added gets the next free index of its kind, so that
 * nothing of the original is renumbered; the code of the original's functions is given whole. Custom sections (names, debugging) are left out of the result.
 */
export class ModulePatch {
  readonly #layout: ModuleLayout
  readonly #types: number[][] = []
  readonly #functions: { type: number; body: number[] }[] = []
  readonly #globals: number[][] = []
  readonly #exports: number[][] = []
  readonly #custom: { name: string; content: number[] }[] = []
  #code: Uint8Array = new Uint8Array(0)
  readonly #sections = new Map<number, number[]>()

  constructor(layout: ModuleLayout) {
    this.#layout = layout
  }

  /** @returns the type's index */
  addType({ params, results }: FunctionType): number {
    const codes = (types: readonly ValueType[]) => vector(types.map((type) => [valueCodes.get(type)!]))
    return this.#layout.types.length + this.#types.push([0x60, ...codes(params), ...codes(results)]) - 1
  }

  /**
   * @param body declarations of locals and instructions with the final `end`
   * @returns the function's index
   */
  addFunction(type: number, body: readonly number[]): number {
    return this.#layout.functions.length + this.#functions.push({ type, body: [...body] }) - 1
  }

  /**
   * @param initial the instruction that makes the first value
   * @returns the index of the new mutable global
   */
  addGlobal(type: ValueType, initial: readonly number[]): number {
    return this.#layout.globals.length + this.#globals.push([valueCodes.get(type)!, 1, ...initial, 0x0b]) - 1
  }

  addExport(exportName: string, kind: ExternalKind, index: number): void {
    this.#exports.push([...name(exportName), exportKinds.indexOf(kind), ...u32(index)])
  }

  addCustomSection(sectionName: string, content: readonly number[]): void {
    this.#custom.push({ name: sectionName, content: [...content] })
  }

  /** @param bodies all functions of the original, each with its size, one behind the other */
  setCode(bodies: Uint8Array): void {
    this.#code = bodies
  }

  setTables(tables: readonly (Limits & { type: ValueType })[]): void {
    const entries = tables.map(({ type, min, max }) => [valueCodes.get(type)!, ...limits(min, max)])
    this.#sections.set(sectionIds.table, vector(entries))
  }

  removeStart(): void {
    this.#sections.set(sectionIds.start, [])
  }

  build(): Uint8Array {
    const added = new Map<number, readonly (readonly number[])[]>([
      [sectionIds.type, this.#types],
      [sectionIds.function, this.#functions.map(({ type }) => u32(type))],
      [sectionIds.global, this.#globals],
      [sectionIds.export, this.#exports],
    ])
    const pieces: Uint8Array[] = [this.#layout.bytes.subarray(0, 8)]
    for (const id of sectionOrder) pieces.push(...this.#section(id, added.get(id) ?? []))
    for (const { name: sectionName, content } of this.#custom)
      pieces.push(...framed(sectionIds.custom, [Uint8Array.from([...name(sectionName), ...content])]))
    return Buffer.concat(pieces)
  }

  #section(id: number, added: readonly (readonly number[])[]): Uint8Array[] {
    const replaced = this.#sections.get(id)
    if (replaced !== undefined) return replaced.length === 0 ? [] : framed(id, [Uint8Array.from(replaced)])
    if (id === sectionIds.code) return this.#codeSection()
    const original = this.#layout.sections.get(id)
    if (added.length === 0) {
      return original === undefined ? [] : framed(id, [this.#layout.bytes.subarray(original.start, original.end)])
    }
    return framed(id, this.#extended(original, added))
  }

  /** The original vector with elements behind it. */
  #extended(original: { start: number; end: number } | undefined, added: readonly (readonly number[])[]): Uint8Array[] {
    const reader = new ByteReader(this.#layout.bytes, original?.start ?? 0, original?.end ?? 0)
    const count = original === undefined ? 0 : reader.u32()
    return [
      Uint8Array.from(u32(count + added.length)),
      this.#layout.bytes.subarray(reader.at, reader.end),
      Uint8Array.from(added.flat()),
    ]
  }

  #codeSection(): Uint8Array[] {
    const added = this.#functions.flatMap(({ body }) => [...u32(body.length), ...body])
    const count = this.#layout.bodies.length + this.#functions.length
    return framed(sectionIds.code, [Uint8Array.from(u32(count)), this.#code, Uint8Array.from(added)])
  }
}

function framed(id: number, content: readonly Uint8Array[]): Uint8Array[] {
  return [Uint8Array.from([id, ...u32(sizeOf(content))]), ...content]
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let size = 0
  for (const piece of pieces) size += piece.length
  return size
}
