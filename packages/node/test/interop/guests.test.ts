import { readFileSync } from 'node:fs'
import { type SimulationOptions, simulate } from '@w3bstream/applet-sdk/tool'
import { describe, expect, it } from 'vitest'
import { appletEngine } from '../../src/cli/applet-engine.ts'

/** The guests of other compilers on the engine: what `guests/README.md` says must be seen. */
const engine = appletEngine()
const address = `0x${'ab'.repeat(20)}`

async function load(name: string, options: SimulationOptions = {}) {
  const wasm = readFileSync(new URL(`guests/fixtures/${name}.wasm`, import.meta.url))
  const guest = await simulate(wasm, engine, options)
  return {
    guest,
    async run(handler: string, payload: string | Uint8Array = '', topic?: string) {
      const result = await guest.send({ handler, payload, ...(topic === undefined ? {} : { topic }) })
      const { outcome } = result
      const lines = result.logs.filter((line) => line.source === 'wasmCode').map((line) => line.message)
      return { ...result, lines, code: outcome.type === 'returned' ? outcome.code : outcome.error }
    },
  }
}

describe('Rust guests', () => {
  it('rust_log logs, refuses, traps after its line, and replaces its payload', async () => {
    const { run } = await load('rust_log')
    expect(await run('start', 'grüezi')).toMatchObject({ code: 0, lines: ['grüezi'] })
    expect(await run('refuse')).toMatchObject({ code: -7, logs: [{ level: 2, message: 'refused' }] })
    expect(await run('crash')).toMatchObject({ code: 'TRAP', lines: ['before the crash'] })
    expect(await run('replace', 'abc')).toMatchObject({ code: 0, lines: ['ABC'] })
  })

  it('rust_kv_sql keeps counts and rows, and sees exact codes for what is missing', async () => {
    const cols = [
      { name: 'f_word', constrains: { datatype: 'TEXT' } },
      { name: 'f_length', constrains: { datatype: 'INT32' } },
    ]
    const database = { schemas: [{ tables: [{ name: 't_words', cols }] }] }
    const { run, guest } = await load('rust_kv_sql', { database, env: { A: 'b' } })
    expect((await run('count_words', 'to be or not to be')).lines).toEqual([
      'to=1',
      'be=1',
      'or=1',
      'not=1',
      'to=2',
      'be=2',
    ])
    expect([...guest.host.kv.get('be')!]).toEqual([2, 0, 0, 0])
    expect((await run('store_words', 'one')).lines).toEqual(['{"f_length":3,"f_word":"one"}'])
    expect((await run('store_words', 'a')).lines).toEqual([
      '[{"f_length":1,"f_word":"a"},{"f_length":3,"f_word":"one"}]',
    ])
    const none = { statement: "SELECT f_word FROM t_words WHERE f_word = 'no'", params: [] }
    expect((await run('query', JSON.stringify(none))).lines).toEqual([''])
    expect((await run('query', '{}')).code).toBe(-1)
    expect((await run('read_key', 'missing')).code).toBe(-2)
    expect((await run('read_env', 'A')).lines).toEqual(['b'])
    expect((await run('read_env', 'B')).code).toBe(-8)
    expect((await (await load('rust_kv_sql')).run('store_words', 'a')).code).toBe(-9)
  })

  it('rust_tx reaches chains, MQTT, services and metrics', async () => {
    const { run } = await load('rust_tx', { reads: [{ to: address, returns: '0x01ff' }] })
    const sent = await run('send', `4690 ${address} 5 0x1234`)
    expect(sent.transactions).toMatchObject([{ chainId: 4690n, to: address, value: 5n, data: '0x1234' }])
    expect(sent.lines).toEqual([`sent ${sent.transactions[0]?.hash}`])
    const asOther = await run('send_as', `4690 ${address} 0 1234 second`)
    expect(asOther.transactions).toMatchObject([{ operatorName: 'second' }])
    expect((await run('send', '1 2')).code).toBe(-10)
    expect((await run('call', `1 ${address} 0x00`)).lines).toEqual(['returned 01ff'])
    expect((await run('call', `1 0x${'00'.repeat(20)} 0x00`)).code).toBe(-1)
    expect((await run('publish', 'a/b hello')).mqtt).toMatchObject([{ topic: 'a/b' }])
    expect((await run('read_mqtt', 'payload', 'from/topic')).lines).toEqual(['from/topic: payload'])
    expect((await run('read_mqtt', 'payload')).code).toBe(-2)
    expect((await run('hello', 'you')).apiCalls).toHaveLength(1)
    expect((await run('metrics', '{"a":1}')).metrics).toEqual(['{"a":1}'])
    expect((await run('metrics', '[1]')).code).toBe(-1)
  })

  it('rust_wasi has the standard library: JSON, clock, randomness, streams, exit', async () => {
    const { run, guest } = await load('rust_wasi', { startMs: Date.UTC(2026, 0, 1) })
    const readings = [3, 1, 2].map((value) => ({ name: 't', value }))
    const report = await run('handle_report', JSON.stringify({ device: 'd', readings }))
    expect(report.lines).toContain('d t: n=3 mean=2.000 median=2.000 deviation=0.816')
    expect(report.logs.map((line) => line.message)).toContain('1 quantities from d')
    expect(Buffer.from(guest.host.kv.get('summary:d')!).toString()).toBe('{"t":2.000}')
    expect((await run('handle_report', '{"device":')).code).toBe(-10)
    expect((await run('tell_time')).lines).toEqual([String(Date.UTC(2026, 0, 1) / 1000 + 2)])
    expect((await run('look_around')).lines).toEqual(['args=0 env=0 file=refused'])
    const printed = (await run('print')).logs.map((line) => line.message)
    expect(printed).toEqual(['first second', 'on the error stream'])
    expect((await run('draw')).lines).not.toEqual((await run('draw')).lines)
    expect(await run('leave')).toMatchObject({ code: 'EXIT', lines: ['leaving'] })
    expect((await run('crash')).code).toBe('TRAP')
    expect(report.logs.map((line) => line.message)).not.toContain('main ran')
  })
})

