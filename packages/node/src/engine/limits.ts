import type { CallLimits } from './engine.ts'

export const pageBytes = 65_536

/** What a call may take when the project does not say otherwise. */
export const defaultCallLimits: CallLimits = {
  fuel: 1_000_000_000,
  stackBytes: 512 * 1024,
  tableEntries: 65_536,
  memoryPages: 512,
  logLines: 1000,
  logLineBytes: 4096,
  hostCalls: 1_000_000,
  transferBytes: 4 * 1024 * 1024,
}

export interface EngineOptions {
  /** Size of a module as uploaded, bytes. @default 16 MiB: Go's whole runtime fits several times */
  readonly moduleBytes: number
  /** Compiled modules that the engine remembers for the next `load` of the same code. @default 64 */
  readonly compiledModules: number
}

export const defaultEngineOptions: EngineOptions = { moduleBytes: 16 * 1024 * 1024, compiledModules: 64 }

/** Ceilings that hold for every module, whatever the project's limits. Part of the engine's version. */
export const moduleCeilings = {
  /**
   * Entries of all tables together when a module begins, because each is looked at when it is reset; and of one that grows.
   * The largest tables of Go's compiler are near 10,000.
   */
  tableEntries: 65_536,
  tables: 16,
  /** Mutable globals are read and written at each reset. Compilers make fewer than 20. */
  mutableGlobals: 1024,
  exports: 10_000,
} as const

/**
 * Stack of a thread that runs guests, MiB. A guest may take at most 768 KiB by our own count of its frames; what the compiler
 * makes of them is a small multiple of that, and our host functions stand on top. So the count ends a recursion, never the
 * machine's stack, whose depth differs from machine to machine.
 */
export const threadStackMiB = 8
