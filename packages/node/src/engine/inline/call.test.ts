import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BlockingFamily, HandlerOutcome, LoadedModule } from '../engine.ts'
import { HostFault } from '../engine.ts'
import { EngineError } from '../errors.ts'
import { assemble, bumpAlloc } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { wasm } from '../webassembly.ts'
import { createEngine } from './inline-engine.ts'

const engine = createEngine()

function load(text: string, mayBlock: boolean | ReadonlySet<BlockingFamily> = false): LoadedModule {
  return engine.load(engine.prepare(assemble(`(module ${text})`)), { mayBlock })
}

const failure = (error: string) => expect.objectContaining({ type: 'failed', error })
const returned = (code: number) =>
  ({ type: 'returned', code, fuel: expect.any(BigInt) as bigint }) satisfies HandlerOutcome
const memory = '(memory (export "memory") 1)'
const log = '(import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))'
const get = '(import "env" "ws_get_db" (func $get (param i32 i32 i32 i32) (result i32)))'
const put = '(import "env" "ws_set_db" (func $put (param i32 i32 i32 i32) (result i32)))'

describe('how a call ends', () => {
  const module = load(`
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "env" "mystery" (func $mystery (param i32 f64)))
    ${log} ${memory}
    (data (i32.const 0) "firstsecond")
    (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
    (func (export "outside") (param i32) (result i32) (i32.load (i32.const -1)))
    (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
    (func (export "exit") (param i32) (result i32) (call $exit (i32.const 3)) (i32.const 0))
    (func (export "mystery") (param i32) (result i32) (call $mystery (i32.const 1) (f64.const 2)) (i32.const 0))
    (func (export "spin") (param i32) (result i32)
      (loop $l (drop (call $log (i32.const 4) (i32.const 0) (i32.const 1))) (br $l)) (unreachable))
    (func (export "log") (param i32) (result i32)
      (drop (call $log (i32.const 4) (i32.const 0) (i32.const 5)))
      (drop (call $log (i32.const 2) (i32.const 5) (i32.const 6)))
      (unreachable))
    (func (export "minus") (param i32) (result i32) (i32.const -5))`)

  it.each([
    ['divide', 'TRAP'],
    ['outside', 'TRAP'],
    ['deep', 'STACK_LIMIT'],
    ['exit', 'EXIT'],
    ['mystery', 'TRAP'],
    ['spin', 'HOST_CALL_LIMIT'],
    ['none', 'HANDLER_NOT_EXPORTED'],
    ['memory', 'HANDLER_NOT_EXPORTED'],
    ['__proto__', 'HANDLER_NOT_EXPORTED'],
  ])('%s ends as %s, and the module works afterwards', (handler, error) => {
    const limits = { hostCalls: 500 }
    expect(module.call(testCall(handler, new RecordingHost(), { limits }))).toEqual(failure(error))
    expect(module.call(testCall('minus', new RecordingHost()))).toEqual(returned(-5))
  })

  it('keeps the lines of a handler that trapped, in order', () => {
    const host = new RecordingHost()
    expect(module.call(testCall('log', host))).toEqual(failure('TRAP'))
    expect(host.lines).toEqual(['4 wasmCode first', '2 wasmCode second'])
  })

  it('drops and counts lines above the limit', () => {
    const host = new RecordingHost()
    const limits = { hostCalls: 10, logLines: 3 }
    expect(module.call(testCall('spin', host, { limits }))).toEqual(failure('HOST_CALL_LIMIT'))
    expect(host.lines).toEqual([
      ...Array<string>(3).fill('4 wasmCode f'),
      '3 wasmExportFunc 7 more log lines were dropped',
    ])
  })

  it('fails when the initialisation traps', () => {
    const broken = load(
      `${memory} (func $s unreachable) (start $s) (func (export "go") (param i32) (result i32) (i32.const 0))`,
    )
    expect(broken.call(testCall('go', new RecordingHost()))).toEqual(failure('TRAP'))
    const data = load(
      `${memory} (data (i32.const 70000) "x") (func (export "go") (param i32) (result i32) (i32.const 0))`,
    )
    expect(data.call(testCall('go', new RecordingHost()))).toEqual(failure('TRAP'))
  })
})

