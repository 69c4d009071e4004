import { LRUCache } from 'lru-cache'
import type {
  BlockingFamily,
  CallLimits,
  Engine,
  FailedCall,
  GuestFrame,
  HandlerCall,
  HandlerErrorCode,
  HandlerOutcome,
  LimitCode,
  LoadedModule,
  LoadOptions,
  MaybePromise,
  PreparedModule,
} from '../engine.ts'
import { EngineError } from '../errors.ts'
import { CallEnd, isGuestTrap } from '../host/call-end.ts'
import { CallState } from '../host/call-state.ts'
import type { Meter } from '../host/meter.ts'
import { trapWords } from '../host/trap.ts'
import { defaultCallLimits, defaultEngineOptions, type EngineOptions } from '../limits.ts'
import type { ModuleLayout } from '../module/layout.ts'
import { parseModule } from '../module/parse.ts'
import { prepareModule } from '../module/prepare.ts'
import { type CompiledModule, compileModule } from './compiled-module.ts'
import { GuestTraces } from './guest-trace.ts'
import { Instance } from './instance.ts'

const everyFamily: ReadonlySet<BlockingFamily> = new Set(['kv', 'sql', 'chain', 'api', 'files'])
const noFamily: ReadonlySet<BlockingFamily> = new Set()

/** An engine that runs guests in the thread of its caller. */
export function createEngine(options: Partial<EngineOptions> = {}): Engine {
  const { moduleBytes, compiledModules } = { ...defaultEngineOptions, ...options }
  const compiled = new LRUCache<string, CompiledModule>({ max: compiledModules })
  const traces = new GuestTraces()
  return {
    prepare: (wasm) => prepareModule(wasm, moduleBytes),
    load: (prepared, loadOptions) => new InlineModule(prepared, loadOptions, { compiled, traces }),
  }
}

class InlineModule implements LoadedModule {
  readonly codeHash: string
  readonly #layout: ModuleLayout
  /** The least that the memory and the largest table take. */
  readonly #minimumPages: number
  readonly #minimumEntries: number
  readonly #handlers: ReadonlySet<string>
  readonly #reducers: ReadonlySet<string>
  readonly #blocking: ReadonlySet<BlockingFamily>
  readonly #cache: LRUCache<string, CompiledModule>
  readonly #traces: GuestTraces
  readonly #original: (() => Uint8Array) | undefined
  #compiled: CompiledModule | undefined
  #compiledPages = 0
  #instance: Instance | undefined
  /** What instances of the compiled module come to: the fuel of their initialisation, or its failure. Always the same. */
  #initial: { readonly fuel: bigint; readonly failure?: CallEnd } | undefined
  #running = false

