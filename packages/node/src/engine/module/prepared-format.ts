import { EngineError } from '../errors.ts'
import { type WasmModule, wasm } from '../webassembly.ts'

/**
 * What the rewriter and the loader agree on: names that prepared modules export beside their own, and a custom section
 * with the version of the engine and how the instance is to be reset.
 */
export const engineVersion = 2

/** No module may export names that begin so. */
export const reservedPrefix = 'w3bstream:'

export const reserved = {
  /** The start section as a function: it runs when the memory can be reached. */
  start: `${reservedPrefix}start`,
  /** Pages that the guest believes to have. */
  pages: `${reservedPrefix}pages`,
  /** Not zero once the guest was refused memory. */
  refused: `${reservedPrefix}refused`,
  /** Not zero once a table was refused entries. */
  tableRefused: `${reservedPrefix}tableRefused`,
  /** Global i64, fuel that is left; the loader sets it before it enters the guest. */
  fuel: `${reservedPrefix}fuel`,
  /** Global i32, bytes of stack that are left; the loader sets it before it enters the guest. */
  stack: `${reservedPrefix}stack`,
  /** Global i32, one of {@link stopReasons} once instrumented code ended the call by a trap of its own; else 0. */
  stopped: `${reservedPrefix}stopped`,
  /** Function `(i32) -> ()`: takes fuel for a host function, unsigned; stops the call when there is none left. */
  charge: `${reservedPrefix}charge`,
  /** Global i32: entries that a table may have after it grew; the loader sets it. */
  tableEntries: `${reservedPrefix}tableEntries`,
  global: (index: number | '') => `${reservedPrefix}global:${index}`,
  table: (index: number | '') => `${reservedPrefix}table:${index}`,
} as const

/** Values of the global {@link reserved.stopped}. */
export const stopReasons = { fuel: 1, stack: 2 } as const

export interface ResetPlan {
  /** Nothing short of a new instance brings back the first state. */
  readonly fresh: boolean
  /** The guest can grow its memory: the loader leaves headroom and watches its size. */
  readonly measuresMemory: boolean
}

const section = 'w3bstream.engine'

export function encodeResetPlan(plan: ResetPlan): { name: string; content: number[] } {
  return { name: section, content: [engineVersion, Number(plan.fresh), Number(plan.measuresMemory)] }
}

/** @throws EngineError MODULE_STALE */
export function decodeResetPlan(module: WasmModule, codeHash: string): ResetPlan {
  const [content] = wasm.Module.customSections(module, section)
  const [version = 0, fresh, measuresMemory] = new Uint8Array(content ?? new ArrayBuffer(0))
  if (version !== engineVersion)
    throw new EngineError({ code: 'MODULE_STALE', codeHash, found: version, wanted: engineVersion })
  return { fresh: fresh === 1, measuresMemory: measuresMemory === 1 }
}