describe('errors of the host', () => {
  const text = `${put} ${memory} ${bumpAlloc}
    (func (export "put") (param i32) (result i32) (call $put (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))`

  it('answers a refusal with the code of the function and writes it down', () => {
    const host = new RecordingHost()
    host.error = new HostFault('Limit', 'store is full')
    expect(load(text).call(testCall('put', host))).toEqual(returned(-1))
    expect(host.lines).toEqual(['2 wasmExportFunc ws_set_db: store is full'])
  })

  it('lets an error of the node out, whatever its class', () => {
    for (const error of [new Error('disk'), new TypeError('bug'), new RangeError('Invalid array length')]) {
      const host = new RecordingHost()
      const module = load(text)
      host.error = error
      expect(() => module.call(testCall('put', host))).toThrow(error)
      host.error = undefined
      expect(module.call(testCall('put', host))).toEqual(returned(0))
    }
  })

  it('refuses a promise where none was announced', () => {
    const host = new RecordingHost()
    host.kvPut = () => Promise.reject(new Error('late'))
    expect(() => load(text).call(testCall('put', host))).toThrow(expect.objectContaining({ code: 'HOST_BLOCKED' }))
    expect(() => load(text, new Set(['sql'] as const)).call(testCall('put', host))).toThrow(EngineError)
  })

  it('refuses bytes of another version of the engine', () => {
    const original = assemble(`(module ${text})`)
    const prepared = { ...engine.prepare(original), codeHash: 'other', bytes: original }
    expect(() => engine.load(prepared, { mayBlock: false })).toThrow(expect.objectContaining({ code: 'MODULE_STALE' }))
  })
})

describe('a host that answers later', () => {
  const text = `${get} ${put} ${log} ${memory} ${bumpAlloc}
    (func (export "pass") (param i32) (result i32)
      (drop (call $put (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))
      (if (i32.ne (call $get (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 20)) (i32.const 0)) (then (unreachable)))
      (drop (call $log (i32.const 4) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
      (i32.load (i32.const 20)))
    (func (export "crash") (param i32) (result i32)
      (drop (call $get (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 20)))
      (unreachable))
    (func (export "quick") (param i32) (result i32) (i32.const 4))`

  function later(): RecordingHost {
    const host = new RecordingHost()
    host.kvGet = async (key) => {
      await new Promise(setImmediate)
      return host.values.get(key)
    }
    host.kvPut = async (key, value) => {
      await new Promise(setImmediate)
      host.values.set(key, value)
    }
    return host
  }

  it('suspends the guest at each call and goes on with the answer', async () => {
    const host = later()
    const module = load(text, true)
    for (let round = 0; round < 3; round++) expect(await module.call(testCall('pass', host))).toEqual(returned(1))
    expect(host.lines).toEqual(Array<string>(3).fill('4 wasmCode \0'))
    expect(await module.call(testCall('quick', host))).toEqual(returned(4))
    expect(await module.call(testCall('crash', host))).toEqual(failure('TRAP'))
  })

  it('keeps guests that are suspended at the same time apart', async () => {
    const modules = Array.from({ length: 5 }, () => load(text, new Set(['kv'] as const)))
    const outcomes = await Promise.all(modules.map((module) => module.call(testCall('pass', later()))))
    expect(outcomes).toEqual(Array<HandlerOutcome>(5).fill(returned(1)))
  })

  it('refuses a second call while one is suspended, and works again when it has ended', async () => {
    const module = load(text, true)
    const first = module.call(testCall('pass', later()))
    expect(() => module.call(testCall('quick', later()))).toThrow(expect.objectContaining({ code: 'MODULE_BUSY' }))
    expect(await first).toEqual(returned(1))
    expect(await module.call(testCall('quick', later()))).toEqual(returned(4))
  })

  it('answers at once when nothing that the module imports may block', () => {
    expect(load(text, new Set(['chain'] as const)).call(testCall('pass', new RecordingHost()))).toEqual(returned(1))
  })

  it('lets rejections out as faults of the node, and refusals in as codes', async () => {
    const host = later()
    const module = load(text, true)
    host.kvGet = () => Promise.reject(new Error('connection lost'))
    await expect(module.call(testCall('pass', host))).rejects.toThrow('connection lost')
    host.kvPut = () => Promise.reject(new HostFault('Limit', 'full'))
    host.kvGet = () => Promise.resolve(Uint8Array.of(1, 2))
    expect(await module.call(testCall('pass', host))).toEqual(returned(2))
    expect(host.lines).toContain('2 wasmExportFunc ws_set_db: full')
  })

  it('fails an allocator that would have to be suspended', async () => {
    const module = load(
      `${get} ${memory}
      (func (export "alloc") (param i32) (result i32)
        (call $get (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 20)))
      (func (export "go") (param i32) (result i32)
        (call $get (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 20)))`,
      true,
    )
    const host = later()
    host.kvGet = () => Promise.resolve(Uint8Array.of(1))
    expect(await module.call(testCall('go', host))).toEqual(returned(5))
    expect(host.lines[0]).toBe('2 wasmExportFunc ws_get_db cannot be called by alloc')
  })
})

