import { decodeEffectBody, type EffectBody } from '@w3bstream/protocol'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SignedTransaction } from '../../chain/chain.ts'
import { compileApplet } from '../../engine/testing/compile-applet.ts'
import type { FlowOperator, FlowSink } from '../../project/flow.ts'
import { type TestProject, World, type WorldOptions } from '../testing/world.ts'
import { flowTimerType } from './limits.ts'
import { committedFlow } from './meta.ts'

const startMs = 1_700_000_040_000
const to = '0x1111111111111111111111111111111111111111'
const own = { publisherId: '', publisherKey: '' } as const
let wasm: Uint8Array
let world: World
let clockMs = startMs

beforeAll(async () => {
  wasm = await compileApplet(new URL('testing/assembly/operators.ts', import.meta.url))
}, 120_000)
afterEach(() => world.close())

const op = (opType: FlowOperator['opType'], wasmFunc: string): FlowOperator => ({ opType, wasmFunc })
const minute: FlowOperator = { opType: 'WINDOW', window: { kind: 'tumbling', latenessMs: 0 } }

async function open(operators: FlowOperator[], sink: FlowSink, options: WorldOptions = {}): Promise<TestProject> {
  clockMs = startMs
  world = await World.open({ now: () => clockMs, ...options })
  const project = await world.project()
  await project.deploy({})
  const module = { resourceId: '1', codeHash: await world.vfs.put(wasm), md5: '', fileName: '' }
  const strategies = [{ eventType: 'OUT', handler: 'start' }]
  await project.change({ op: 'applet.create', name: 'operators', ...module, strategies })
  const flow = { source: { strategies: ['A'] }, operators, sink }
  expect(await project.change({ op: 'flow.put', flow })).toMatchObject({ ok: true })
  return project
}

const event = (project: TestProject, text: string) => project.event(text, { eventType: 'A', timestampMs: clockMs })
const timer = (project: TestProject) => project.submit({ kind: 'timer', eventType: flowTimerType, ...own })

function effects(): EffectBody[] {
  return world.batches.flatMap((batch) => batch.effects.map(({ body }) => decodeEffectBody(body)))
}

/** Signs what it is asked to, and knows what it was given back. */
class Signer {
  readonly signed: SignedTransaction[] = []
  readonly released: Pick<SignedTransaction, 'nonce'>[] = []

  readonly services: WorldOptions['services'] = {
    sign: async ({ transaction }) => {
      const nonce = this.signed.length
      const signed: SignedTransaction = {
        chainId: transaction.chainId,
        chainName: '',
        hash: `0x${String(nonce).padStart(64, '0')}`,
        raw: '0x02',
        nonce,
        from: `0x${'22'.repeat(20)}`,
        to: transaction.to as SignedTransaction['to'],
        value: transaction.value,
        data: transaction.data as SignedTransaction['data'],
        operator: 'default',
        operatorId: '5',
      }
      this.signed.push(signed)
      return signed
    },
    release: (signed) => void this.released.push(signed),
  }
}

const chain = (value: string, data = '0x01{$payload}'): FlowSink => ({
  sinkType: 'BLOCKCHAIN',
  sinkInfo: { chainBlock: { chainID: 4690, to, value, data } },
})

describe('the chain sink', () => {
  it('makes an effect of each result, signed in the batch', async () => {
    const signer = new Signer()
    const project = await open([op('FLATMAP', 'words')], chain('7'), { services: signer.services })
    const receipt = await event(project, 'aa bb')
    expect(receipt).toMatchObject({ status: 'ok', effects: { count: 2 } })
    const fixed = { kind: 'transaction', chainId: 4690n, to, value: 7n, operator: 'default' }
    expect(effects()).toEqual(['0x01aa', '0x01bb'].map((data) => expect.objectContaining({ ...fixed, data })))
    expect(signer.released).toEqual([])
    const reader = await world.database.openReader(project.key)
    const { data } = await reader.outbox({ kind: 'transaction' })
    expect(data.map(({ local }) => JSON.parse(local).hash).toSorted()).toEqual(signer.signed.map(({ hash }) => hash))
    await reader.close()
  })

  it('gives back what was signed for a window of which a later group fails', async () => {
    const signer = new Signer()
    const pair: FlowOperator = { opType: 'WINDOW', window: { kind: 'count', count: 2 } }
    const steps = [pair, op('GROUP', 'itself'), op('REDUCE', 'join'), op('MAP', 'mayTrap')]
    const project = await open(steps, chain('0'), { services: signer.services })
    await event(project, 'trap')
    expect(await event(project, 'aa')).toMatchObject({ status: 'failed', effects: { count: 0 } })
    expect(signer.released).toEqual(signer.signed)
    expect(signer.signed).toMatchObject([{ data: '0x01aa' }])
    await event(project, 'bb')
    expect(await event(project, 'cc')).toMatchObject({ status: 'ok', effects: { count: 2 } })
    expect(signer.released).toHaveLength(1)
    expect(effects().map((body) => body.kind === 'transaction' && body.data)).toEqual(['0x01bb', '0x01cc'])
  })

  it('drops results that are more than the effects of one call, and keeps the others', async () => {
    const signer = new Signer()
    const project = await open([op('FLATMAP', 'words')], chain('0'), { services: signer.services })
    await project.change({ op: 'settings.put', settings: { limits: { effects: 2 } } })
    const receipt = await event(project, 'aa bb cc')
    expect(receipt).toMatchObject({ status: 'ok', effects: { count: 2 }, detail: '{"flow":{"late":0,"dropped":1}}' })
    expect(signer.signed).toHaveLength(2)
  })

  it('signs only what fits a word of the chain', async () => {
    const signer = new Signer()
    const project = await open([op('MAP', 'itself')], chain('{value}', '0x01'), { services: signer.services })
    const most = (2n ** 256n - 1n).toString()
    for (const value of ['1', most, (2n ** 256n).toString(), '-1', '1.5']) await event(project, `{"value":"${value}"}`)
    const logs = (await project.logs()).filter((line) => line.startsWith('the sink refuses'))
    expect(logs).toHaveLength(3)
    expect(signer.signed.map(({ value }) => value.toString())).toEqual(['1', most])
  })
})

describe('a worker that is killed while a window ends', () => {
  it('loses that window, and nothing else; the others of the same message are given out once', async () => {
    const sink: FlowSink = { sinkType: 'EVENT', sinkInfo: { event: { eventType: 'OUT' } } }
    const steps = [minute, op('GROUP', 'itself'), op('REDUCE', 'join'), op('MAP', 'loopOnStop')]
    const project = await open(steps, sink, { pool: { wallClockMs: () => 3000, patienceMs: 50 } })
    await project.change({ op: 'settings.put', settings: { limits: { fuel: 1e12 } } })
    for (const text of ['a', 'stop', 'z']) await event(project, text)
    clockMs += 60_000
    const receipt = await timer(project)
    expect(receipt).toMatchObject({
      status: 'failed',
      results: [{ handler: 'loopOnStop', code: -1, error: 'WALL_CLOCK' }],
      effects: { count: 2 },
    })
    const made = effects().map((body) => body.kind === 'event' && new TextDecoder().decode(body.payload))
    expect(made).toEqual(['a', 'z'])
    expect(await timer(project)).toMatchObject({ status: 'applied', results: [] })
    const reader = await world.database.openReader(project.key)
    expect(await committedFlow(reader)).toMatchObject({ windows: 0, bytes: 0 })
    await reader.close()
    expect(await event(project, 'next')).toMatchObject({ status: 'ok' })
  }, 60_000)
})
