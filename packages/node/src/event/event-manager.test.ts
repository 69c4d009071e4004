import { randomBytes } from 'node:crypto'
import { type ProjectKey, toHex } from '@w3bstream/protocol'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../../test/support/until.ts'
import { ApiError } from '../endpoint/api-error.ts'
import { EventManager, type EventManagerOptions } from './event-manager.ts'
import { World } from './testing/world.ts'

let world: World
let manager: EventManager
afterEach(async () => {
  await manager.stop()
  await world.close()
})

const unfinished = new Map<ProjectKey, boolean>()

async function open(options: Partial<EventManagerOptions> = {}, onOpen = (_: ProjectKey) => Promise.resolve()) {
  world = await World.open({ pool: { workers: 2 } })
  unfinished.clear()
  manager = new EventManager(
    {
      mailbox: { messages: 1000, bytes: 1e8 },
      batch: { messages: 100, bytes: 1e7 },
      batchWaitMs: 0,
      turnMs: 50,
      openProjects: 256,
      idleProjectMs: 60_000,
      ...options,
    },
    {
      ...world.pipelineDeps(),
      executor: world.executor,
      onOpen,
      onCommitted() {},
      onClosed: (key, left) => unfinished.set(key, left),
    },
  )
  await manager.start()
}

const newKey = () => toHex(randomBytes(32))

/** Event ids of a project's history, in its order. */
async function history(key: ProjectKey): Promise<string[]> {
  const reader = await world.database.openReader(key)
  const { height } = await reader.tip()
  const ids: string[] = []
  for (let h = 1n; h <= height; h++) for (const row of await reader.messages(h)) ids.push(row.eventId)
  await reader.close()
  return ids
}

describe('event manager', () => {
  it('closes a project that has nothing to do, and its next message opens it', async () => {
    await open({ idleProjectMs: 20 })
    const key = newKey()
    await manager.submit(key, world.message({ eventId: 'a' }))
    await until('the project is closed', () => unfinished.has(key))
    expect(unfinished.get(key)).toBe(false)
    expect(manager.openProjects).toBe(0)
    await manager.submit(key, world.message({ eventId: 'b' }))
    await manager.close(key)
    expect(await history(key)).toEqual(['a', 'b'])
  })

  it('keeps what comes while projects close and open again, once and in order', async () => {
    await open({ idleProjectMs: 1, openProjects: 3 })
    const keys = Array.from({ length: 8 }, newKey)
    const sent = new Map(keys.map((key) => [key, [] as string[]]))
    const step = fc.record({
      project: fc.nat(keys.length - 1),
      messages: fc.integer({ min: 1, max: 5 }),
      pause: fc.nat(4),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const answers: Promise<unknown>[] = []
        for (const { project, messages, pause } of steps) {
          const key = keys[project]!
          for (let n = 0; n < messages; n++) {
            const eventId = `${key.slice(2, 6)}-${sent.get(key)!.push('')}`
            sent.get(key)!.splice(-1, 1, eventId)
            answers.push(manager.submit(key, world.message({ eventId })))
          }
          for (let turn = 0; turn < pause; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
          expect(manager.openProjects).toBeLessThanOrEqual(3)
        }
        await Promise.all(answers)
      }),
      { numRuns: 10 },
    )
    await Promise.all(keys.map((key) => manager.close(key)))
    for (const key of keys.filter((one) => sent.get(one)!.length > 0)) expect(await history(key)).toEqual(sent.get(key))
  })

  it('lets busy projects take turns when there are more than places', async () => {
    await open({ openProjects: 2, batch: { messages: 2, bytes: 1e7 } })
    const keys = Array.from({ length: 6 }, newKey)
    const ended: number[] = []
    const floods = keys.map(async (key, n) => {
      await Promise.all(Array.from({ length: 40 }, () => manager.submit(key, world.message())))
      ended.push(n)
    })
    const [first] = keys
    // Nobody waits until others have nothing left to do.
    const late = manager.submit(newKey(), world.message())
    await late
    expect(ended.length).toBeLessThan(keys.length)
    await Promise.all(floods)
    expect(await manager.submit(first!, world.message())).toBeDefined()
  })

  it('counts messages that wait for an opening project', async () => {
    const opening = Promise.withResolvers<void>()
    await open({ mailbox: { messages: 3, bytes: 1e8 } }, () => opening.promise)
    const key = newKey()
    const answers = Array.from({ length: 5 }, () => manager.submit(key, world.message()))
    const refused = await Promise.allSettled(answers.slice(3))
    for (const one of refused)
      expect(one).toMatchObject({ status: 'rejected', reason: { fault: { code: 'MailboxFull' } } })
    expect(manager.acceptsWork(key)).toBe(false)
    const ready = vi.fn()
    manager.whenReady(key, ready)
    opening.resolve()
    await Promise.all(answers.slice(0, 3))
    expect(ready).toHaveBeenCalledTimes(1)
  })

  it('tells everybody why a project does not open, keeps nothing of it, and tries again', async () => {
    let gone = true
    await open({}, () => (gone ? Promise.reject(new ApiError('ProjectNotFound', 'x')) : Promise.resolve()))
    const key = newKey()
    const answers = await Promise.allSettled([1, 2, 3].map(() => manager.submit(key, world.message())))
    for (const one of answers)
      expect(one).toMatchObject({ status: 'rejected', reason: { fault: { code: 'ProjectNotFound' } } })
    await expect(manager.wake(key)).rejects.toMatchObject({ fault: { code: 'ProjectNotFound' } })
    expect(manager.openProjects).toBe(0)
    gone = false
    await manager.submit(key, world.message())
  })

  it('opens a closed project to note what became of an effect', async () => {
    await open({ idleProjectMs: 10 })
    const key = newKey()
    await manager.submit(key, world.message())
    await until('the project is closed', () => unfinished.has(key))
    const updateOutbox = vi.spyOn(world.executor, 'updateOutbox')
    const opened = vi.spyOn(world.executor, 'open')
    await manager.updateOutbox(key, [{ id: new Uint8Array(32), state: 'CONFIRMED' }])
    expect(opened).toHaveBeenCalledTimes(1)
    expect(updateOutbox).toHaveBeenCalledTimes(1)
  })

  it('says of a project that is closed whether effects are left', async () => {
    await open()
    const project = await world.project()
    await project.deploy({ rust_tx: { SAY: 'publish' } })
    await project.pipeline.drain()
    await world.executor.close(project.key)
    const payload = new TextEncoder().encode('topic message')
    await manager.submit(project.key, world.message({ eventType: 'SAY', payload }))
    await manager.close(project.key)
    expect(unfinished.get(project.key)).toBe(true)
  })
})
