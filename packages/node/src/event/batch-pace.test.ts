import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchPace } from './batch-pace.ts'

/** Runs full batches whose messages cost the same. @returns the size of each */
function run(pace: BatchPace, batches: number, messageMs: number, commitMs = 0): number[] {
  return Array.from({ length: batches }, () => {
    const { messages } = pace
    pace.ran(messages, messages * messageMs + commitMs)
    return messages
  })
}

describe('pace of batches', () => {
  it('grows to the limit when handlers are cheap, and stays there', () => {
    expect(run(new BatchPace({ mostMessages: 1000, turnMs: 50 }), 6, 0.01, 2)).toEqual([16, 64, 256, 1000, 1000, 1000])
  })

  it('cuts batches of dear handlers to the wanted time', () => {
    const pace = new BatchPace({ mostMessages: 1000, turnMs: 50 })
    expect(run(pace, 4, 1)).toEqual([16, 50, 50, 50])
    expect(run(pace, 3, 20)).toEqual([50, 2, 2])
    expect(run(pace, 2, 400)).toEqual([2, 1])
  })

  it('does not take the cost of a commit for that of a message', () => {
    const pace = new BatchPace({ mostMessages: 1000, turnMs: 50 })
    run(pace, 5, 0.01)
    pace.ran(1, 30)
    expect(pace.messages).toBe(1000)
  })

  it('stays within its limits, whatever it is told', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1e6, noNaN: true }))),
        (mostMessages, told) => {
          const pace = new BatchPace({ mostMessages, turnMs: 50 })
          for (const [messages, tookMs] of told) {
            pace.ran(Math.min(messages, pace.messages), tookMs)
            expect(pace.messages).toBeGreaterThanOrEqual(1)
            expect(pace.messages).toBeLessThanOrEqual(mostMessages)
            expect(Number.isInteger(pace.messages)).toBe(true)
          }
        },
      ),
    )
  })
})
