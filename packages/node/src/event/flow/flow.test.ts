import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEffectBody, type EffectBody } from '@w3bstream/protocol'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { DatabaseSchema } from '../../database/database.ts'
import { openSqliteDatabase } from '../../database/sqlite/sqlite-database.ts'
import { createEngine } from '../../engine/index.ts'
import { compileApplet } from '../../engine/testing/compile-applet.ts'
import type { Flow, FlowOperator, FlowSink } from '../../project/flow.ts'
import { LiveModules } from '../live-modules.ts'
import { replay } from '../replay/replay.ts'
import { type TestProject, World, type WorldOptions } from '../testing/world.ts'
import { flowTimerType } from './limits.ts'
import { committedFlow } from './meta.ts'

const startMs = 1_700_000_000_000
const own = { publisherId: '', publisherKey: '' } as const
let wasm: Uint8Array
let world: World
let clockMs = startMs

beforeAll(async () => {
  wasm = await compileApplet(new URL('testing/assembly/operators.ts', import.meta.url))
}, 120_000)
afterEach(() => world.close())

const readings: DatabaseSchema = {
  schemas: [
    {
      schema: 'public',
      tables: [
        {
          name: 't_sums',
          cols: [
            { name: 'device', constrains: { datatype: 'TEXT' } },
            { name: 'sum', constrains: { datatype: 'INT64' } },
            { name: 'n', constrains: { datatype: 'INT32', null: true } },
            { name: 'ended', constrains: { datatype: 'TIMESTAMP', null: true } },
          ],
        },
      ],
    },
  ],
}

const op = (opType: FlowOperator['opType'], wasmFunc: string): FlowOperator => ({ opType, wasmFunc })
const minute: FlowOperator = { opType: 'WINDOW', window: { kind: 'tumbling', sizeMs: 60_000, latenessMs: 1000 } }
const sums = [op('FILTER', 'hasValue'), op('MAP', 'tenfold'), minute, op('GROUP', 'byDevice'), op('REDUCE', 'sum')]
const intoTable: FlowSink = {
  sinkType: 'RMDB',
  sinkInfo: {
    DBInfo: { table: 't_sums', columns: ['device', 'sum', 'n', { name: 'ended', field: '$end' }] },
  },
}

async function open(flow: Flow, options: WorldOptions = {}): Promise<TestProject> {
  clockMs = startMs
  world = await World.open({ now: () => clockMs, ...options })
  return deploy(flow)
}

/** A project with the applet and the flow, in the world there is. */
async function deploy(flow: Flow): Promise<TestProject> {
  const project = await world.project()
  await project.deploy({})
  const codeHash = await world.vfs.put(wasm)
  const fixed = { resourceId: '1', md5: '', fileName: '' }
  await project.change({
    op: 'applet.create',
    name: 'operators',
    codeHash,
    strategies: [{ eventType: 'OUT', handler: 'start' }],
    ...fixed,
  })
  expect(await project.change({ op: 'database.put', database: readings })).toMatchObject({ ok: true })
  expect(await project.change({ op: 'flow.put', flow })).toMatchObject({ ok: true })
  return project
}

function at(ms: number): void {
  clockMs = startMs + ms
}

const reading = (project: TestProject, device: string, value: number, ms: number) =>
  project.event(JSON.stringify({ value }), {
    eventType: 'A',
    publisherKey: device,
    timestampMs: startMs + ms,
  })

const timer = (project: TestProject) => project.submit({ kind: 'timer', eventType: flowTimerType, ...own })

async function rows(project: TestProject): Promise<unknown[]> {
  const reader = await world.database.openReader(project.key)
  const statement = 'SELECT device, sum, n, ended FROM t_sums ORDER BY ended, device'
  const result = await reader.query({ statement, params: [] }, { rows: 100, bytes: 10_000 })
  await reader.close()
  return result.rows.map((row) => row.map(String))
}

function effects(): EffectBody[] {
  return world.batches.flatMap((batch) => batch.effects.map(({ body }) => decodeEffectBody(body)))
}

const flowOf = (operators: FlowOperator[], sink: FlowSink): Flow => ({ source: { strategies: ['A'] }, operators, sink })

