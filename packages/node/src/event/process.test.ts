import {
  decodeCertificate,
  decodeReceipt,
  fromHex,
  toHex,
  verifyCertificate,
  verifyReceiptFile,
} from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ProjectReader } from '../database/database.ts'
import { assemble, bumpAlloc } from '../engine/testing/assemble.ts'
import { exportReceipt } from '../project/receipt-export.ts'
import type { DecidedBatch, ExecutedBatch, TimedBatch } from './executor/executor.ts'
import { type TestProject, World, type WorldOptions } from './testing/world.ts'

let world: World
afterEach(() => world.close())

async function open(guests: Record<string, Record<string, string>>, options: WorldOptions = {}): Promise<TestProject> {
  world = await World.open(options)
  const project = await world.project()
  await project.deploy(guests)
  return project
}

async function reading<T>(project: TestProject, read: (reader: ProjectReader) => T | Promise<T>): Promise<T> {
  const reader = await world.database.openReader(project.key)
  try {
    return await read(reader)
  } finally {
    await reader.close()
  }
}

/** What came of a batch, without what it cost. */
function withoutTime({ tookMs: _, ...executed }: TimedBatch): ExecutedBatch {
  return executed
}

// The memory backend answers readers of other instances nothing; what it shares with SQLite is tested by the digest below.
describe('processing', () => {
  it('runs the handlers of an event type, the default ones for others, and says when there is none', async () => {
    const project = await open({ rust_log: { DEFAULT: 'start', LOUD: 'replace' } })
    expect((await project.event('one')).results).toMatchObject([{ handler: 'start', code: 0, error: '' }])
    expect((await project.event('two', { eventType: 'LOUD' })).results).toMatchObject([{ handler: 'replace' }])
    expect((await project.event('three', { eventType: 'OTHER' })).results).toMatchObject([{ handler: 'start' }])
    expect(await project.logs()).toEqual(['one', 'TWO', 'three'])
    await project.change({ op: 'settings.put', settings: { defaultFallback: false } })
    expect(await project.event('four', { eventType: 'OTHER' })).toMatchObject({ status: 'unrouted', results: [] })
  })

  it('runs every strategy of an event, in the order of their creation', async () => {
    const project = await open({
      rust_log: { A: 'start' },
      go_log: { A: 'count_words' },
      c_sensor: { A: 'count_calls' },
    })
    const { results, status } = await project.event('a b c', { eventType: 'A' })
    expect(results.map(({ handler, code }) => [handler, code])).toEqual([
      ['start', 0],
      ['count_words', 3],
      ['count_calls', 1],
    ])
    expect(status).toBe('ok')
  })

  it('tells again what came of the last batch, whose effects are still to be carried out', async () => {
    const project = await open({ rust_kv_sql: { DEFAULT: 'count_words' } })
    const execute = vi.spyOn(world.executor, 'execute')
    // As from another thread, which turns buffers into plain bytes.
    const again = async (batch: DecidedBatch) => withoutTime(structuredClone(await world.executor.execute(batch)))
    await project.event('x y')
    await project.change({ op: 'env.put', env: [['a', 'b']] })
    const [[counted], [changed]] = execute.mock.calls as [[DecidedBatch], [DecidedBatch]]
    const first = world.batches.at(-1)!
    expect(await again(changed)).toEqual(withoutTime({ ...structuredClone(first), definitionChanges: 'unknown' }))
    await expect(world.executor.execute(counted)).rejects.toMatchObject({ code: 'BATCH_OUT_OF_ORDER' })
    await project.event('z')
    const last = execute.mock.calls.at(-1)![0]
    expect(await again(last)).toEqual(withoutTime(structuredClone(world.batches.at(-1)!)))
  })

  it('gives fresh memory to every call and keeps what was stored', async () => {
    const project = await open({ rust_kv_sql: { W: 'count_words' }, c_sensor: { C: 'count_calls' } })
    for (let i = 0; i < 3; i++)
      expect((await project.event('', { eventType: 'C' })).results[0]).toMatchObject({ code: 1 })
    for (let i = 0; i < 3; i++) await project.event('to be', { eventType: 'W' })
    expect((await project.logs()).slice(-2)).toEqual(['to=3', 'be=3'])
  })

  it('rolls a trapped handler back alone, and keeps its log lines and those who ran beside it', async () => {
    const project = await open({ rust_log: { X: 'crash' }, go_log: { X: 'count_words' } })
    const { results, status } = await project.event('a b', { eventType: 'X' })
    expect(status).toBe('failed')
    expect(results).toMatchObject([
      { code: -1, error: 'TRAP' },
      { code: 2, error: '' },
    ])
    const logs = await project.logs()
    expect(logs[0]).toBe('before the crash')
    expect(logs[1]).toMatch(/^crash failed: TRAP/)
  })

  it('keeps the writes of a negative return, unless the project wants them undone', async () => {
    const project = await open({ rust_kv_sql: { W: 'count_words', Q: 'query' } })
    const tables = [
      {
        name: 't_words',
        cols: ['f_word', 'f_length'].map((name, i) => ({ name, constrains: { datatype: i ? 'INT32' : 'TEXT' } })),
      },
    ]
    expect(
      await project.change({ op: 'database.put', database: { schemas: [{ schema: 'public', tables }] } }),
    ).toMatchObject({ ok: true })
    await project.event('a', { eventType: 'W' })
    expect(await project.event('not json', { eventType: 'Q' })).toMatchObject({
      status: 'ok',
      results: [{ code: expect.toSatisfy((c: number) => c < 0) }],
    })
  })

  it('undoes SQL and key-value writes of a failing handler', async () => {
    const project = await open({ rust_kv_sql: { W: 'count_words', S: 'store_words' } })
    expect((await project.event('a', { eventType: 'S' })).results[0]).toMatchObject({
      code: expect.toSatisfy((c: number) => c < 0),
    })
    const { data } = await reading(project, (reader) => reader.listKv({ size: -1 }))
    expect(data).toEqual([])
  })

  it('reports stopped instances and handlers that are not there', async () => {
    const project = await open({ rust_log: { DEFAULT: 'start', GONE: 'nope' } })
    expect((await project.event('', { eventType: 'GONE' })).results[0]).toMatchObject({
      code: -1,
      error: 'HANDLER_NOT_EXPORTED',
    })
    const rows = await reading(project, (reader) => reader.definition('instance'))
    const { instanceId } = JSON.parse(rows[0]!.value) as { instanceId: string }
    await project.change({ op: 'instance.state', instanceId, state: 'STOPPED' })
    expect((await project.event('')).results[0]).toMatchObject({ code: -1, error: 'INSTANCE_STOPPED' })
    await project.change({ op: 'instance.remove', instanceId })
    expect((await project.event('')).results[0]).toMatchObject({ code: -1, error: 'INSTANCE_MISSING' })
  })

  it('executes a repeated idempotency key once, in a batch, later, and per publisher', async () => {
    const project = await open({ rust_kv_sql: { DEFAULT: 'count_words' } })
    const once = { idempotencyKey: 'k' }
    const [a, b] = await Promise.all([project.event('word', once), project.event('word', once)])
    const c = await project.event('word', once)
    expect([a.status, b.status, c.status]).toEqual(['ok', 'duplicate', 'duplicate'])
    expect(b.results).toEqual(a.results)
    expect(c.results).toEqual(a.results)
    expect(JSON.parse(c.detail)).toEqual({ duplicateOf: toHex(a.messageId) })
    expect((await project.event('word', { ...once, publisherId: '78' })).status).toBe('ok')
    expect((await project.logs()).at(-1)).toBe('word=2')
  })

  it('tells a handler which device sent its message, and whether the device signed', async () => {
    const project = await open({})
    // Logs the key, returns the flag; without a device, the negated code of the host function.
    const wasm = assemble(`(module
      (import "env" "ws_get_publisher" (func $publisher (param i32 i32 i32) (result i32)))
      (import "env" "ws_is_signed" (func $signed (param i32) (result i32)))
      (import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      ${bumpAlloc}
      (func (export "who") (param $rid i32) (result i32)
        (local $code i32)
        (local.set $code (call $publisher (local.get $rid) (i32.const 16) (i32.const 20)))
        (if (local.get $code) (then (return (i32.sub (i32.const 0) (local.get $code)))))
        (drop (call $log (i32.const 4) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
        (call $signed (local.get $rid))))`)
    await project.change({
      op: 'applet.create',
      name: 'who',
      resourceId: '1',
      codeHash: await world.vfs.put(wasm),
      md5: '',
      fileName: '',
      strategies: [{ eventType: 'DEFAULT', handler: 'who' }],
    })
    const receipts = await Promise.all([
      project.event('', { publisherId: '77', publisherKey: 'd1' }),
      project.event('', {
        publisherId: '78',
        publisherKey: 'd2',
        origin: { type: 'signed', envelope: Uint8Array.of(1) },
      }),
      project.event('d1', { kind: 'timer', publisherId: '', publisherKey: '' }),
    ])
    expect(receipts.map(({ results }) => results[0]?.code)).toEqual([0, 1, -2])
    expect(await project.logs()).toEqual(['d1', 'd2'])
  })

  it('runs two events of one event id', async () => {
    const project = await open({ rust_kv_sql: { DEFAULT: 'count_words' } })
    await Promise.all([project.event('x', { eventId: 'same' }), project.event('x', { eventId: 'same' })])
    expect((await project.logs()).at(-1)).toBe('x=2')
  })

  it('cuts exactly at a change of the configuration, also within a batch', async () => {
    const project = await open({ rust_kv_sql: { DEFAULT: 'read_env' } })
    const change = (value: string) => project.change({ op: 'env.put', env: [['NAME', value]] })
    await Promise.all([
      change('1'),
      project.event('NAME'),
      change('2'),
      project.event('NAME'),
      change('3'),
      project.event('NAME'),
    ])
    expect(await project.logs()).toEqual(['1', '2', '3'])
  })

  it('refuses events of a paused project and takes them again', async () => {
    const project = await open({ rust_log: { DEFAULT: 'start' } })
    await project.change({ op: 'project.update', state: 'paused' })
    expect(await project.event('x')).toMatchObject({ status: 'refused', detail: 'ProjectPaused' })
    await project.change({ op: 'project.update', state: 'active' })
    expect(await project.event('x')).toMatchObject({ status: 'ok' })
  })

  it('writes down effects of a handler that succeeded, and gives the signatures of one that did not back', async () => {
    const release = vi.fn()
    const sign = vi.fn(() =>
      Promise.resolve({
        chainId: 4690n,
        chainName: 'iotex-testnet',
        hash: `0x${'ab'.repeat(32)}` as const,
        raw: '0x02' as const,
        nonce: 7,
        from: `0x${'11'.repeat(20)}` as const,
        to: `0x${'22'.repeat(20)}` as const,
        value: 5n,
        data: '0x' as const,
        operator: 'default',
        operatorId: '1',
      }),
    )
    const project = await open({ rust_tx: { SEND: 'send', PUB: 'publish' } }, { services: { sign, release } })
    const sent = await project.event(`4690 0x${'22'.repeat(20)} 5 0x`, { eventType: 'SEND' })
    expect(sent).toMatchObject({ status: 'ok', effects: { first: 0, count: 1 } })
    expect(await project.logs()).toContain(`sent 0x${'ab'.repeat(32)}`)
    await project.event('some/topic hello', { eventType: 'PUB' })
    const { data } = await reading(project, (reader) => reader.outbox({ size: -1 }))
    expect(data.map((row) => row.kind).sort()).toEqual(['mqtt', 'transaction'])
    expect(release).not.toHaveBeenCalled()
    await project.change({ op: 'settings.put', settings: { rollbackOnNegative: true } })
    sign.mockImplementationOnce(() => Promise.reject(new Error('the chain is away')))
    expect((await project.event(`4690 0x${'22'.repeat(20)} 5 0x`, { eventType: 'SEND' })).results[0]).toMatchObject({
      code: -1,
    })
    expect((await project.logs()).some((line) => line.includes('the chain is away'))).toBe(true)
  })

  it('gives receipts that hold up to a check by anybody, and none that was altered', async () => {
    const project = await open({ rust_log: { DEFAULT: 'start' } })
    const receipts = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => project.event(text)))
    const certified = () =>
      reading(project, async (reader) => ((await reader.batch(receipts[2]!.height))?.certificate.length ?? 0) > 0)
    await vi.waitUntil(certified, { timeout: 5000 })
    const file = await reading(project, (reader) => exportReceipt(reader, project.key, receipts[2]!.messageId))
    const trust = { members: [toHex(world.address)], quorum: 1 }
    expect(verifyReceiptFile(file, trust).filter((check) => !check.passed)).toEqual([])
    const stranger = { members: [`0x${'99'.repeat(20)}` as const], quorum: 1 }
    expect(verifyReceiptFile(file, stranger).find((check) => !check.passed)?.name).toBe('certificate')
    const altered = { ...file!, summary: { ...file!.summary, status: 'failed' } }
    expect(verifyReceiptFile(altered, trust).find((check) => !check.passed)?.name).toBe('summary')
    const { certificate } = file!
    expect(verifyCertificate(decodeCertificate(fromHex(certificate!)), [world.address], 1)).toBe(true)
  })

  it('continues where it stood', async () => {
    const project = await open({ rust_kv_sql: { DEFAULT: 'count_words' } })
    const first = await project.event('x')
    await world.executor.close(project.key)
    const again = await world.project(project.key)
    const second = await again.event('x')
    expect(second.height).toBe(first.height + 1n)
    expect((await again.logs()).at(-1)).toBe('x=2')
  })
})

