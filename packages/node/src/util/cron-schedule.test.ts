import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cronProblem, cronSchedule } from './cron-schedule.ts'

const at = (text: string) => Date.parse(text)
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())

describe('schedules of cron jobs', () => {
  it.each([
    ['*/5 * * * *', '2026-01-01T00:05:00.000Z'],
    ['30 4 15 * 5', '2026-01-02T04:30:00.000Z'],
    ['0 22 * * 1-5', '2026-01-01T22:00:00.000Z'],
    ['0 0 * FEB *', '2026-02-01T00:00:00.000Z'],
    ['15 * * * * *', '2026-01-01T00:00:15.000Z'],
    ['@hourly', '2026-01-01T01:00:00.000Z'],
    ['@daily', '2026-01-02T00:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['@every 5s', '2026-01-01T00:00:05.000Z'],
    ['@every 1h30m', '2026-01-01T01:30:00.000Z'],
    [' 0  0 * *  * ', '2026-01-02T00:00:00.000Z'],
  ])('%s comes next at %s', (expression, next) => {
    const start = at('2026-01-01T00:00:00Z')
    expect(iso(cronSchedule(expression, start).next(start))).toBe(next)
  })

  it('is in UTC where the machine’s clock changes to summer time', () => {
    const schedule = cronSchedule('30 2 * * *', 0)
    expect(iso(schedule.next(at('2026-03-29T00:00:00Z')))).toBe('2026-03-29T02:30:00.000Z')
    expect(iso(schedule.next(at('2026-10-25T02:30:00Z')))).toBe('2026-10-26T02:30:00.000Z')
  })

  it.each([
    '',
    '* * * *',
    '* * * * * * *',
    '61 * * * *',
    'a b c d e',
    '5-1 * * * *',
    '*/0 * * * *',
    '@reboot',
    '@every',
    '@every 5',
    '@every 500ms',
    '@every 1500ms',
    '@every 87601h',
    '@every 999999999h999999999h400000000h',
    '@every -5s',
    '2026-01-01T00:00:00Z',
    '0 0 30 2 *',
    `${'*,'.repeat(5000)}* * * * *`.slice(0, 200),
  ])('refuses "%s"', (expression) => expect(cronProblem(expression, 0)).toEqual(expect.any(String)))

  it('counts @every from its anchor, on whole seconds', () => {
    const schedule = cronSchedule('@every 10s', at('2026-01-01T00:00:03.200Z'))
    expect(iso(schedule.next(0))).toBe('2026-01-01T00:00:14.000Z')
    expect(schedule.last(2, 0, at('2026-01-01T00:01:00Z')).map(iso)).toEqual([
      '2026-01-01T00:00:44.000Z',
      '2026-01-01T00:00:54.000Z',
    ])
  })

  it('lists the last times before a moment as going forward finds them', () => {
    const start = at('2026-01-01T00:00:00Z')
    const expressions = ['*/7 * * * *', '13 */2 * * *', '@every 17s', '*/20 * * * * *', '0 0 1 * *', '@daily']
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.integer({ min: 0, max: 90_000_000 }),
        fc.integer({ min: 0, max: 4_000_000 }),
        fc.integer({ min: 1, max: 20 }),
        (expression, fromMs, spanMs, count) => {
          const schedule = cronSchedule(expression, start)
          const [after, before] = [start + fromMs, start + fromMs + spanMs]
          const forward: number[] = []
          for (let next = schedule.next(after); next !== undefined && next < before; next = schedule.next(next))
            forward.push(next)
          expect(schedule.last(count, after, before)).toEqual(forward.slice(-count))
        },
      ),
    )
  })
})
