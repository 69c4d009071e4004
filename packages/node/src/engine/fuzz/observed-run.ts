import { createHash } from 'node:crypto'
import type { CallLimits } from '../engine.ts'
import { CallEnd, isGuestTrap } from '../host/call-end.ts'
import { CallState } from '../host/call-state.ts'
import { Guest } from '../host/guest.ts'
import { hostTable } from '../host/table.ts'
import { trapWords } from '../host/trap.ts'
import { type CompiledModule, compileModule } from '../inline/compiled-module.ts'
import { linkImports } from '../inline/link-imports.ts'
import { defaultCallLimits, pageBytes } from '../limits.ts'
import { findVariant } from '../module/examine.ts'
import { parseModule } from '../module/parse.ts'
import { reserved } from '../module/prepared-format.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { type WasmFunction, type WasmGlobal, type WasmInstance, type WasmTable, wasm } from '../webassembly.ts'

/** All that can be seen of a call. */
export interface Observation {
  /** A number that the handler returned, or the words of the trap. */
  readonly end: number | string
  readonly lines: readonly string[]
  readonly values: readonly string[]
  /** SHA-256 of the memory that the guest believes to have. */
  readonly memory: string
  readonly globals: readonly string[]
  /** Of each exported table, the functions in it by their indices. */
  readonly tables: readonly string[]
}

export interface MeteredObservation {
  readonly seen: Observation
  readonly fuel: bigint
  /** `FUEL_LIMIT` and the like. */
  readonly limit: string | undefined
}

type Imports = CompiledModule['imports']
const globalsApi = (
  globalThis as unknown as { WebAssembly: { Global: new (type: object, value: unknown) => WasmGlobal } }
).WebAssembly

/** What of the counters host functions look at, for a module that has none. */
function unlimited(): Record<string, unknown> {
  const global = (value: 'i32' | 'i64', first: number | bigint) =>
    new globalsApi.Global({ value, mutable: true }, first)
  return {
    [reserved.fuel]: global('i64', 0n),
    [reserved.stack]: global('i32', 0),
    [reserved.stopped]: global('i32', 0),
    [reserved.charge]: () => undefined,
  }
}

/** Runs a handler of a module as it was made, on V8 alone, with the engine's host functions. */
export function runOriginal(bytes: Uint8Array, handler: string): Observation {
  const layout = parseModule(bytes)
  const imports = layout.imports.map(({ module, name, typeIndex }) => ({
    module,
    name,
    host: findVariant(hostTable, { module, name }, layout.types[typeIndex]!),
  }))
  return observe(imports, handler, defaultCallLimits, (guest, linked) => {
    const instance = new wasm.Instance(new wasm.Module(bytes), linked)
    guest.attach({ exports: { ...instance.exports, ...unlimited() } as WasmInstance['exports'] })
    return instance
  }).seen
}

/** Runs a handler of a prepared module in an instance of its own, within reach. */
export function runPrepared(bytes: Uint8Array, handler: string, limits: Partial<CallLimits> = {}): MeteredObservation {
  const all = { ...defaultCallLimits, ...limits }
  const compiled = compileModule(parseModule(bytes), '', all.memoryPages)
  return observe(compiled.imports, handler, all, (guest, linked) => {
    const instance = new wasm.Instance(compiled.module, linked)
    guest.attach(instance)
    guest.meter.arm(defaultCallLimits)
    ;(instance.exports[reserved.start] as WasmFunction | undefined)?.()
    guest.meter.arm(all, compiled.instanceFuel + guest.meter.used)
    return instance
  })
}

function observe(
  imports: Imports,
  handler: string,
  limits: CallLimits,
  make: (guest: Guest, linked: ReturnType<typeof linkImports>) => WasmInstance,
): MeteredObservation {
  const guest = new Guest()
  const host = new RecordingHost()
  host.environment.set('', 'nothing')
  const state = new CallState(testCall(handler, host, { limits, payload: 'payload' }))
  const linked = linkImports(imports, guest, new Set())
  const instance = make(guest, linked)
  guest.begin(state)
  const end = endOf(() => (instance.exports[handler] as (rid: number) => number)(state.rid))
  if (state.fault !== undefined) throw state.fault.error
  const { used, limit } = guest.meter
  guest.end()
  const values = [...host.values].map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`)
  const seen = { end, lines: host.lines, values, ...stateOf(instance) }
  return { seen, fuel: used, limit: typeof end === 'string' ? limit : undefined }
}

function endOf(run: () => number): number | string {
  try {
    return run()
  } catch (error) {
    if (error instanceof CallEnd) return error.message
    if (isGuestTrap(error)) return trapWords(error)
    throw error
  }
}

function stateOf({ exports }: WasmInstance): Pick<Observation, 'memory' | 'globals' | 'tables'> {
  const pages = exports[reserved.pages] as WasmGlobal | undefined
  const { buffer } = exports.memory as { buffer: ArrayBuffer }
  const believed = pages === undefined ? buffer.byteLength : (pages.value as number) * pageBytes
  const own = Object.entries(exports).filter(([name]) => !name.startsWith('w3bstream:'))
  return {
    memory: createHash('sha256')
      .update(new Uint8Array(buffer, 0, believed))
      .digest('hex'),
    globals: own.flatMap(([name, value]) => (name.startsWith('global') ? [show((value as WasmGlobal).value)] : [])),
    tables: own.flatMap(([name, value]) => (name.startsWith('table') ? [showTable(value as WasmTable)] : [])),
  }
}

/** Functions that JavaScript is given are named after their index. */
function show(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name}`
  return Object.is(value, -0) ? '-0' : String(value)
}

function showTable(table: WasmTable): string {
  return Array.from({ length: table.length }, (_, index) => show(table.get(index))).join(' ')
}
