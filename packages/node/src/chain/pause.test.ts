import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../util/backoff.ts'
import { Pause } from './pause.ts'

describe('Pause', () => {
  const never = new AbortController().signal

  it('ends when it is woken, also when that came before', async () => {
    const pause = new Pause()
    pause.wake()
    await pause.rest(undefined, never)
    const resting = pause.rest(undefined, never)
    pause.wake()
    await resting
  })

  it('ends with its time, and at once when the signal has aborted', async () => {
    const pause = new Pause()
    await pause.rest(1, never)
    await pause.rest(undefined, AbortSignal.abort())
    const stop = new AbortController()
    const resting = pause.rest(undefined, stop.signal)
    stop.abort()
    await resting
  })
})

describe('backoffMs', () => {
  it('grows to its limit and never beyond, however many failures there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (failures) => {
        const whole = Math.min(3000, 100 * 2 ** (failures - 1))
        const ms = backoffMs(failures, { minMs: 100, maxMs: 3000 })
        expect(ms).toBeGreaterThanOrEqual(whole / 2)
        expect(ms).toBeLessThanOrEqual(whole)
      }),
    )
  })
})