describe('C and Go guests', () => {
  it('c_sensor was initialised, keeps the highest, and sees fresh memory', async () => {
    const { run } = await load('c_sensor')
    expect((await run('was_initialised')).code).toBe(1)
    expect((await run('handle_reading', '{"temperature": 21.456}')).lines).toContain('temperature 21.46, highest 21.46')
    expect((await run('handle_reading', '{"temperature":1e1}')).lines).toContain('temperature 10.00, highest 21.46')
    expect((await run('handle_reading', '{}')).code).toBe(-1)
    for (let call = 0; call < 3; call++) expect((await run('count_calls')).code).toBe(1)
  })

  it('go_log has its runtime, goroutines included, and sees fresh memory', async () => {
    const { run } = await load('go_log')
    expect(await run('start', 'grüezi')).toMatchObject({ code: 0, lines: ['grüezi'] })
    expect((await run('read_words')).code).toBe(-2)
    expect((await run('count_words', 'one two three')).code).toBe(3)
    expect((await run('read_words')).lines).toEqual(['3'])
    for (let call = 0; call < 3; call++) expect((await run('count_calls')).code).toBe(1)
  })
})

describe('hostile guests', () => {
  it('bomb gets no more memory than the limit, and none of it later', async () => {
    const { run } = await load('bomb', { limits: { memoryPages: 64 } })
    const before = (await run('pages')).code
    expect((await run('measure')).code).toBeLessThanOrEqual(64)
    expect(typeof (await run('grow')).code).toBe('string')
    expect((await run('pages')).code).toBe(before)
  })

  it('recurse fails, in itself and through the host, and the next call works', async () => {
    const { run } = await load('recurse')
    expect((await run('recurse')).code).toBe('STACK_LIMIT')
    await run('reenter', 'x')
    expect((await run('recurse')).code).toBe('STACK_LIMIT')
  })

  it('logflood is cut', async () => {
    const { run } = await load('logflood', { limits: { logLines: 100, logLineBytes: 200 } })
    const many = await run('many')
    expect(many.code).toBe(0)
    expect(many.lines.slice(0, 100)).toEqual(
      Array.from({ length: 100 }, (_, n) => `line ${String(n).padStart(5, '0')}`),
    )
    expect(many.logs.length).toBeLessThan(110)
    expect((await run('long_line')).lines[0]!.length).toBeLessThanOrEqual(200)
    expect(await run('odd')).toMatchObject({ code: 0, lines: [expect.any(String), 'level', ''] })
  })

  it('badptr is refused by every host function', async () => {
    const { run } = await load('badptr', { database: {}, reads: [{ returns: '0x' }] })
    for (const handler of ['wild_inputs', 'wild_outputs', 'bad_json'])
      expect((await run(handler, 'x')).code, handler).toBe(0)
    expect((await run('foreign_rid', 'x')).code).toBe(2)
  })

  it('badalloc gets code 5', async () => {
    const { run } = await load('badalloc')
    expect((await run('alloc_outside', 'x')).code).toBe(5)
    expect((await run('alloc_traps', 'x')).code).toBe(5)
    expect(typeof (await run('alloc_calls_host', 'x')).code).toBe('number')
  })

  it('loop.pass ends', async () => {
    expect((await (await load('loop')).run('pass')).code).toBe(0)
  })
})
