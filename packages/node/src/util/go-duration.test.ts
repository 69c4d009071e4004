import { describe, expect, it } from 'vitest'
import { parseDuration } from './go-duration.ts'

describe('durations in Go’s form', () => {
  it.each([
    ['24h', 86_400_000],
    ['1h30m0s', 5_400_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '5', 'h', '-5s', '1h 30m', '5x', '0.0001ms', '1e3s', `${'9'.repeat(40)}h`, '٣s'])(
    'refuses "%s"',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  )
})