describe('a flow', () => {
  it('filters, maps, groups and reduces events by the minute into a table', async () => {
    const project = await open(flowOf(sums, intoTable))
    const first = await reading(project, 'd1', 1, 1000)
    expect(first.status).toBe('ok')
    expect(first.results.map(({ handler, code, error }) => [handler, code, error])).toEqual([
      ['hasValue', 0, ''],
      ['tenfold', 0, ''],
      ['byDevice', 0, ''],
      ['sum', 0, ''],
    ])
    await reading(project, 'd2', 5, 2000)
    await reading(project, 'd1', 2, 39_999)
    await project.event('{}', { eventType: 'A' })
    at(41_000)
    // The window is that of the clock: 1,700,000,000 s are 20 s into a minute.
    await reading(project, 'd1', 100, 40_000)
    const end = String(startMs + 40_000)
    expect(await rows(project)).toEqual([
      ['d1', '30', '2', end],
      ['d2', '50', '1', end],
    ])
    expect(world.batches.at(-1)!.flowWakeMs).toBe(startMs + 101_000)
    at(101_000)
    expect(await timer(project)).toMatchObject({ status: 'applied', results: [] })
    expect(world.batches.at(-1)!.flowWakeMs).toBeNull()
    expect(await rows(project)).toHaveLength(3)
    expect(await timer(project)).toMatchObject({ status: 'applied' })
    expect(await rows(project)).toHaveLength(3)
  })

  it('takes its event types from the strategies, and leaves them the others', async () => {
    const project = await open(flowOf([op('MAP', 'otherRid')], { sinkType: '' }))
    await project.change({ op: 'settings.put', settings: { defaultFallback: false } })
    expect(await project.event('x', { eventType: 'A' })).toMatchObject({ results: [{ handler: 'otherRid', code: 0 }] })
    expect(await project.event('x', { eventType: 'OUT' })).toMatchObject({ results: [{ handler: 'start', code: 0 }] })
    expect(await project.event('x', { eventType: 'B' })).toMatchObject({ status: 'unrouted' })
  })

  it('continues in the middle of a window after a restart, with the same state digest as without one', async () => {
    const digests: string[] = []
    for (const restart of [false, true]) {
      const project = await open(flowOf(sums, intoTable))
      await reading(project, 'd1', 1, 1000)
      let current = project
      if (restart) {
        await world.executor.close(project.key)
        current = await world.project(project.key)
        const reader = await world.database.openReader(project.key)
        expect(await committedFlow(reader)).toMatchObject({ windows: 1, dueMs: startMs + 41_000 })
        await reader.close()
      }
      await reading(current, 'd1', 2, 2000)
      at(50_000)
      await timer(current)
      digests.push(JSON.stringify(await rows(current)))
      await world.close()
    }
    expect(digests[0]).toBe(digests[1])
    expect(digests[0]).toContain('"30"')
    world = await World.open()
  })

  it('is replayed from its messages to the same bytes', async () => {
    const project = await open(flowOf(sums, intoTable))
    for (let i = 0; i < 30; i++) {
      at(i * 4000)
      await Promise.all([reading(project, 'd1', i, i * 4000), reading(project, 'd2', i, i * 3000), timer(project)])
    }
    await project.change({ op: 'flow.put', flow: flowOf([op('MAP', 'otherRid')], eventSink) })
    await timer(project)
    const scratch = await mkdtemp(join(tmpdir(), 'w3b-flow-'))
    const differences: unknown[] = []
    const summary = await replay(
      project.key,
      {},
      {
        database: world.database,
        snapshots: { nearest: async () => undefined, restore: () => Promise.reject(new Error('none')) },
        scratch: openSqliteDatabase({ directory: scratch, durable: false }),
        modules: new LiveModules(createEngine(), world.vfs, { liveModules: 4, blocking: new Set(['chain', 'api']) }),
        onDifference: (difference) => differences.push(difference),
      },
    )
    await rm(scratch, { recursive: true, force: true })
    expect(differences).toEqual([])
    expect(summary).toMatchObject({ stateCompared: true })
    expect(summary.messages).toBeGreaterThan(90)
  })

  it('counts late events, tells them in the receipt and the log', async () => {
    const project = await open(flowOf(sums, intoTable))
    at(50_000)
    const receipt = await reading(project, 'd1', 1, 1000)
    expect(receipt).toMatchObject({ status: 'ok', detail: '{"flow":{"late":1,"dropped":0}}' })
    expect((await project.logs()).at(-1)).toBe('an element is dropped: its windows are closed')
    const reader = await world.database.openReader(project.key)
    expect(await committedFlow(reader)).toMatchObject({ late: 1, windows: 0 })
    await reader.close()
  })

  it('undoes what belongs to a trap, keeps the log, and tells it in the receipt', async () => {
    const project = await open(flowOf([op('FLATMAP', 'words'), op('MAP', 'mayTrap'), op('MAP', 'seen')], eventSink))
    await project.event('good', { eventType: 'A' })
    const failed = await project.event('better trap worse', { eventType: 'A' })
    expect(failed).toMatchObject({ status: 'failed', effects: { count: 0 } })
    expect(failed.results.at(-1)).toMatchObject({ handler: 'mayTrap', code: -1, error: 'TRAP' })
    expect(await project.logs()).toEqual(expect.arrayContaining(['saw better', 'saw trap']))
    await project.change({ op: 'flow.put', flow: flowOf([op('MAP', 'seen')], eventSink) })
    await project.event('?', { eventType: 'A' })
    const told = effects().map((body) => body.kind === 'event' && new TextDecoder().decode(body.payload))
    expect(told).toEqual(['good', 'good'])
  })

  it('drops what an operator answers with another resource than it made', async () => {
    const project = await open(flowOf([op('MAP', 'wrongRid')], eventSink))
    expect(await project.event('x', { eventType: 'A' })).toMatchObject({ status: 'ok', results: [{ code: 0 }] })
    expect(effects()).toEqual([])
    expect((await project.logs()).at(-1)).toMatch(/^wrongRid returned \d+, which is no resource/)
  })

  it('names in the receipt an operator that the applet lacks', async () => {
    const project = await open(flowOf([op('MAP', 'missing')], eventSink))
    expect(await project.event('x', { eventType: 'A' })).toMatchObject({
      status: 'failed',
      results: [{ handler: 'missing', error: 'HANDLER_NOT_EXPORTED', code: -1 }],
    })
  })

  it('does not run while its instance is stopped, and goes on with what it kept', async () => {
    const project = await open(flowOf(sums, intoTable))
    await reading(project, 'd1', 1, 1000)
    const reader = await world.database.openReader(project.key)
    const instance = JSON.parse((await reader.definition('instance'))[0]!.value) as { instanceId: string }
    await reader.close()
    await project.change({ op: 'instance.state', instanceId: instance.instanceId, state: 'STOPPED' })
    expect(await reading(project, 'd1', 1, 1000)).toMatchObject({
      status: 'failed',
      results: [{ error: 'INSTANCE_STOPPED' }],
    })
    at(50_000)
    await timer(project)
    expect(world.batches.at(-1)!.flowWakeMs).toBeNull()
    await project.change({ op: 'instance.state', instanceId: instance.instanceId, state: 'STARTED' })
    expect(world.batches.at(-1)!.flowWakeMs).toBe(clockMs)
    await timer(project)
    expect(await rows(project)).toHaveLength(1)
  })

  it('is refused with every mistake, and stays as it was', async () => {
    const project = await open(flowOf(sums, intoTable))
    const wrong: Flow = {
      source: { strategies: ['A', 'A'] },
      operators: [op('REDUCE', 'sum'), { opType: 'MAP' }, { opType: 'WINDOW', window: { kind: 'sliding', sizeMs: 5 } }],
      sink: { sinkType: 'RMDB', sinkInfo: { DBInfo: { endpoint: 'postgres://x', table: 'no', columns: ['a'] } } },
    }
    expect(await project.change({ op: 'flow.put', flow: wrong })).toEqual({
      ok: false,
      code: 'InvalidFlow',
      desc: [
        'source.strategies[1]: "A" stands there twice',
        'operators[0]: REDUCE has nothing to end it: a WINDOW must stand before it',
        'operators[1].wasmFunc: MAP names no function',
        'operators[2].window.everyMs: is missing: a sliding window wants it',
        'sink.sinkInfo.DBInfo.endpoint: a flow writes to tables of its project; leave the address of another database out',
        'sink.sinkInfo.DBInfo.table: the project has no table "no"',
      ].join('; '),
    })
    expect(await reading(project, 'd1', 1, 1000)).toMatchObject({ results: [{}, {}, {}, {}] })
  })
})

