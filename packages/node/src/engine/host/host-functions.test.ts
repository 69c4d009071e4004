import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HostFault, type LoadedModule } from '../engine.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { assemble, bumpAlloc } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import type { HostFunction } from './host-function.ts'
import { hostTable } from './table.ts'

const engine = createEngine()
const wild = -8

/** Where results go, and where the guest's texts lie. */
const out = { address: 16, size: 20, address2: 24, size2: 28 }
const textAt = 1024

/**
 * A module with one host function and a handler that calls it; the first data segment is `text`. Whatever was handed over
 * is logged at level 9.
 */
function caller(host: HostFunction, parameters: readonly number[], text: string | Uint8Array): LoadedModule {
  const { module, name, type } = host
  const bytes = [...Buffer.from(text as string)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  const constants = type.params.map((param, n) => `(${param}.const ${parameters[n] ?? 0})`).join(' ')
  const result = type.results.length === 0 ? '' : `(result ${type.results[0]})`
  const invoke = `(call $f ${constants})`
  const code =
    type.results.length === 0
      ? `${invoke} (i32.const 0)`
      : type.results[0] === 'f64'
        ? `(i32.wrap_i64 (i64.trunc_sat_f64_u ${invoke}))`
        : invoke
  const wasm = assemble(`(module
    (import "${module}" "${name}" (func $f (param ${type.params.join(' ')}) ${result}))
    ${name === 'ws_log' ? '' : '(import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))'}
    (memory (export "memory") 1)
    (data (i32.const ${textAt}) "${bytes}")
    ${bumpAlloc}
    (func (export "go") (param $rid i32) (result i32)
      (local $code i32)
      (local.set $code ${code})
      ${
        name === 'ws_log'
          ? ''
          : `(if (i32.load (i32.const 16)) (then (drop (call $log (i32.const 9) (i32.load (i32.const 16)) (i32.load (i32.const 20))))))
      (if (i32.load (i32.const 24)) (then (drop (call $log (i32.const 9) (i32.load (i32.const 24)) (i32.load (i32.const 28))))))`
      }
      (local.get $code)))`)
  return engine.load(engine.prepare(wasm), { mayBlock: false })
}

function find(name: string, parameterCount?: number): HostFunction {
  const variants = hostTable.get(name)!
  return variants.find(({ type }) => parameterCount === undefined || type.params.length === parameterCount)!
}

interface Attempt {
  readonly name: string
  readonly parameters: readonly number[]
  readonly text?: string | Uint8Array
  readonly host?: RecordingHost
  readonly count?: number
}

function attempt({ name, parameters, text = '', host = new RecordingHost(), count }: Attempt): number {
  const outcome = caller(find(name, count), parameters, text).call(testCall('go', host, { payload: 'payload' }))
  if (outcome instanceof Promise || outcome.type !== 'returned') throw new Error(JSON.stringify(outcome, null, 1))
  return outcome.code
}

const handedOver = (host: RecordingHost) =>
  host.lines.filter((line) => line.startsWith('9 wasmCode ')).map((line) => line.slice('9 wasmCode '.length))

const pair = (text: string) => [textAt, Buffer.byteLength(text)]
const results = [out.address, out.size]

/** What the seed of the test's calls makes. */
const rid = 0x07070707

describe('data', () => {
  it('gives the payload under the rid of the call, and nothing under another', () => {
    const host = new RecordingHost()
    expect(attempt({ name: 'env.ws_get_data', parameters: [rid, ...results], host })).toBe(0)
    expect(handedOver(host)).toEqual(['payload'])
    expect(attempt({ name: 'env.ws_get_data', parameters: [rid + 1, ...results] })).toBe(2)
    expect(attempt({ name: 'env.ws_get_data', parameters: [rid, wild, 0] })).toBe(5)
  })

  it('takes new data', () => {
    expect(attempt({ name: 'env.ws_set_data', parameters: [5, ...pair('new')], text: 'new' })).toBe(0)
    expect(attempt({ name: 'env.ws_set_data', parameters: [5, wild, 16] })).toBe(5)
  })
})

describe('key-value store', () => {
  it('tells a missing value from an empty one', () => {
    const host = new RecordingHost()
    const name = 'env.ws_get_db'
    expect(attempt({ name, parameters: [...pair('key'), ...results], text: 'key', host })).toBe(2)
    host.values.set('key', new Uint8Array(0))
    expect(attempt({ name, parameters: [...pair('key'), ...results], text: 'key', host })).toBe(0)
    host.values.set('key', Buffer.from('value'))
    expect(attempt({ name, parameters: [...pair('key'), ...results], text: 'key', host })).toBe(0)
    expect(handedOver(host)).toEqual(['', 'value'])
    expect(attempt({ name, parameters: [wild, 16, ...results], host })).toBe(2)
    expect(attempt({ name, parameters: [...pair('key'), 0, wild], text: 'key', host })).toBe(5)
  })

  it('writes copies, and refuses keys that are not UTF-8', () => {
    const host = new RecordingHost()
    const name = 'env.ws_set_db'
    expect(attempt({ name, parameters: [textAt, 1, textAt + 1, 2], text: 'kvv', host })).toBe(0)
    expect(host.values).toEqual(new Map([['k', new Uint8Array(Buffer.from('vv'))]]))
    expect(attempt({ name, parameters: [textAt, 1, 0, 0], text: Uint8Array.of(0xff), host })).toBe(2)
    expect(attempt({ name, parameters: [textAt, 3, 0, 0], text: '\ufffd', host })).toBe(0)
    expect(attempt({ name, parameters: [textAt, 1, wild, 9], text: 'k', host })).toBe(2)
    host.error = new HostFault('Limit', 'full')
    expect(attempt({ name, parameters: [textAt, 1, 0, 0], text: 'k', host })).toBe(-1)
  })
})

describe('sql', () => {
  const request = '{"statement":"SELECT ?","params":[{"int64":9007199254740993}]}'

  it('passes the request on and returns rows', () => {
    const host = new RecordingHost()
    host.rows = { columns: [{ name: 'a', type: 'text' }], rows: [['x']], changes: 0 }
    expect(
      attempt({ name: 'env.ws_get_sql_db', parameters: [...pair(request), ...results], text: request, host }),
    ).toBe(0)
    expect(attempt({ name: 'env.ws_set_sql_db', parameters: pair(request), text: request, host })).toBe(0)
    const wanted = { statement: 'SELECT ?', params: [{ type: 'int64', value: 9007199254740993n }] }
    expect(host.statements).toEqual([wanted, wanted])
    expect(handedOver(host)).toEqual(['{"a":"x"}'])
  })

  it.each(['env.ws_set_sql_db', 'env.ws_get_sql_db'])('%s knows its failures', (name) => {
    const host = new RecordingHost()
    expect(attempt({ name, parameters: [wild, 16, ...results], host })).toBe(2)
    expect(attempt({ name, parameters: [...pair('{}'), ...results], text: '{}', host })).toBe(-1)
    host.error = new HostFault('Sql', 'no such table')
    expect(attempt({ name, parameters: [...pair(request), ...results], text: request, host })).toBe(-1)
    host.error = new HostFault('NoDatabase', 'no database')
    expect(attempt({ name, parameters: [...pair(request), ...results], text: request, host })).toBe(9)
  })
})

describe('chain', () => {
  const transaction = '{"to":"0x01","value":"1000","data":"A9","operatorName":"bob"}'
  const send = (host: RecordingHost, name: string, text = transaction) =>
    attempt({ name, parameters: [4690, ...pair(text), ...results], text, host })

  it('sends, with the operator where it is asked for', () => {
    const host = new RecordingHost()
    expect(send(host, 'env.ws_send_tx')).toBe(0)
    expect(send(host, 'env.ws_send_tx_with_operator')).toBe(0)
    const wanted = { chainId: 4690n, chainName: '', to: '0x01', value: 1000n, data: '0xa9', operatorName: '' }
    expect(host.transactions).toEqual([wanted, { ...wanted, operatorName: 'bob' }])
    expect(handedOver(host)).toEqual(Array<string>(2).fill(`0x${'ab'.repeat(32)}`))
  })

  it('fails with -1 whatever is wrong', () => {
    const host = new RecordingHost()
    expect(send(host, 'env.ws_send_tx', '{"to":"","value":"1"}')).toBe(-1)
    expect(send(host, 'env.ws_send_tx', 'null')).toBe(-1)
    const parameters = [1, ...pair(transaction), wild, out.size]
    expect(attempt({ name: 'env.ws_send_tx', parameters, text: transaction, host })).toBe(-1)
    expect(attempt({ name: 'env.ws_send_tx', parameters: [1, wild, 16, ...results], host })).toBe(-1)
    host.error = new HostFault('Chain', 'unreachable')
    expect(send(host, 'env.ws_send_tx')).toBe(-1)
    expect(send(host, 'env.ws_call_contract')).toBe(-1)
  })

  it('calls a contract and returns its bytes as they are', () => {
    const host = new RecordingHost()
    expect(send(host, 'env.ws_call_contract', '{"to":"0x02","data":"0xFF"}')).toBe(0)
    expect(host.contractCalls).toEqual([{ chainId: 4690n, to: '0x02', data: '0xff' }])
    expect(handedOver(host)).toEqual(['\x01\x02\x03'])
  })

  it('serves the oldest applets, whose calls name no chain', () => {
    const host = new RecordingHost()
    const text = '{"to":"0x02","value":"0","data":""}'
    expect(attempt({ name: 'env.ws_send_tx', parameters: pair(text), text, host, count: 2 })).toBe(0)
    expect(
      attempt({ name: 'env.ws_call_contract', parameters: [...pair(text), ...results], text, host, count: 4 }),
    ).toBe(0)
    expect(host.transactions[0]!.chainId).toBe(4690n)
    expect(host.contractCalls[0]!.chainId).toBe(4690n)
  })
})

describe('mqtt, publisher, api, environment, metrics', () => {
  it('publishes to an exact topic', () => {
    const host = new RecordingHost()
    const name = 'env.ws_send_mqtt_msg'
    expect(attempt({ name, parameters: [textAt, 3, textAt + 3, 2], text: 'a/bhi', host })).toBe(0)
    expect(host.published).toEqual([{ topic: 'a/b', payload: new Uint8Array(Buffer.from('hi')) }])
    for (const topic of ['', '#', 'a/+', 'a\0'])
      expect(attempt({ name, parameters: [...pair(topic), 0, 0], text: topic, host })).toBe(-1)
    expect(attempt({ name, parameters: [wild, 9, 0, 0], host })).toBe(-1)
  })

  it('hands over the message that caused the call', () => {
    const host = new RecordingHost()
    const parameters = [rid, out.address, out.size, out.address2, out.size2]
    expect(attempt({ name: 'env.ws_get_mqtt_msg', parameters, host })).toBe(2)
    host.message = { topic: 'a/b', payload: Buffer.from('hi') }
    expect(attempt({ name: 'env.ws_get_mqtt_msg', parameters, host })).toBe(0)
    expect(handedOver(host)).toEqual(['a/b', 'hi'])
    expect(attempt({ name: 'env.ws_get_mqtt_msg', parameters: [1, ...parameters.slice(1)], host })).toBe(2)
  })

  it('says which device sent the message, and whether it signed', () => {
    const host = new RecordingHost()
    const name = 'env.ws_get_publisher'
    const signed = (of: number) => attempt({ name: 'env.ws_is_signed', parameters: [of], host })
    expect(attempt({ name, parameters: [rid, ...results], host })).toBe(2)
    expect(signed(rid)).toBe(0)
    host.device = { key: 'väder-7', signed: false }
    expect(attempt({ name, parameters: [rid, ...results], host })).toBe(0)
    expect(signed(rid)).toBe(0)
    host.device = { key: 'anonymous', signed: true }
    expect(attempt({ name, parameters: [rid, ...results], host })).toBe(0)
    expect(signed(rid)).toBe(1)
    expect(handedOver(host)).toEqual(['väder-7', 'anonymous'])
    for (const other of [rid + 1, 0, -1]) {
      expect(attempt({ name, parameters: [other, ...results], host })).toBe(2)
      expect(signed(other)).toBe(0)
    }
    expect(attempt({ name, parameters: [rid, wild, out.size], host })).toBe(5)
    expect(attempt({ name, parameters: [rid, out.address, wild], host })).toBe(5)
  })

  it('has no device while the module is being initialised', () => {
    const wasm = assemble(`(module
      (import "env" "ws_get_publisher" (func $publisher (param i32 i32 i32) (result i32)))
      (import "env" "ws_is_signed" (func $signed (param i32) (result i32)))
      (memory (export "memory") 1)
      (global $answers (mut i32) (i32.const 0))
      ${bumpAlloc}
      (func (export "_initialize")
        (global.set $answers
          (i32.add
            (i32.mul (call $publisher (i32.const 1) (i32.const 16) (i32.const 20)) (i32.const 10))
            (call $signed (i32.const 1)))))
      (func (export "go") (param i32) (result i32) (global.get $answers)))`)
    const host = new RecordingHost()
    host.device = { key: 'd1', signed: true }
    const module = engine.load(engine.prepare(wasm), { mayBlock: false })
    expect(module.call(testCall('go', host))).toMatchObject({ type: 'returned', code: -10 })
  })

  it('passes API requests through', () => {
    const host = new RecordingHost()
    const name = 'env.ws_api_call'
    expect(attempt({ name, parameters: [...pair('{"a":1}'), ...results], text: '{"a":1}', host })).toBe(0)
    expect(handedOver(host)).toEqual(['{"a":1}'])
    expect(attempt({ name, parameters: [wild, 9, ...results], host })).toBe(6)
    expect(attempt({ name, parameters: [textAt, 1, wild, out.size], text: 'x', host })).toBe(5)
    host.error = new HostFault('Invalid', 'off')
    expect(attempt({ name, parameters: [textAt, 1, ...results], text: 'x', host })).toBe(7)
  })

  it('looks names up in the environment of the project', () => {
    const host = new RecordingHost()
    host.environment.set('KEY', 'värde')
    const name = 'env.ws_get_env'
    expect(attempt({ name, parameters: [...pair('KEY'), ...results], text: 'KEY', host })).toBe(0)
    expect(handedOver(host)).toEqual(['värde'])
    expect(attempt({ name, parameters: [...pair('NO'), ...results], text: 'NO', host })).toBe(8)
    expect(attempt({ name, parameters: [wild, 9, ...results], host })).toBe(8)
    expect(attempt({ name, parameters: [...pair('KEY'), wild, 0], text: 'KEY', host })).toBe(5)
  })

  it('takes metrics that are JSON and no array', () => {
    const host = new RecordingHost()
    const name = 'stat.ws_submit_metrics'
    for (const text of ['{"a":1}', '5', '"x"']) expect(attempt({ name, parameters: pair(text), text, host })).toBe(0)
    for (const text of ['[1]', '{', '']) expect(attempt({ name, parameters: pair(text), text, host })).toBe(-1)
    expect(attempt({ name, parameters: [wild, 9], host })).toBe(-1)
    expect(host.metrics).toEqual(['{"a":1}', '5', '"x"'])
  })
})

describe('log and AssemblyScript', () => {
  it('replaces what is not UTF-8, cuts long lines between characters, and passes any level', () => {
    const host = new RecordingHost()
    expect(
      attempt({ name: 'env.ws_log', parameters: [99, textAt, 3], text: Uint8Array.of(0x61, 0xff, 0x62), host }),
    ).toBe(0)
    const long = `${'x'.repeat(4095)}äy`
    expect(attempt({ name: 'env.ws_log', parameters: [4, ...pair(long)], text: long, host })).toBe(0)
    expect(attempt({ name: 'env.ws_log', parameters: [4, 0, 0], host })).toBe(0)
    expect(attempt({ name: 'env.ws_log', parameters: [4, wild, 9], host })).toBe(-1)
    expect(host.lines.slice(0, 3)).toEqual(['99 wasmCode a\ufffdb', `4 wasmCode ${'x'.repeat(4095)}`, '4 wasmCode '])
  })

  /** An object of AssemblyScript: class, length, then the bytes, at `textAt + 8`. */
  function object(classId: number, bytes: Buffer): Uint8Array {
    const header = Buffer.alloc(8)
    header.writeUInt32LE(classId)
    header.writeUInt32LE(bytes.length, 4)
    return Buffer.concat([header, bytes])
  }

  it('decodes what abort and trace are given', () => {
    const host = new RecordingHost()
    const at = textAt + 8
    const string = object(2, Buffer.from('böse', 'utf16le'))
    attempt({ name: 'env.abort', parameters: [at, at, 3, 4], text: string, host })
    attempt({ name: 'env.abort', parameters: [at, 0, 3, 4], text: object(1, Buffer.from('böse')), host })
    attempt({ name: 'env.trace', parameters: [at, 2, 1, 2.5, 3, 4, 5], text: string, host })
    attempt({ name: 'env.trace', parameters: [wild, 99, 1, 2, 3, 4, 5], host })
    expect(host.lines).toEqual([
      '2 wasmCode abort: böse at böse:3:4',
      '2 wasmCode abort: böse at (cannot decode text at 0):3:4',
      '4 wasmCode trace: böse [1, 2.5]',
      '4 wasmCode trace: (cannot decode text at 4294967288) [1, 2, 3, 4, 5]',
    ])
  })

  it('seeds from the call', () => {
    const module = caller(find('env.seed'), [], '')
    const draw = (seed: number) => module.call(testCall('go', new RecordingHost(), { seed }))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })
})

describe('any parameters whatever', () => {
  const edge = fc.constantFrom(0, 1, 4, 16, 20, 65_528, 65_532, 65_535, 65_536, -1, -4, -8, 2 ** 31 - 1, -(2 ** 31))
  const parameter = fc.oneof(
    edge,
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  )
  const all = [...hostTable.values()].flat()

  it.each(all.map((host) => [`${host.module}.${host.name}/${host.type.params.length}`, host] as const))(
    '%s neither throws nor writes outside of the memory',
    (_, host) => {
      const module = wildCaller(host)
      const context = new RecordingHost()
      context.message = { topic: 't', payload: Buffer.from('p') }
      context.device = { key: 'd', signed: true }
      fc.assert(
        fc.property(fc.array(parameter, { minLength: 9, maxLength: 9 }), (parameters) => {
          const payload = Buffer.alloc(36)
          for (const [n, value] of parameters.entries()) payload.writeInt32LE(value, n * 4)
          context.lines.length = 0
          const outcome = module.call(testCall('go', context, { payload }))
          expect(outcome).toEqual(expect.objectContaining({ type: expect.stringMatching(/^(returned|failed)$/) }))
        }),
        { numRuns: 100 },
      )
    },
  )

  /** Reads nine parameters from the payload and calls with them. */
  function wildCaller(host: HostFunction): LoadedModule {
    const { module, name, type } = host
    const same = module === 'env' && name === 'ws_get_data'
    const values = type.params
      .map((param, n) => {
        const address = `(i32.add (i32.load (i32.const 16)) (i32.const ${n * 4}))`
        if (param === 'f64') return `(f64.convert_i32_s (i32.load ${address}))`
        return param === 'i64' ? `(i64.load32_s ${address})` : `(i32.load ${address})`
      })
      .join(' ')
    const result = type.results.length === 0 ? '' : `(result ${type.results[0]})`
    const call = `(call $f ${values})`
    return engine.load(
      engine.prepare(
        assemble(`(module
          (import "${module}" "${name}" (func $f (param ${type.params.join(' ')}) ${result}))
          ${same ? '' : '(import "env" "ws_get_data" (func $data (param i32 i32 i32) (result i32)))'}
          (memory (export "memory") 1)
          ${bumpAlloc}
          (func (export "go") (param $rid i32) (result i32)
            (drop (call ${same ? '$f' : '$data'} (local.get $rid) (i32.const 16) (i32.const 20)))
            ${type.results.length === 0 ? call : `(drop ${call})`}
            (i32.const 0)))`),
      ),
      { mayBlock: false },
    )
  }
})