describe('guests of other compilers', () => {
  const fixture = (name: string) =>
    readFileSync(new URL(`../../../test/interop/guests/fixtures/${name}.wasm`, import.meta.url))

  it.each(['rust_wasi', 'c_sensor', 'go_log'])('%s gives the same answer with the same log every time', (name) => {
    const prepared = engine.prepare(fixture(name))
    const module = engine.load(prepared, { mayBlock: false })
    for (const handler of prepared.handlers) {
      const runs = [1, 2, 3].map(() => {
        const host = new RecordingHost()
        return [module.call(testCall(handler, host, { payload: '{"temperature":21.5}' })), host.lines]
      })
      expect(runs[1]).toEqual(runs[0])
      expect(runs[2]).toEqual(runs[0])
    }
  })
})

describe('reducers', () => {
  const module = load(`
    (import "env" "ws_get_data" (func $get (param i32 i32 i32) (result i32)))
    (import "env" "ws_set_data" (func $set (param i32 i32 i32) (result i32)))
    ${memory} ${bumpAlloc}
    (func (export "swap") (param i32) (result i32)
      (drop (call $set (i32.const 77) (i32.const 0) (i32.const 3))) (i32.const 77))
    (func (export "join") (param $acc i32) (param $rid i32) (result i32)
      (if (i32.eqz (local.get $acc)) (then (return (local.get $rid))))
      (drop (call $get (local.get $acc) (i32.const 8) (i32.const 12)))
      (drop (call $set (local.get $rid) (i32.load (i32.const 8)) (i32.load (i32.const 12))))
      (local.get $rid))`)
  const call = (accumulator: string | null) => ({
    ...testCall('join', new RecordingHost(), { payload: 'new' }),
    accumulator: accumulator === null ? null : Buffer.from(accumulator),
    wantsData: true,
  })

  it('get 0 in the place of the first accumulator, then the resource with it', () => {
    expect(module.call(call(null))).toMatchObject({ type: 'returned', data: Buffer.from('new') })
    expect(module.call(call('old'))).toMatchObject({ type: 'returned', data: new Uint8Array(Buffer.from('old')) })
  })

  it('are no handlers, nor handlers reducers', () => {
    expect(module.call(testCall('join', new RecordingHost()))).toEqual(failure('HANDLER_NOT_EXPORTED'))
    expect(module.call({ ...call(null), handler: 'swap' })).toEqual(failure('HANDLER_NOT_EXPORTED'))
  })

  it('tell no data when the number is that of no resource', () => {
    const swap = { ...testCall('swap', new RecordingHost()), wantsData: true }
    expect(module.call(swap)).toMatchObject({ code: 77, data: Uint8Array.of(0, 0, 0) })
    const plain = load(`${memory} (func (export "go") (param i32) (result i32) (i32.const 5))`)
    expect(plain.call({ ...testCall('go', new RecordingHost()), wantsData: true })).toEqual(returned(5))
  })
})

describe('the trace of a trap', () => {
  const original = assemble(`(module ${memory}
    (global $g (mut i32) (i32.const 0))
    (func $inner (param $x f64)
      (global.set $g (i32.const 5))
      (f64.store (i32.const 8) (f64.mul (local.get $x) (f64.const 0.5)))
      (unreachable))
    (func (export "go") (param i32) (result i32)
      (loop $l (br_if $l (i32.lt_u (global.get $g) (i32.const 0))))
      (call $inner (f64.const 2)) (i32.const 0)))`)
  const prepared = engine.prepare(original)

  it('names places of the original file, innermost first, whatever was woven into the code', () => {
    const limits = { memoryPages: 300 }
    const module = engine.load(prepared, { mayBlock: false, original: () => original })
    const outcome = module.call(testCall('go', new RecordingHost(), { limits }))
    const trace = outcome instanceof Promise || outcome.type !== 'failed' ? [] : (outcome.trace ?? [])
    expect(trace.map((frame) => frame.function)).toEqual([0, 1])
    const [unreachable, call] = [0x00, 0x10]
    expect(trace.map(({ offset }) => original[offset])).toEqual([unreachable, call])
  })

  it('is missing when nobody has the original', () => {
    const outcome = engine.load(prepared, { mayBlock: false }).call(testCall('go', new RecordingHost()))
    expect(outcome).not.toHaveProperty('trace')
  })
})

