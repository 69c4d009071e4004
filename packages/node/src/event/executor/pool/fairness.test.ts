import { afterEach, describe, expect, it } from 'vitest'
import { World } from '../../testing/world.ts'

let world: World
afterEach(() => world.close())

describe('projects of one thread', () => {
  it('answers a light project while a busy one has much to do', async () => {
    const patient = { wallClockMs: () => 60_000, patienceMs: 60_000, turnPatienceMs: 60_000 }
    world = await World.open({ pool: patient, pipeline: { turnMs: 5 } })
    const [busy, light] = [await world.project(), await world.project()]
    await busy.deploy({ logflood: { FLOOD: 'many' } })
    await light.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    let left = 100
    const floods = Array.from({ length: left }, async () => {
      const { status } = await busy.event('', { eventType: 'FLOOD' })
      left--
      return status
    })
    const leftAtAnswers: number[] = []
    for (let n = 0; n < 4; n++) {
      expect((await light.event('x')).status).toBe('ok')
      leftAtAnswers.push(left)
    }
    // Four messages one after the other, and the busy project is not done with the messages that were there before.
    expect(leftAtAnswers.at(-1)).toBeGreaterThan(0)
    expect(new Set(await Promise.all(floods))).toEqual(new Set(['ok']))
    expect((await light.logs()).at(-1)).toBe('x=4')
  })

  it('loses nothing when busy projects move to a thread with nothing to do', async () => {
    world = await World.open({ pool: { workers: 2, wallClockMs: () => 60_000, patienceMs: 60_000 } })
    const all = await Promise.all(Array.from({ length: 4 }, () => world.project()))
    for (const project of all) await project.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    // By the order of their opening, the first and the third share a thread.
    const busy = [all[0]!, all[2]!]
    const open = busy.map(() => 0)
    const counts = await Promise.all(
      busy.map(async (project, n) => {
        let sent = 0
        for (; sent < 2000; sent++) {
          open[n]!++
          void project.event('x').finally(() => open[n]!--)
          while (open[n]! > 50) await new Promise<void>((resolve) => setImmediate(resolve))
        }
        await project.pipeline.drain()
        return sent
      }),
    )
    expect(counts).toEqual([2000, 2000])
    for (const project of busy) expect((await project.logs()).at(-1)).toBe('x=2000')
  })
})