const eventSink: FlowSink = { sinkType: 'EVENT', sinkInfo: { event: { eventType: 'OUT' } } }

describe('sinks', () => {
  it('make an event, which goes to strategies and never into the flow again', async () => {
    const project = await open(flowOf([op('MAP', 'otherRid')], eventSink))
    const { effects: made } = await project.event('x', { eventType: 'A' })
    expect(made.count).toBe(1)
    expect(effects()).toMatchObject([{ kind: 'event', eventType: 'OUT' }])
    const answer = { kind: 'answer', ...own, idempotencyKey: `flow:0x${'ab'.repeat(32)}` } as const
    expect(await project.event('other', { eventType: 'OUT', ...answer })).toMatchObject({
      results: [{ handler: 'start' }],
    })
    const inside = { ...answer, idempotencyKey: `flow:0x${'cd'.repeat(32)}` }
    expect(await project.event('loop', { eventType: 'A', ...inside })).toMatchObject({ status: 'applied', results: [] })
  })

  it('publish by MQTT, on a topic that no field can change the levels of', async () => {
    const sink: FlowSink = { sinkType: 'MQTT', sinkInfo: { mqtt: { topic: 'means/{device}' } } }
    const project = await open(flowOf([op('MAP', 'tenfold')], sink))
    for (const device of ['d1', 'a/b', '+']) await reading(project, device, 1, 0)
    expect(effects().map((body) => body.kind === 'mqtt' && body.topic)).toEqual(['means/d1'])
    expect((await project.logs()).at(-1)).toBe(
      'the sink refuses a result: field "device" is "+", which is no level of a topic',
    )
  })

  it('call a contract with arguments from the result', async () => {
    const sink: FlowSink = {
      sinkType: 'BLOCKCHAIN',
      sinkInfo: {
        chainBlock: {
          chainID: 4690,
          to: `0x${'11'.repeat(20)}`,
          function: 'function report(string device, uint256 value)',
          args: ['{device}', '{value}'],
        },
      },
    }
    const asked: { to: string; data: string }[] = []
    const services: WorldOptions['services'] = {
      sign: async ({ transaction }) => {
        asked.push(transaction)
        throw new Error('no chain here')
      },
    }
    const project = await open(flowOf([op('MAP', 'tenfold')], sink), { services })
    await reading(project, 'd1', 4, 0)
    expect(asked).toMatchObject([{ to: `0x${'11'.repeat(20)}`, value: 0n, chainId: 4690n }])
    expect(asked[0]!.data).toMatch(/^0x[0-9a-f]{8}/)
    expect(asked[0]!.data).toContain('28'.padStart(64, '0'))
    expect((await project.logs()).at(-1)).toBe('the sink refuses a result: no chain here')
  })

  it('drop a result that its table does not take, and keep the others', async () => {
    const sink: FlowSink = { sinkType: 'RMDB', sinkInfo: { DBInfo: { table: 't_sums', columns: ['device', 'sum'] } } }
    const project = await open(flowOf([op('FLATMAP', 'words')], sink))
    await project.event(
      '{"device":"a","sum":1} {"device":"b","sum":"x"} {"sum":2} [] nonsense'.replaceAll('"', '\\"'),
      {
        eventType: 'A',
      },
    )
    expect(await rows(project)).toEqual([['a', '1', 'null', 'null']])
    const logs = await project.logs()
    expect(logs).toEqual(
      expect.arrayContaining([
        'the sink refuses a result: column "sum" wants a whole number, not x',
        'the sink refuses a result: the payload is not JSON',
      ]),
    )
    expect(logs.filter((line) => line.startsWith('the sink refuses'))).toHaveLength(4)
  })
})

describe('an operator that does not end', () => {
  it('uses up its fuel; the project goes on', async () => {
    const project = await open(flowOf([op('MAP', 'loop')], eventSink))
    await project.change({ op: 'settings.put', settings: { limits: { fuel: 10_000_000 } } })
    const receipt = await project.event('x', { eventType: 'A' })
    expect(receipt).toMatchObject({ status: 'failed', results: [{ handler: 'loop', error: 'FUEL_LIMIT' }] })
    expect(await project.event('x', { eventType: 'OUT' })).toMatchObject({ status: 'ok' })
  })
})
