import type { FunctionType, ModuleLayout } from './layout.ts'

/** What the rewriting of a function needs to know of its module. */
export interface ModuleFacts {
  readonly layout: ModuleLayout
  /** Whether fuel and stack are counted. */
  readonly metered: boolean
  readonly canonicalNans: boolean
  /** Indices of what the rewriter added. */
  readonly globals: {
    readonly fuel: number
    readonly stack: number
    readonly stopped: number
    /** The memory's size in the guest's eyes; −1 when the guest never asks. */
    readonly pages: number
  }
  readonly helpers: {
    /** `(i32 bytes)` to the same: takes the fuel of a bulk operation; −1 without any. */
    readonly bulkMemory: number
    /** `(i32 entries)` to the same: takes the fuel of an operation on a table; −1 without any. */
    readonly bulkTable: number
    readonly growMemory: number
    /** By table; tables that no code grows have none. */
    readonly growTable: readonly (number | undefined)[]
  }
  /** Index of the block type with these results and no parameters, for more than one. */
  readonly resultsType: (type: FunctionType) => number
}

export function typeOfFunction(layout: ModuleLayout, index: number): FunctionType {
  return layout.types[layout.functions[index]!]!
}
