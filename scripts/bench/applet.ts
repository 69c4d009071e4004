import { readFileSync } from 'node:fs'
import type { HandlerCall, HostContext } from '../../packages/node/src/engine/engine.ts'
import { CallState } from '../../packages/node/src/engine/host/call-state.ts'
import { Guest } from '../../packages/node/src/engine/host/guest.ts'
import { createEngine, defaultCallLimits } from '../../packages/node/src/engine/index.ts'
import { compileModule } from '../../packages/node/src/engine/inline/compiled-module.ts'
import { linkImports } from '../../packages/node/src/engine/inline/link-imports.ts'
import { parseModule } from '../../packages/node/src/engine/module/parse.ts'
import { reserved } from '../../packages/node/src/engine/module/prepared-format.ts'
import { allFeatures, type RewriteFeatures, rewriteModule } from '../../packages/node/src/engine/module/rewrite.ts'
import { compileApplet } from '../../packages/node/src/engine/testing/compile-applet.ts'
import { noFiles } from '../../packages/node/src/engine/wasi/files/host-files.ts'
import { type WasmFunction, type WasmInstance, wasm } from '../../packages/node/src/engine/webassembly.ts'
import { type BenchContext, median } from './compare.ts'
import type { BenchRow } from './row.ts'

const roundMs = 1000
const unmetered: RewriteFeatures = { metered: false, canonicalNans: false }

/**
 * Calls per second of an applet on one core with fresh memory at every call, against a new instance for every call: as it is
 * run, metered and with canonical NaNs; and without that, which tells what it costs.
 */
export async function benchApplet(context: BenchContext): Promise<BenchRow[]> {
  const report = JSON.stringify({
    device: 'station-7',
    readings: [
      { name: 'temperature', value: 21.5 },
      { name: 'humidity', value: 40.25 },
      { name: 'temperature', value: 22.5 },
      { name: 'pressure', value: 1013.1 },
    ],
  })
  const large = readFileSync(
    new URL('../../packages/node/test/interop/guests/fixtures/rust_wasi.wasm', import.meta.url),
  )
  const small = await compileApplet(new URL('assembly/small.ts', import.meta.url))
  const largeCall = handlerCall('handle_report', report)
  const smallCall = handlerCall('start', report)
  return [
    measure('applet-metered-large', large, largeCall, allFeatures, context),
    measure('applet-metered-small', small, smallCall, allFeatures, context),
    measure('applet-large', large, largeCall, unmetered, context),
    measure('applet-small', small, smallCall, unmetered, context),
  ]
}

function measure(
  name: string,
  original: Uint8Array,
  call: HandlerCall,
  features: RewriteFeatures,
  context: BenchContext,
): BenchRow {
  const ours = restoring(original, call, features)
  const fresh = instantiating(original, call)
  for (const run of [ours, fresh]) callsPerSecond(run)
  const measured: number[] = []
  const baseline: number[] = []
  for (let round = 1; round <= context.rounds; round++) {
    measured.push(callsPerSecond(ours))
    baseline.push(callsPerSecond(fresh))
    context.progress(`${name} round ${round}/${context.rounds}: ${Math.round(measured.at(-1)!)} calls/s`)
  }
  return {
    name,
    value: median(measured),
    unit: 'calls/s',
    better: 'higher',
    baselines: [{ name: 'new WebAssembly.Instance per call', value: median(baseline) }],
    ratio: median(measured) / median(baseline),
    rounds: measured,
    environment: context.environment,
    details: { 'module KiB': original.length / 1024 },
  }
}

function restoring(original: Uint8Array, call: HandlerCall, features: RewriteFeatures): () => void {
  const engine = createEngine()
  const bytes = rewriteModule(parseModule(original), features)
  const loaded = engine.load({ ...engine.prepare(original), bytes }, { mayBlock: false })
  return () => {
    const outcome = loaded.call(call)
    if (outcome instanceof Promise || outcome.type !== 'returned' || outcome.code !== 0)
      throw new Error(`the applet failed: ${JSON.stringify(outcome, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
  }
}

/** The module as uploaded, compiled once, with the same host functions, linked once. */
function instantiating(original: Uint8Array, call: HandlerCall): () => void {
  const engine = createEngine()
  const prepared = engine.prepare(original)
  const { imports } = compileModule(parseModule(prepared.bytes), prepared.codeHash, call.limits.memoryPages)
  const module = new wasm.Module(original)
  const guest = new Guest()
  const linked = linkImports(imports, guest, new Set())
  // What host functions ask of instrumented code.
  const meter = { [reserved.stack]: { value: 0 }, [reserved.stopped]: { value: 0 }, [reserved.charge]: () => {} }
  return () => {
    const state = new CallState(call)
    guest.begin(state)
    const instance: WasmInstance = new wasm.Instance(module, linked)
    guest.attach({ exports: { ...instance.exports, ...meter } })
    const handler = instance.exports[call.handler] as WasmFunction as (rid: number) => number
    if (handler(state.rid) !== 0) throw new Error('the applet failed')
    guest.end()
  }
}

function callsPerSecond(run: () => void): number {
  const begin = performance.now()
  let calls = 0
  let now = begin
  while (now - begin < roundMs) {
    for (let n = 0; n < 20; n++) run()
    calls += 20
    now = performance.now()
  }
  return (calls * 1000) / (now - begin)
}

function handlerCall(handler: string, payload: string): HandlerCall {
  return {
    handler,
    payload: Buffer.from(payload.padEnd(200)),
    host: memoryHost(),
    clockNs: 1_700_000_000_000_000_000n,
    seed: new Uint8Array(32).fill(7),
    limits: defaultCallLimits,
  }
}

/** A host that keeps values in a map and throws log lines away. */
function memoryHost(): HostContext {
  const values = new Map<string, Uint8Array>()
  const absent = (): never => {
    throw new Error('not used by these applets')
  }
  return {
    log() {},
    kvGet: (key) => values.get(key),
    kvPut: (key, value) => {
      values.set(key, value)
    },
    sqlExecute: absent,
    sqlQuery: absent,
    env: () => undefined,
    sendTransaction: absent,
    callContract: absent,
    publishMqtt: absent,
    mqttMessage: () => undefined,
    publisher: () => undefined,
    apiCall: absent,
    submitMetrics: absent,
    files: () => noFiles,
  }
}
