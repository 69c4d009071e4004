import { describe, expect, it } from 'vitest'
import { condemn, createProgressMemory, ProgressWriter, readProgress } from './watchdog.ts'

const always = () => true

describe('watchdog', () => {
  it('sees what runs, and nothing when the guest has come back', () => {
    const memory = createProgressMemory()
    const progress = new ProgressWriter(memory).of(7)
    expect(readProgress(memory)).toBeUndefined()
    progress.enter(3, 1)
    expect(readProgress(memory)).toMatchObject({ slot: 7, messageIndex: 3, ordinal: 1 })
    progress.leave()
    expect(condemn(memory, always)).toBeUndefined()
  })

  it('counts what a guest ran before it waited', () => {
    const memory = createProgressMemory()
    const progress = new ProgressWriter(memory).of(1)
    progress.enter(0, 0, 5000)
    expect(progress.pause()).toBeGreaterThanOrEqual(5000)
    expect(readProgress(memory)).toBeUndefined()
    progress.enter(0, 0, 5000)
    expect(readProgress(memory)!.forMs).toBeGreaterThanOrEqual(5000)
  })

  it('condemns once, and spares a guest that began while it looked', () => {
    const memory = createProgressMemory()
    const progress = new ProgressWriter(memory).of(1)
    progress.enter(0, 0)
    const answers = [true, false]
    expect(condemn(memory, () => answers.shift()!)).toBeUndefined()
    expect(condemn(memory, () => false)).toBeUndefined()
    expect(condemn(memory, always)).toMatchObject({ slot: 1, messageIndex: 0 })
    expect(condemn(memory, always)).toBeUndefined()
  })
})
