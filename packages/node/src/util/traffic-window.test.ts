import { describe, expect, it } from 'vitest'
import { alignedStart, windowStart } from './traffic-window.ts'

const at = (text: string) => Date.parse(text)
const hourMs = 3_600_000

describe('periods of traffic limits', () => {
  const now = at('2026-05-05T13:47:11.5Z')

  it.each([
    [24 * hourMs, '2026-05-05T00:00:00Z'],
    [48 * hourMs, '2026-05-05T00:00:00Z'],
    [hourMs, '2026-05-05T13:00:00Z'],
    [1.5 * hourMs, '2026-05-05T13:00:00Z'],
    [60_000, '2026-05-05T13:47:00Z'],
    [1000, '2026-05-05T13:47:00Z'],
  ])('a duration of %i ms is counted from %s', (durationMs, start) =>
    expect(alignedStart(now, durationMs)).toBe(at(start)),
  )

  it('follow one another without a gap', () => {
    const start = at('2026-05-05T13:00:00Z')
    expect(windowStart(start, 1.5 * hourMs, at('2026-05-05T14:29:59.999Z'))).toBe(start)
    expect(windowStart(start, 1.5 * hourMs, at('2026-05-05T14:30:00Z'))).toBe(at('2026-05-05T14:30:00Z'))
    expect(windowStart(start, 1.5 * hourMs, at('2026-05-05T12:59:59Z'))).toBe(at('2026-05-05T11:30:00Z'))
  })
})
