import type { ProjectKey } from '@w3bstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

interface Player {
  readonly key: ProjectKey
  readonly weight: number
  /** What each of its batches takes, milliseconds. */
  readonly costMs: number
}

function player(name: string, weight: number, costMs: number): Player {
  return { key: `0x${name}`, weight, costMs }
}

/** A thread whose time is counted, not measured. */
class Thread {
  readonly turns: Turns
  readonly order: string[] = []
  readonly #deferred: (() => void)[] = []

  constructor() {
    this.turns = new Turns((work) => this.#deferred.push(work))
  }

  /** Asks for a project's next turn; its batch ends at once, and `then` follows. */
  async play({ key, weight, costMs }: Player, then: () => void = () => {}): Promise<void> {
    await this.turns.next(key)
    this.order.push(key.slice(2))
    this.turns.used(key, costMs, weight)
    then()
  }

  /** A project that always has another batch. */
  playOn(one: Player): void {
    void this.play(one, () => this.playOn(one))
  }

  async loop(rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      this.#deferred.shift()?.()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  timeOf({ key, costMs }: Player): number {
    return this.order.filter((name) => name === key.slice(2)).length * costMs
  }
}

describe('turns of a thread', () => {
  it('lets a light project in after one turn of a heavy one', async () => {
    const thread = new Thread()
    thread.playOn(player('heavy', 1, 50))
    await thread.loop(3)
    void thread.play(player('light', 1, 1))
    await thread.loop(2)
    expect(thread.order).toEqual(['heavy', 'heavy', 'heavy', 'light', 'heavy'])
  })

  it('shares the time, not the number of turns', async () => {
    const thread = new Thread()
    const [heavy, light] = [player('heavy', 1, 40), player('light', 1, 10)]
    thread.playOn(heavy)
    thread.playOn(light)
    await thread.loop(100)
    expect(Math.abs(thread.timeOf(heavy) - thread.timeOf(light))).toBeLessThanOrEqual(40)
  })

  it('saves up no rest: who comes back after a long time gets no more than its share', async () => {
    const thread = new Thread()
    const [first, late] = [player('first', 1, 10), player('late', 1, 10)]
    thread.playOn(first)
    await thread.loop(50)
    thread.playOn(late)
    await thread.loop(10)
    const turns = thread.order.slice(50)
    expect(turns.filter((name) => name === 'late')).toHaveLength(5)
  })

  it('gives everybody time by weight, within one turn of each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 10 }), costMs: fc.integer({ min: 1, max: 100 }) }), {
          minLength: 2,
          maxLength: 5,
        }),
        async (shapes) => {
          const thread = new Thread()
          const players = shapes.map(({ weight, costMs }, i) => player(`${i}`, weight, costMs))
          for (const one of players) thread.playOn(one)
          await thread.loop(120)
          const shares = players.map((one) => thread.timeOf(one) / one.weight)
          const steps = players.map(({ costMs, weight }) => costMs / weight)
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * Math.max(...steps))
        },
      ),
      { numRuns: 25 },
    )
  })
})
