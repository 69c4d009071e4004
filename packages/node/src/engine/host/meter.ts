import type { CallLimits, HandlerErrorCode } from '../engine.ts'
import { reserved, stopReasons } from '../module/prepared-format.ts'
import type { WasmGlobal, WasmInstance } from '../webassembly.ts'

const none: readonly [] = []

/**
 * The counters that instrumented code keeps in globals of the instance: set before a call, read after it. They count the
 * same on every machine (`docs/spec/fuel.md`).
 */
export class Meter {
  readonly #fuel: WasmGlobal
  readonly #stack: WasmGlobal
  readonly #stopped: WasmGlobal
  readonly #charge: (units: number) => void
  readonly #tableEntries: WasmGlobal | undefined
  readonly #tableRefused: WasmGlobal | undefined
  readonly #memoryRefused: WasmGlobal | undefined
  #armed = 0n

  constructor({ exports }: WasmInstance) {
    this.#fuel = exports[reserved.fuel] as WasmGlobal
    this.#stack = exports[reserved.stack] as WasmGlobal
    this.#stopped = exports[reserved.stopped] as WasmGlobal
    this.#charge = exports[reserved.charge] as (units: number) => void
    this.#tableEntries = exports[reserved.tableEntries] as WasmGlobal | undefined
    this.#tableRefused = exports[reserved.tableRefused] as WasmGlobal | undefined
    this.#memoryRefused = exports[reserved.refused] as WasmGlobal | undefined
  }

  /** @param spent fuel that counts as used already, at most the limit. @default 0 */
  arm({ fuel, stackBytes, tableEntries }: Pick<CallLimits, 'fuel' | 'stackBytes' | 'tableEntries'>, spent = 0n): void {
    this.#armed = BigInt(fuel)
    this.#fuel.value = this.#armed - spent
    this.#stack.value = stackBytes
    this.#stopped.value = 0
    if (this.#tableEntries === undefined) return
    this.#tableEntries.value = tableEntries
    this.#tableRefused!.value = 0
  }

  /** Fuel used since {@link arm}, with what was spent before: never more than there was, although the last segment may have wanted more. */
  get used(): bigint {
    const left = this.#fuel.value as bigint
    return left < 0n ? this.#armed : this.#armed - left
  }

  /** Bytes of stack that are left. A trap does not give back what its frames took. */
  get stackBytes(): number {
    return this.#stack.value as number
  }

  set stackBytes(bytes: number) {
    this.#stack.value = bytes
  }

  /** Takes fuel for what the host does. Traps when there is not enough left. */
  charge(units: number): void {
    this.#charge(units)
  }

  /** Whether the module stopped itself, so that no host function may hide the trap. */
  get exhausted(): boolean {
    return this.#stopped.value !== 0
  }

  /** Limits that answered −1 to a growth of memory or tables. */
  get refusedGrowth(): readonly ('MEMORY_LIMIT' | 'TABLE_LIMIT')[] {
    const refused = (counter: WasmGlobal | undefined) => counter !== undefined && counter.value !== 0
    if (!refused(this.#memoryRefused) && !refused(this.#tableRefused)) return none
    return [
      ...(refused(this.#memoryRefused) ? (['MEMORY_LIMIT'] as const) : none),
      ...(refused(this.#tableRefused) ? (['TABLE_LIMIT'] as const) : none),
    ]
  }

  /** Whether more was used than there was: it may come out behind the last comparison, when the call has ended already. */
  get overdrawn(): boolean {
    return (this.#fuel.value as bigint) < 0n
  }

  /** The limit that explains a trap, if one does. */
  get limit(): HandlerErrorCode | undefined {
    if (this.overdrawn) return 'FUEL_LIMIT'
    if (this.#stopped.value === stopReasons.stack) return 'STACK_LIMIT'
    return this.refusedGrowth[0]
  }
}
