import type { ProjectKey } from '@w3bstream/protocol'
import fc from 'fast-check'
import { Counter, Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProjectReader } from '../../database/database.ts'
import { type TestProject, World } from '../testing/world.ts'
import { Traffic } from './traffic.ts'

const hourMs = 3_600_000
const start = Date.parse('2026-05-05T13:10:00Z')
const device = (n: number) => `${1000 + n}`

let world: World | undefined
let nowMs = start
let readers: ProjectReader[] = []
afterEach(async () => {
  for (const reader of readers) await reader.close()
  readers = []
  await world?.close()
  world = undefined
})

interface Door {
  readonly traffic: Traffic
  readonly refused: Counter<'project' | 'scope'>
  send(publisherId?: string): Promise<'ok' | 'refused'>
}

/** Limits at the door of a project, as a start of the node makes them. */
async function doorOf(project: TestProject): Promise<Door> {
  const refused = new Counter({
    name: 'refused',
    help: '-',
    labelNames: ['project', 'scope'],
    registers: [new Registry()],
  })
  const traffic = new Traffic({
    limited: () => [project.key],
    reader: async () => {
      const reader = await world!.database.openReader(project.key)
      readers.push(reader)
      return reader
    },
    projectName: () => 'demo',
    refused,
    now: () => nowMs,
  })
  await traffic.start()
  return {
    traffic,
    refused,
    send: (publisherId = device(0)) =>
      traffic
        .through(project.key, publisherId, () => project.submit({ publisherId, receivedMs: nowMs }))
        .then(
          () => 'ok',
          (error) => {
            expect(error).toMatchObject({ code: 'TrafficLimitExceeded', status: 429 })
            return 'refused'
          },
        ),
  }
}

async function open(): Promise<TestProject> {
  nowMs = start
  world = await World.open({ now: () => nowMs })
  const project = await world.project()
  await project.deploy({})
  return project
}

const eventLimit = { op: 'traffic.create', apiType: 'EVENT' } as const
const sendAll = async (door: Door, count: number, publisherId?: string) =>
  Promise.all(Array.from({ length: count }, () => door.send(publisherId)))
const okOf = (results: string[]) => results.filter((result) => result === 'ok').length

describe('traffic limits at the door', () => {
  it('let through what a period has, also when all come at once, and again in the next period', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 5, duration: '1h' })
    const door = await doorOf(project)
    expect(okOf(await sendAll(door, 20))).toBe(5)
    expect((await door.refused.get()).values).toMatchObject([
      { value: 15, labels: { project: 'demo', scope: 'PROJECT' } },
    ])
    nowMs = Date.parse('2026-05-05T13:59:59.999Z')
    expect(await door.send()).toBe('refused')
    nowMs = Date.parse('2026-05-05T14:00:00Z')
    expect(okOf(await sendAll(door, 20))).toBe(5)
  })

  it('say when to come back', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 0, duration: '1h' })
    const { traffic } = await doorOf(project)
    await expect(traffic.through(project.key, '1', () => Promise.resolve())).rejects.toMatchObject({
      fault: { retryAfterMs: 50 * 60_000 },
    })
  })

  it('know after a restart what was used, of the project and of each device', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 10, duration: '24h' })
    await project.change({ ...eventLimit, threshold: 4, duration: '1h', scope: 'DEVICE' })
    const before = await doorOf(project)
    expect(okOf(await sendAll(before, 6, device(1)))).toBe(4)
    expect(okOf(await sendAll(before, 3, device(2)))).toBe(3)
    const after = await doorOf(project)
    expect(okOf(await sendAll(after, 3, device(1)))).toBe(0)
    expect(okOf(await sendAll(after, 3, device(2)))).toBe(1)
    expect(okOf(await sendAll(after, 9, device(3)))).toBe(2)
    nowMs += hourMs
    expect(okOf(await sendAll(after, 3, device(1)))).toBe(0)
    nowMs = Date.parse('2026-05-06T00:00:00Z')
    expect(okOf(await sendAll(after, 9, device(1)))).toBe(4)
  })

  it('count from their creation on, and keep what was used when they change', async () => {
    const project = await open()
    const free = await doorOf(project)
    expect(okOf(await sendAll(free, 3))).toBe(3)
    nowMs += 1000
    const created = await project.change({ ...eventLimit, threshold: 2, duration: '1h' })
    const door = await doorOf(project)
    expect(okOf(await sendAll(door, 5))).toBe(2)
    const trafficLimitId = created.ok ? created.id! : ''
    await project.change({ op: 'traffic.update', trafficLimitId, threshold: 6 })
    door.traffic.follow(project.key, 'unknown')
    expect(okOf(await sendAll(door, 9))).toBe(4)
    await project.change({ op: 'traffic.remove', trafficLimitId })
    door.traffic.follow(project.key, [{ kind: 'trafficLimit', id: trafficLimitId, value: null }])
    expect(okOf(await sendAll(door, 9))).toBe(9)
  })

  it('do not count what was not committed', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 2, duration: '1h' })
    const { traffic, send } = await doorOf(project)
    for (let i = 0; i < 5; i++)
      await expect(traffic.through(project.key, '1', () => Promise.reject(new Error('full')))).rejects.toThrow('full')
    expect([await send(), await send(), await send()]).toEqual(['ok', 'ok', 'refused'])
  })

  it('count answers that an applet waits for, but do not hold them up', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 3, duration: '1h' })
    const { traffic, send } = await doorOf(project)
    expect(await send()).toBe('ok')
    for (let i = 0; i < 5; i++) traffic.note(project.key)
    expect(await send()).toBe('refused')
  })

  it('begin no new period when the clock is put back', async () => {
    const project = await open()
    await project.change({ ...eventLimit, threshold: 2, duration: '1m' })
    nowMs += 60_000
    const door = await doorOf(project)
    expect(okOf(await sendAll(door, 5))).toBe(2)
    nowMs -= 90_000
    expect(okOf(await sendAll(door, 5))).toBe(0)
  })

  it('never let more through than they say, whatever happens to the node', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('send', 'send', 'burst', 'restart', 'reload'), { maxLength: 12 }),
        async (steps) => {
          const project = await open()
          await project.change({ ...eventLimit, threshold: 7, duration: '1h' })
          let door = await doorOf(project)
          const results: Promise<string>[] = []
          for (const step of steps) {
            if (step === 'send') results.push(door.send())
            else if (step === 'burst') results.push(...Array.from({ length: 4 }, () => door.send()))
            else if (step === 'reload') door.traffic.follow(project.key, 'unknown')
            else {
              await Promise.all(results)
              door = await doorOf(project)
            }
          }
          const sent = await Promise.all(results)
          expect(okOf(sent)).toBeLessThanOrEqual(7)
          for (const reader of readers.splice(0)) await reader.close()
          await world?.close()
          world = undefined
        },
      ),
      { numRuns: 15 },
    )
  })
})

it('projects without limits are not looked at', async () => {
  const traffic = new Traffic({
    limited: () => [],
    reader: () => Promise.reject(new Error('no store is to be opened')),
    projectName: () => '',
    refused: new Counter({ name: 'none', help: '-', labelNames: ['project', 'scope'], registers: [new Registry()] }),
    now: Date.now,
  })
  await traffic.start()
  const project: ProjectKey = `0x${'00'.repeat(32)}`
  await expect(traffic.through(project, '1', () => Promise.resolve('done'))).resolves.toBe('done')
})
