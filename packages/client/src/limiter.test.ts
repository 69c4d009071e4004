import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Limiter } from './limiter.ts'

const never = new AbortController().signal

describe('limiter', () => {
  it('runs in order, never more than allowed at once, and forgets nothing', async () => {
    const arbitrary = fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      maxQueued: fc.nat({ max: 4 }),
      tasks: fc.array(fc.record({ turns: fc.nat({ max: 5 }), fails: fc.boolean(), aborted: fc.boolean() }), {
        maxLength: 30,
      }),
    })
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ concurrency, maxQueued, tasks }) => {
        const limiter = new Limiter({ concurrency, maxQueued })
        const started: number[] = []
        let running = 0
        const abort = new AbortController()
        const results = tasks.map(({ turns, fails, aborted }, i) =>
          limiter.run(
            async () => {
              started.push(i)
              expect(++running).toBeLessThanOrEqual(concurrency)
              for (let turn = 0; turn < turns; turn++) await Promise.resolve()
              running--
              if (fails) throw new Error('failed')
            },
            'wait',
            aborted ? abort.signal : never,
          ),
        )
        abort.abort(new Error('aborted'))
        await Promise.allSettled(results)
        expect(started).toEqual(started.toSorted((a, b) => a - b))
        expect(tasks.every(({ aborted }, i) => aborted || started.includes(i))).toBe(true)
        expect(limiter.size).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses when it is full and nobody wants to wait', async () => {
    const limiter = new Limiter({ concurrency: 1, maxQueued: 0 })
    const gate = Promise.withResolvers<void>()
    const first = limiter.run(() => gate.promise, 'reject', never)
    await expect(limiter.run(() => Promise.resolve(), 'reject', never)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    const second = limiter.run(() => Promise.resolve('ran'), 'wait', never)
    gate.resolve()
    await first
    expect(await second).toBe('ran')
  })
})