describe('limits of a call', () => {
  const module = load(`
    (import "env" "ws_get_data" (func $get (param i32 i32 i32) (result i32)))
    ${memory} (table 100 funcref)
    (global $depth (mut i32) (i32.const 0))
    (func $alloc (export "alloc") (param i32) (result i32)
      (if (i32.eqz (global.get $depth)) (then (return (i32.const 64))))
      (call $deep (i32.const 200)))
    (func $deep (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (unreachable)))
      (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
    (func $count (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
      (i32.add (i32.const 1) (call $count (i32.sub (local.get 0) (i32.const 1)))))
    (func (export "spin") (param i32) (result i32) (loop $l (br $l)) (unreachable))
    (func (export "read") (param i32) (result i32) (call $get (local.get 0) (i32.const 0) (i32.const 4)))
    (func (export "trapped") (param i32) (result i32)
      (global.set $depth (i32.const 1))
      (drop (call $get (local.get 0) (i32.const 0) (i32.const 4)))
      (drop (call $get (local.get 0) (i32.const 0) (i32.const 4)))
      (call $count (i32.const 200)))`)
  const run = (handler: string, limits: object, payload = '') =>
    module.call(testCall(handler, new RecordingHost(), { limits, payload }))

  it('ends a loop when the fuel is used up, and says so with the limit', () => {
    expect(run('spin', { fuel: 12_345 })).toEqual({
      type: 'failed',
      error: 'FUEL_LIMIT',
      message: 'more than 12345 units of fuel',
      fuel: 12_345n,
    })
  })

  it('takes fuel for bytes that the host hands over, and ends in the middle of that', () => {
    const cost = (payload: string) => (run('read', {}, payload) as { fuel: bigint }).fuel
    expect(cost('x'.repeat(4000)) - cost('')).toBe(1000n)
    const limit = cost('') + 300n
    expect(run('read', { fuel: Number(limit) }, 'x'.repeat(4000))).toMatchObject({ error: 'FUEL_LIMIT', fuel: limit })
  })

  it('gives back the stack of an allocator whose trap the host hid', () => {
    // Each recursion of 200 takes 29 KB; two that were not given back would leave too little for the third.
    expect(run('trapped', { stackBytes: 60_000 }, 'x')).toMatchObject({ type: 'returned', code: 200 })
  })

  it('refuses a module whose table is larger than the project allows', () => {
    expect(run('read', { tableEntries: 99 })).toMatchObject({ error: 'TABLE_LIMIT' })
    expect(run('read', { tableEntries: 100 })).toMatchObject({ type: 'returned' })
  })

  it('begins each call with the price of a new instance: its memory, its tables, its initialisation', () => {
    const body = '(func (export "go") (param i32) (result i32) (i32.const 0))'
    const fuelOf = (text: string) => (load(text).call(testCall('go', new RecordingHost())) as { fuel: bigint }).fuel
    const bare = fuelOf(`(memory (export "memory") 1) ${body}`)
    expect(fuelOf(`(memory (export "memory") 3) ${body}`) - bare).toBe(2n * 8192n)
    expect(fuelOf(`(memory (export "memory") 1) (table 10 funcref) ${body}`) - bare).toBe(40n)
    const started = `(memory (export "memory") 1) (start $s)
      (func $s (local i32) (loop $l (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))
      ${body}`
    const module = load(started)
    const calls = [1, 2, 3].map(() => module.call(testCall('go', new RecordingHost())) as { fuel: bigint })
    expect(new Set(calls.map(({ fuel }) => fuel)).size).toBe(1)
    expect(calls[0]!.fuel - bare).toBeGreaterThan(3000n)
  })

  it('does not instantiate again what cannot be afforded, or has failed', () => {
    const slow = load(`(memory (export "memory") 1) (start $s)
      (func $s (loop $l (br $l))) (func (export "go") (param i32) (result i32) (i32.const 0))`)
    const go = (fuel: number) => slow.call(testCall('go', new RecordingHost(), { limits: { fuel } }))
    const first = go(2_000_000_000)
    expect(first).toMatchObject({ error: 'FUEL_LIMIT', message: 'initialisation: more than 1000000000 units of fuel' })
    const { Instance } = wasm
    let made = 0
    const counted = new Proxy(Instance, {
      construct(target, given) {
        made++
        return Reflect.construct(target, given) as object
      },
    })
    Object.assign(wasm, { Instance: counted })
    try {
      for (let n = 0; n < 3; n++) expect(go(2_000_000_000)).toEqual(first)
      expect(go(1000)).toMatchObject({ error: 'FUEL_LIMIT', fuel: 1000n })
    } finally {
      Object.assign(wasm, { Instance })
    }
    expect(made).toBe(0)
  })

  it('answers the first call as all others when the initialisation fails behind the limit of the call', () => {
    const failing = load(`(memory (export "memory") 1) (start $s)
      (func $s (local i32)
        (loop $l (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))
        (unreachable))
      (func (export "go") (param i32) (result i32) (i32.const 0))`)
    const go = (fuel: number) => failing.call(testCall('go', new RecordingHost(), { limits: { fuel } }))
    const wanted = { type: 'failed', error: 'FUEL_LIMIT', message: 'more than 9000 units of fuel', fuel: 9000n }
    expect([go(9000), go(9000)]).toEqual([wanted, wanted])
    expect(go(1_000_000)).toMatchObject({ error: 'TRAP', message: 'initialisation: unreachable' })
  })
})
