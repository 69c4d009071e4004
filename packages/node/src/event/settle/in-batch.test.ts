import { toHex } from '@w3bstream/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import type { OutboxRow } from '../../database/database.ts'
import { type TestProject, World } from '../testing/world.ts'
import { answerMessage } from './answer-message.ts'

let world: World
afterEach(() => world.close())

async function open(...options: Parameters<typeof World.open>): Promise<TestProject> {
  world = await World.open(...options)
  return world.project()
}

async function outbox({ key }: TestProject): Promise<readonly OutboxRow[]> {
  const reader = await world.database.openReader(key)
  const { data } = await reader.outbox({ size: -1 })
  await reader.close()
  return data
}

describe('an answer', () => {
  it('settles its effect in its own batch, and is executed once', async () => {
    const project = await open()
    await project.deploy({ rust_tx: { HELLO: 'hello' }, rust_log: { result: 'start' } })
    await project.event('you', { eventType: 'HELLO' })
    const [asked] = await outbox(project)
    expect(asked).toMatchObject({ kind: 'api', state: 'INIT' })
    const answer = () => answerMessage(asked!.id, 'result', new TextEncoder().encode('the answer'), 5)
    expect(await project.submit(answer())).toMatchObject({ status: 'ok', results: [{ handler: 'start' }] })
    expect(await outbox(project)).toMatchObject([{ state: 'CONFIRMED' }])
    expect(await project.submit(answer())).toMatchObject({ status: 'duplicate' })
    expect((await project.logs()).filter((line) => line === 'the answer')).toHaveLength(1)
  })

  it('that comes to nothing executed leaves its effect open', async () => {
    const project = await open()
    const id = new Uint8Array(32).fill(1)
    expect(await project.submit(answerMessage(id, 'result', new Uint8Array(0), 5))).toMatchObject({ status: 'refused' })
  })

  it('of somebody who made up its key settles nothing', async () => {
    const project = await open()
    await project.deploy({ rust_tx: { HELLO: 'hello' } })
    await project.event('you', { eventType: 'HELLO' })
    const [asked] = await outbox(project)
    for (const idempotencyKey of ['effect:0x', `effect:${toHex(asked!.id).toUpperCase()}`, 'effect:'])
      await project.submit({ kind: 'answer', eventType: 'result', idempotencyKey })
    await project.submit({ kind: 'data', eventType: 'result', idempotencyKey: `effect:${toHex(asked!.id)}` })
    expect(await outbox(project)).toMatchObject([{ state: 'INIT' }])
  })
})

describe('positions', () => {
  const route = { appletId: '', eventType: 'AT', handler: 'start', autoCollectMetric: true }

  async function collecting(handler = 'start'): Promise<TestProject> {
    const project = await open()
    await project.deploy({ rust_log: {} })
    const reader = await world.database.openReader(project.key)
    const [applet] = await reader.definition('applet')
    await reader.close()
    const { appletId } = JSON.parse(applet!.value) as { appletId: string }
    await project.change({ op: 'strategy.create', ...route, appletId, handler })
    return project
  }
  const collected = async (project: TestProject) =>
    (await outbox(project)).map(({ kind, body }) => [kind, new TextDecoder().decode(body.subarray(2))])

  it('are effects of the events that tell them, whatever the handler does', async () => {
    const project = await collecting('crash')
    const receipt = await project.event('{"lat":1.5,"longitude":-2,"x":1}', { eventType: 'AT' })
    expect(receipt).toMatchObject({ status: 'failed', effects: { first: 0, count: 1 } })
    expect(await collected(project)).toEqual([['metric', '{"latitude":1.5,"longitude":-2}']])
  })

  it.each(['', 'x', '[1,2]', 'null', '{"lat":1}', '{"lat":"1","long":"2"}', '{"lat":1e999,"long":2}'])(
    'are none in %j',
    async (payload) => {
      const project = await collecting()
      await project.event(payload, { eventType: 'AT' })
      expect(await collected(project)).toEqual([])
    },
  )

  it('are collected from devices, by routes that say so', async () => {
    const project = await collecting()
    await project.change({ op: 'settings.put', settings: { defaultFallback: false } })
    await project.event('{"lat":1,"long":2}', { eventType: 'OTHER' })
    await project.event('{"lat":1,"long":2}', { eventType: 'AT', kind: 'answer' })
    expect(await collected(project)).toEqual([])
  })
})
