import type { BlockingFamily, HostContext } from '../engine.ts'
import { CallEnd, isGuestTrap } from '../host/call-end.ts'
import { CallState } from '../host/call-state.ts'
import { Guest } from '../host/guest.ts'
import type { Meter } from '../host/meter.ts'
import { trapWords } from '../host/trap.ts'
import { defaultCallLimits, pageBytes } from '../limits.ts'
import { reserved } from '../module/prepared-format.ts'
import { noFiles } from '../wasi/files/host-files.ts'
import { type WasmFunction, type WasmInstance, type WasmMemory, wasm } from '../webassembly.ts'
import type { CompiledModule } from './compiled-module.ts'
import { linkImports, suspends } from './link-imports.ts'
import { Snapshot } from './snapshot.ts'

/**
 * Pages by which the memory of a growing module is larger than the guest believes, so that the first growth of a call, by
 * one page in most allocators, does not cost the instance. Each costs about 1.5 µs per call to clear, which is why there are
 * no more. Part of the engine's version: accesses beyond the guest's own memory trap behind these pages.
 */
const headroomPages = 1

/** What a module's own initialisation sees: the same on every machine, at every time. Go takes a clock at zero as broken. */
const initialClockNs = 1_577_836_800_000_000_000n
const initialSeed = new Uint8Array(32)

type Handler = (...resources: number[]) => unknown
type LogLine = Parameters<HostContext['log']>

/** An instance of a module with its way back to the beginning. */
export class Instance {
  readonly guest = new Guest()
  readonly #instance: WasmInstance
  readonly #compiled: CompiledModule
  readonly #suspends: boolean
  readonly #handlers = new Map<string, Handler>()
  /** What the initialisation logged: each call's log begins with it, as if the call had made a new instance. */
  readonly #initialLog: readonly LogLine[]
  readonly #snapshot: Snapshot | undefined
  /** Fuel that a new instance has used before its first call; each call begins with it, as if it had made a new one. */
  readonly initialFuel: bigint
  #used = false

  /** @throws CallEnd when the module fails to initialise */
  constructor(compiled: CompiledModule, blocking: ReadonlySet<BlockingFamily>) {
    this.#compiled = compiled
    this.#suspends = compiled.imports.some(({ host }) => suspends(host, blocking))
    const imports = linkImports(compiled.imports, this.guest, blocking)
    this.#instance = guarded(() => new wasm.Instance(compiled.module, imports))
    this.guest.attach(this.#instance)
    this.#initialLog = this.#initialise()
    this.initialFuel = compiled.instanceFuel + this.guest.meter.used
    if (compiled.plan.measuresMemory) this.#addHeadroom()
    const snapshot = compiled.plan.fresh ? undefined : new Snapshot(this.#instance)
    if (snapshot?.faithful) this.#snapshot = snapshot
  }

  /** Makes the state that of a new instance. */
  reset(): void {
    if (this.#used) this.#snapshot?.restore()
    this.#used = true
  }

  /** Whether {@link reset} will do. */
  get reusable(): boolean {
    return this.#snapshot?.restorable ?? false
  }

  begin(state: CallState): void {
    this.guest.begin(state)
    this.guest.meter.arm(state.limits, this.initialFuel)
    for (const line of this.#initialLog) state.log(...line)
  }

  /** An exported handler; it answers with a promise when the module imports what may block. */
  handler(name: string): Handler {
    let handler = this.#handlers.get(name)
    if (handler === undefined) {
      const exported = this.#instance.exports[name] as WasmFunction
      handler = this.#suspends ? wasm.promising(exported) : (exported as Handler)
      this.#handlers.set(name, handler)
    }
    return handler
  }

  #initialise(): LogLine[] {
    const { exports } = this.#instance
    const steps = [exports[reserved.start], exports._initialize].filter((step) => typeof step === 'function')
    const lines: LogLine[] = []
    if (steps.length === 0) return lines
    const state = initialState((...line) => lines.push(line))
    this.guest.begin(state, true)
    this.guest.meter.arm(state.limits)
    for (const step of steps as (() => void)[]) guarded(step, this.guest.meter, this.#compiled.instanceFuel)
    this.guest.end()
    if (state.fault !== undefined) throw state.fault.error
    return lines
  }

  #addHeadroom(): void {
    const memory = this.#instance.exports.memory as WasmMemory
    const pages = memory.buffer.byteLength / pageBytes
    const headroom = Math.min(headroomPages, this.#compiled.maximumPages - pages)
    if (headroom > 0) memory.grow(headroom)
  }
}

/** Turns a trap of the guest during initialisation into the end of the call that needed the instance. */
function guarded<T>(step: () => T, meter?: Meter, instanceFuel = 0n): T {
  try {
    return step()
  } catch (error) {
    if (isGuestTrap(error)) {
      const fuel = instanceFuel + (meter?.used ?? 0n)
      const limit = meter?.limit
      const words = limit === 'FUEL_LIMIT' ? `more than ${defaultCallLimits.fuel} units of fuel` : trapWords(error)
      throw new CallEnd(limit ?? 'TRAP', `initialisation: ${words}`, fuel)
    }
    throw error
  }
}

function initialState(log: HostContext['log']): CallState {
  const absent = (): never => {
    throw new Error('no event yet')
  }
  return new CallState({
    handler: '_initialize',
    payload: new Uint8Array(0),
    host: {
      log,
      kvGet: absent,
      kvPut: absent,
      sqlExecute: absent,
      sqlQuery: absent,
      env: absent,
      sendTransaction: absent,
      callContract: absent,
      publishMqtt: absent,
      mqttMessage: absent,
      publisher: () => undefined,
      apiCall: absent,
      submitMetrics: absent,
      files: () => noFiles,
    },
    clockNs: initialClockNs,
    seed: initialSeed,
    limits: defaultCallLimits,
  })
}
