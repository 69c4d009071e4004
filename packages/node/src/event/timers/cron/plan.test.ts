import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CronJob, MissedPolicy } from '../../../project/definition.ts'
import { maxBehind, planCron } from './plan.ts'

const minuteMs = 60_000
const job = (missed: MissedPolicy, over: Partial<CronJob> = {}): CronJob => ({
  cronJobId: '1',
  expression: '* * * * *',
  eventType: 'DEFAULT',
  missed,
  sinceMs: 0,
  createdMs: 0,
  updatedMs: 0,
  ...over,
})
const minutes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => (from + i) * minuteMs)

describe('what is due of a cron job', () => {
  it('nothing before its time, the time itself then', () => {
    const plan = (nowMs: number) => planCron(job('skip'), { lastMs: undefined, servedSinceMs: 0, nowMs })
    expect(plan(minuteMs - 1)).toEqual({ firings: [], nextMs: minuteMs })
    expect(plan(minuteMs)).toEqual({ firings: [minuteMs], nextMs: 2 * minuteMs })
    expect(planCron(job('once'), { lastMs: minuteMs, servedSinceMs: 0, nowMs: minuteMs })).toEqual({
      firings: [],
      nextMs: 2 * minuteMs,
    })
  })

  it.each([
    ['skip', []],
    ['once', [10 * minuteMs]],
    ['all', minutes(3, 10)],
  ] as const)('of times that were missed, by the policy %s', (missed, made) => {
    const down = { lastMs: 2 * minuteMs, servedSinceMs: 10 * minuteMs + 5, nowMs: 10 * minuteMs + 5 }
    expect(planCron(job(missed), down)).toEqual({ firings: made, nextMs: 11 * minuteMs })
  })

  it('all times that were only delayed, whatever the policy', () => {
    const late = { lastMs: 2 * minuteMs, servedSinceMs: 0, nowMs: 6 * minuteMs }
    for (const missed of ['skip', 'once', 'all'] as const)
      expect(planCron(job(missed), late).firings).toEqual(minutes(3, 6))
  })

  it('missed ones by the policy, then the delayed ones', () => {
    const both = { lastMs: minuteMs, servedSinceMs: 4 * minuteMs + 1, nowMs: 6 * minuteMs }
    expect(planCron(job('skip'), both).firings).toEqual(minutes(5, 6))
    expect(planCron(job('once'), both).firings).toEqual(minutes(4, 6))
    expect(planCron(job('all'), both).firings).toEqual(minutes(2, 6))
  })

  it('at most the last thousand, also after years', () => {
    const nowMs = Date.parse('2030-01-01T00:00:00Z')
    const years = { lastMs: undefined, servedSinceMs: nowMs, nowMs }
    const { firings } = planCron(job('all', { expression: '* * * * * *' }), years)
    expect(firings).toHaveLength(maxBehind)
    expect(firings.at(-1)).toBe(nowMs)
    expect(
      planCron(job('once', { expression: '@every 5s' }), { ...years, servedSinceMs: nowMs + 1 }).firings,
    ).toHaveLength(1)
  })

  it('nothing twice when the clock is put back', () => {
    const back = { lastMs: 10 * minuteMs, servedSinceMs: 0, nowMs: 4 * minuteMs }
    expect(planCron(job('all'), back)).toEqual({ firings: [], nextMs: 11 * minuteMs })
  })

  it('the same in however many steps it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 * minuteMs }), { maxLength: 20 }), (steps) => {
        const times = steps.toSorted((a, b) => a - b)
        let lastMs: number | undefined
        const fired: number[] = []
        for (const nowMs of times) {
          const { firings } = planCron(job('skip'), { lastMs, servedSinceMs: 0, nowMs })
          fired.push(...firings)
          lastMs = firings.at(-1) ?? lastMs
        }
        const end = times.at(-1) ?? 0
        expect(fired).toEqual(minutes(1, Math.floor(end / minuteMs)))
      }),
    )
  })
})
