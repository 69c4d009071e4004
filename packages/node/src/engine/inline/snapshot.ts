import { reserved } from '../module/prepared-format.ts'
import type { WasmGlobal, WasmInstance, WasmMemory, WasmTable, WasmValue } from '../webassembly.ts'

/** Memory is compared with zero in pieces of this size; a shorter run of zeros is copied with its surroundings. */
const grain = 4096

/**
 * The state of an instance as it was before its first call: memory, mutable globals, tables. Restoring it is much cheaper
 * than a new instance: what was zero is filled, what was not is copied, and nothing is allocated.
 */
export class Snapshot {
  readonly #memory: WasmMemory
  readonly #memoryBytes: number
  readonly #zeros: readonly Uint8Array[]
  readonly #copies: readonly { readonly target: Uint8Array; readonly bytes: Uint8Array }[]
  readonly #globals: readonly { readonly global: WasmGlobal; readonly value: WasmValue }[]
  readonly #tables: readonly { readonly table: WasmTable; readonly entries: readonly unknown[] }[]

  constructor(instance: WasmInstance) {
    this.#memory = instance.exports.memory as WasmMemory
    const memory = new Uint8Array(this.#memory.buffer)
    this.#memoryBytes = memory.length
    const spans = findSpans(memory)
    this.#zeros = spans.filter(({ zero }) => zero).map(({ start, end }) => memory.subarray(start, end))
    this.#copies = spans
      .filter(({ zero }) => !zero)
      .map(({ start, end }) => ({ target: memory.subarray(start, end), bytes: memory.slice(start, end) }))
    this.#globals = exportsOf<WasmGlobal>(instance, isMutableGlobal).map((global) => ({ global, value: global.value }))
    this.#tables = exportsOf<WasmTable>(instance, (name) => name.startsWith(reserved.table(''))).map((table) => ({
      table,
      entries: Array.from({ length: table.length }, (_, index) => table.get(index)),
    }))
  }

  /** False when a global holds a NaN, whose bits JavaScript does not keep. */
  get faithful(): boolean {
    return this.#globals.every(({ value }) => !Number.isNaN(value))
  }

  /** Whether the instance can still be brought back: memories and tables do not shrink. */
  get restorable(): boolean {
    return (
      this.#memory.buffer.byteLength === this.#memoryBytes &&
      this.#tables.every(({ table, entries }) => table.length === entries.length)
    )
  }

  restore(): void {
    for (const zeros of this.#zeros) zeros.fill(0)
    for (const { target, bytes } of this.#copies) target.set(bytes)
    for (const { global, value } of this.#globals) global.value = value
    for (const { table, entries } of this.#tables) restoreTable(table, entries)
  }
}

function restoreTable(table: WasmTable, entries: readonly unknown[]): void {
  for (let index = 0; index < entries.length; index++)
    if (table.get(index) !== entries[index]) table.set(index, entries[index])
}

function isMutableGlobal(name: string): boolean {
  return name.startsWith(reserved.global('')) || name === reserved.pages || name === reserved.refused
}

function exportsOf<T>(instance: WasmInstance, wanted: (name: string) => boolean): T[] {
  return Object.keys(instance.exports)
    .filter(wanted)
    .map((name) => instance.exports[name] as T)
}

interface Span {
  readonly zero: boolean
  readonly start: number
  end: number
}

/** Cuts a memory into runs of pieces that are all zero or not. */
function findSpans(memory: Uint8Array): Span[] {
  const zeros = Buffer.alloc(grain)
  const spans: Span[] = []
  for (let start = 0; start < memory.length; start += grain) {
    const end = start + grain
    const zero = Buffer.compare(zeros, memory.subarray(start, end)) === 0
    const last = spans.at(-1)
    if (last?.zero === zero) last.end = end
    else spans.push({ zero, start, end })
  }
  return spans
}
