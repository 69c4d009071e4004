import { describe, expect, it } from 'vitest'
import { normalizeTimestamp } from './timestamp.ts'

describe('timestamp of an event', () => {
  const now = 1_700_000_000_000
  it.each([
    ['milliseconds near now are kept', now - 5000, now - 5000],
    ['seconds are recognised', 1_700_000_010, 1_700_000_010_000],
    ['a time far in the past is replaced', 1_683_868_814_000, now],
    ['a time far in the future is replaced', now + 2_000_000, now],
    ['nothing given', undefined, now],
    ['not a number', Number.NaN, now],
    ['negative', -5, now],
  ])('%s', (_, given, wanted) => {
    expect(normalizeTimestamp(given, now)).toBe(wanted)
  })
})
