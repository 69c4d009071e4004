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

interface Edit {
  readonly start: number
  readonly end: number
  readonly bytes: readonly number[]
}

/**
 * Collects changes to a module and writes the changed file. What is added gets the next free index of its kind, so that
 * nothing of the original is renumbered; code is changed by edits: a range of the original file, and what stands there
 * instead. Custom sections (names, debugging) are left out of the result.
 */
export class ModulePatch {
  readonly #layout: ModuleLayout
  readonly #types: number[][] = []
  readonly #functions: { type: number; body: number[] }[] = []
  readonly #globals: number[][] = []
  readonly #exports: number[][] = []
  readonly #custom: { name: string; content: number[] }[] = []
  readonly #edits: Edit[] = []
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

  /** Puts `bytes` in place of the code from `start` to `end`; edits must not overlap. `start === end` inserts. */
  edit(start: number, end: number, bytes: readonly number[]): void {
    this.#edits.push({ start, end, bytes })
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
    if (id === sectionIds.code) return this.#code()
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

  #code(): Uint8Array[] {
    const bodies = this.#layout.bodies.length + this.#functions.length
    if (bodies === 0) return []
    const edits = this.#edits.toSorted((a, b) => a.start - b.start)
    const pieces: Uint8Array[] = [Uint8Array.from(u32(bodies))]
    let next = 0
    for (const { start, end } of this.#layout.bodies) {
      const first = next
      while (next < edits.length && edits[next]!.start < end) next++
      const body = this.#edited(start, end, edits.slice(first, next))
      pieces.push(Uint8Array.from(u32(sizeOf(body))), ...body)
    }
    for (const { body } of this.#functions) pieces.push(Uint8Array.from([...u32(body.length), ...body]))
    return framed(sectionIds.code, pieces)
  }

  #edited(start: number, end: number, edits: readonly Edit[]): Uint8Array[] {
    const pieces: Uint8Array[] = []
    let at = start
    for (const edit of edits) {
      pieces.push(this.#layout.bytes.subarray(at, edit.start), Uint8Array.from(edit.bytes))
      at = edit.end
    }
    pieces.push(this.#layout.bytes.subarray(at, end))
    return pieces
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