  constructor(
    prepared: PreparedModule,
    options: LoadOptions,
    shared: { compiled: LRUCache<string, CompiledModule>; traces: GuestTraces },
  ) {
    const { mayBlock, memoryPages = defaultCallLimits.memoryPages } = options
    this.codeHash = prepared.codeHash
    this.#layout = parseModule(prepared.bytes)
    this.#minimumPages = this.#layout.memories[0]!.min
    this.#minimumEntries = Math.max(0, ...this.#layout.tables.map(({ min }) => min))
    this.#handlers = new Set(prepared.handlers)
    this.#reducers = new Set(prepared.reducers)
    this.#blocking = mayBlock === true ? everyFamily : mayBlock === false ? noFamily : mayBlock
    this.#cache = shared.compiled
    this.#traces = shared.traces
    this.#original = options.original
    if (memoryPages >= this.#minimumPages) this.#compile(memoryPages)
  }

  call(call: HandlerCall): MaybePromise<HandlerOutcome> {
    if (this.#running) throw new EngineError({ code: 'MODULE_BUSY', codeHash: this.codeHash })
    const missing = this.#missing(call)
    if (missing !== undefined) return failed('HANDLER_NOT_EXPORTED', missing)
    const pages = call.limits.memoryPages
    if (pages < this.#minimumPages)
      return failed('MEMORY_LIMIT', `the module needs ${this.#minimumPages} pages of memory, the limit is ${pages}`)
    const entries = this.#minimumEntries
    if (entries > call.limits.tableEntries)
      return failed(
        'TABLE_LIMIT',
        `a table of the module has ${entries} entries, the limit is ${call.limits.tableEntries}`,
      )
    this.#running = true
    try {
      const instance = this.#ready(call.limits)
      const result = this.#run(instance, call)
      if (!(result instanceof Promise)) this.#running = false
      return result
    } catch (error) {
      this.#running = false
      if (error instanceof CallEnd) return failed(error.code, error.message, error.initialFuel)
      throw error
    }
  }

  #missing({ handler, accumulator }: HandlerCall): string | undefined {
    if (accumulator === undefined) return this.#handlers.has(handler) ? undefined : `no handler "${handler}"`
    return this.#reducers.has(handler) ? undefined : `no function "${handler}" of type (i32, i32) -> i32`
  }

  evict(): void {
    this.#instance = undefined
  }

  /** An instance in the state of a new one. @throws CallEnd when the module fails to initialise, or has no fuel for that */
  #ready({ memoryPages, fuel }: CallLimits): Instance {
    if (memoryPages !== this.#compiledPages) this.#compile(memoryPages)
    // What is known to fail, or to cost too much, is not tried again: it would cost as much each time.
    this.#initial ??= this.#tryInstance()
    const { fuel: initialFuel, failure } = this.#initial
    if (initialFuel > fuel) throw new CallEnd('FUEL_LIMIT', fuelWords(fuel), BigInt(fuel))
    if (failure) throw failure
    this.#instance ??= new Instance(this.#compiled!, this.#blocking)
    this.#instance.reset()
    return this.#instance
  }

  #tryInstance(): { fuel: bigint; failure?: CallEnd } {
    try {
      this.#instance = new Instance(this.#compiled!, this.#blocking)
      return { fuel: this.#instance.initialFuel }
    } catch (error) {
      if (error instanceof CallEnd) return { fuel: error.initialFuel, failure: error }
      throw error
    }
  }

  #compile(pages: number): void {
    const key = `${this.codeHash}:${pages}`
    let compiled = this.#cache.get(key)
    if (compiled === undefined) {
      compiled = compileModule(this.#layout, this.codeHash, pages)
      this.#cache.set(key, compiled)
    }
    this.#compiled = compiled
    this.#compiledPages = pages
    this.#instance = undefined
    this.#initial = undefined
  }

  #run(instance: Instance, call: HandlerCall): MaybePromise<HandlerOutcome> {
    const state = new CallState(call)
    const handler = instance.handler(call.handler)
    let answer: unknown
    try {
      instance.begin(state)
      answer = call.accumulator === undefined ? handler(state.rid) : handler(state.accumulatorRid, state.rid)
    } catch (error) {
      return this.#finish(instance, call, state, { error })
    }
    if (!(answer instanceof Promise)) return this.#finish(instance, call, state, { code: answer as number })
    return answer
      .then(
        (code: number) => this.#finish(instance, call, state, { code }),
        (error: unknown) => this.#finish(instance, call, state, { error }),
      )
      .finally(() => {
        this.#running = false
      })
  }

  #trace(error: Error): { trace?: readonly GuestFrame[] } {
    if (this.#original === undefined) return {}
    const { shiftBytes } = this.#compiled!
    const trace = this.#traces.of(error, { codeHash: this.codeHash, shiftBytes, original: this.#original })
    return trace.length === 0 ? {} : { trace }
  }

  /** Writes the rest of the log, decides about the instance, and tells how the call ended. */
  #finish(
    instance: Instance,
    { wantsData = false }: HandlerCall,
    state: CallState,
    end: { code: number } | { error: unknown },
  ): HandlerOutcome {
    const { meter } = instance.guest
    const { used: fuel, overdrawn } = meter
    if (this.#instance === instance && !instance.reusable) this.#instance = undefined
    if (state.fault !== undefined) throw state.fault.error
    instance.guest.end()
    if (overdrawn && ('code' in end || end.error instanceof CallEnd))
      return { ...failed('FUEL_LIMIT', fuelWords(state.limits.fuel), fuel), ...limitsOf(state, meter) }
    if ('code' in end) {
      const data = wantsData ? state.resource(end.code) : undefined
      return { type: 'returned', code: end.code, fuel, ...(data && { data }), ...limitsOf(state, meter) }
    }
    const { error } = end
    if (error instanceof CallEnd) return { ...failed(error.code, error.message, fuel), ...limitsOf(state, meter) }
    if (!isGuestTrap(error)) throw error
    const trace = this.#trace(error)
    return {
      ...failed(meter.limit ?? 'TRAP', trapMessage(meter, state, error), fuel),
      ...trace,
      ...limitsOf(state, meter),
    }
  }
}

/** Nothing for the usual call, which reached none. */
function limitsOf(state: CallState, { refusedGrowth }: Meter): { limits: readonly LimitCode[] } | undefined {
  for (const limit of refusedGrowth) state.hit(limit)
  const { limitsHit } = state
  return limitsHit && { limits: limitsHit }
}

function fuelWords(limit: number): string {
  return `more than ${limit} units of fuel`
}

function trapMessage({ limit }: Meter, state: CallState, error: Error): string {
  if (limit === 'FUEL_LIMIT') return fuelWords(state.limits.fuel)
  if (limit === 'STACK_LIMIT') return `calls nest deeper than ${state.limits.stackBytes} bytes of stack`
  return trapWords(error)
}

function failed(error: HandlerErrorCode, message: string, fuel = 0n): FailedCall {
  return { type: 'failed', error, message, fuel }
}