describe('the same history', () => {
  it('gives the same digests on every backend, with the same clock', async () => {
    const run = async (database: 'sqlite' | 'memory') => {
      const here = await World.open({
        database,
        now: () => 1_700_000_000_000,
        pipeline: { batch: { messages: 1, bytes: 1e6 } },
      })
      world = here
      const project = await here.project(`0x${'77'.repeat(32)}`)
      await project.deploy({
        rust_kv_sql: { W: 'count_words', S: 'store_words' },
        rust_wasi: { D: 'draw', T: 'tell_time' },
      })
      const cols = [
        { name: 'f_word', constrains: { datatype: 'TEXT' } },
        { name: 'f_length', constrains: { datatype: 'INT32' } },
      ]
      await project.change({ op: 'database.put', database: { schemas: [{ tables: [{ name: 't_words', cols }] }] } })
      for (const [text, eventType] of [
        ['to be or', 'W'],
        ['not to', 'S'],
        ['', 'D'],
        ['', 'T'],
        ['be', 'W'],
      ] as const)
        await project.event(text, { eventType })
      const roots = here.batches.map((batch) => [batch.stateDigest, batch.receiptsRoot, batch.effectsRoot].map(toHex))
      const receipts = here.batches.map((batch) => decodeReceipt(batch.receipts).status)
      if (database === 'memory') return { roots, receipts }
      await here.close()
      return { roots, receipts }
    }
    const onSqlite = await run('sqlite')
    const inMemory = await run('memory')
    expect(inMemory).toEqual(onSqlite)
    expect(onSqlite.receipts.filter((status) => status === 'ok')).toHaveLength(5)
  })
})
