import { describe, expect, it } from 'vitest'
import { SeenClock } from './seen-clock.ts'

describe('clock of what is seen', () => {
  it('counts from the first look at the same thing, and not for another', () => {
    const clock = new SeenClock(50)
    for (const nowMs of [1000, 1050, 1100]) clock.look('a', nowMs)
    expect([clock.seenForMs('a'), clock.seenForMs('b')]).toEqual([100, 0])
    clock.look('b', 1150)
    expect([clock.seenForMs('a'), clock.seenForMs('b')]).toEqual([0, 0])
    clock.look('b', 1200)
    clock.reset()
    expect(clock.seenForMs('b')).toBe(0)
  })

  it('counts little of a time in which nobody looked', () => {
    const clock = new SeenClock(50)
    clock.look('a', 0)
    clock.look('a', 60_000)
    expect(clock.seenForMs('a')).toBe(100)
  })
})
