import type { HostFunction } from '../host/host-function.ts'
import { hostTable } from '../host/table.ts'
import { capMemory } from '../module/cap-memory.ts'
import { findVariant } from '../module/examine.ts'
import { fuelCosts } from '../module/fuel-costs.ts'
import type { FunctionType, ModuleLayout } from '../module/layout.ts'
import { decodeResetPlan, type ResetPlan } from '../module/prepared-format.ts'
import { type WasmModule, wasm } from '../webassembly.ts'

/** A function that a module imports, and what is linked to it: nothing, for an unknown function of `env`. */
export interface ImportSlot {
  readonly module: string
  readonly name: string
  readonly host: HostFunction | undefined
}

/** A module compiled for one memory limit. Shared by all that run the same code in a thread. */
export interface CompiledModule {
  readonly module: WasmModule
  readonly plan: ResetPlan
  readonly imports: readonly ImportSlot[]
  /** Pages beyond which the memory cannot grow. */
  readonly maximumPages: number
  /** Fuel that a new instance costs before anything runs: its memory and tables. */
  readonly instanceFuel: bigint
  /** By how many bytes the code lies behind that of the prepared file. */
  readonly shiftBytes: number
}

/**
 * @param memoryPages the project's limit, not below the minimum of the module's memory
 * @throws EngineError MODULE_STALE
 */
export function compileModule(layout: ModuleLayout, codeHash: string, memoryPages: number): CompiledModule {
  const maximumPages = Math.min(memoryPages, layout.memories[0]!.max ?? memoryPages)
  const capped = capMemory(layout, maximumPages)
  const module = new wasm.Module(capped)
  return {
    module,
    plan: decodeResetPlan(module, codeHash),
    imports: layout.imports.map(({ module: from, name, typeIndex }) => {
      const type: FunctionType = layout.types[typeIndex]!
      return { module: from, name, host: findVariant(hostTable, { module: from, name }, type) }
    }),
    maximumPages,
    instanceFuel: instanceFuel(layout),
    shiftBytes: capped.length - layout.bytes.length,
  }
}

function instanceFuel({ memories, tables }: ModuleLayout): bigint {
  const entries = tables.reduce((sum, { min }) => sum + min, 0)
  return BigInt(memories[0]!.min * fuelCosts.page + entries * fuelCosts.tableEntry)
}
