import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { balance, type Placement } from './balance.ts'
import { PlacementTable } from './placement.ts'

const key = (n: number) => `0x${n}` as const

function load(threads: number, placements: readonly Placement[]): number[] {
  const loads = Array.from({ length: threads }, () => 0)
  for (const { thread, demand } of placements) loads[thread]! += demand
  return loads
}

describe('balance of threads', () => {
  it('moves half of the busy projects to a thread with nothing to do', () => {
    const placements = Array.from({ length: 16 }, (_, n) => ({ project: key(n), thread: 0, demand: 1 }))
    const moves = balance(2, placements)
    expect(moves).toHaveLength(8)
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set([1]))
  })

  it('leaves projects where they are when their thread has time for all, or moving would gain little', () => {
    const light = [0.3, 0.3, 0.3].map((demand, n) => ({ project: key(n), thread: 0, demand }))
    expect(balance(2, light)).toEqual([])
    const one = [{ project: key(1), thread: 0, demand: 1 }]
    expect(balance(4, one)).toEqual([])
    const near = [1, 0.1, 0.9].map((demand, n) => ({ project: key(n), thread: n === 2 ? 1 : 0, demand }))
    expect(balance(2, near)).toEqual([])
  })

  it('ends, makes no thread worse than the worst was, and finds nothing more to do afterwards', () => {
    const placement = (threads: number) =>
      fc.record({ thread: fc.nat(threads - 1), demand: fc.double({ min: 0, max: 1, noNaN: true }) })
    const world = fc
      .integer({ min: 1, max: 8 })
      .chain((threads) => fc.tuple(fc.constant(threads), fc.array(placement(threads), { maxLength: 60 })))
    fc.assert(
      fc.property(world, ([threads, shapes]) => {
        const before = shapes.map((shape, n): Placement => ({ ...shape, project: key(n) }))
        const moves = new Map(balance(threads, before).map(({ project, to }) => [project, to]))
        const after = before.map((one) => ({ ...one, thread: moves.get(one.project) ?? one.thread }))
        expect(Math.max(...load(threads, after))).toBeLessThanOrEqual(Math.max(...load(threads, before)) + 1e-9)
      }),
    )
  })
})

describe('placements', () => {
  it('puts projects where least is asked for, and moves those that turn out to be busy', () => {
    const table = new PlacementTable(2)
    for (let n = 0; n < 4; n++) table.set(key(n), table.lightest())
    // 0 and 2 share a thread, and so do 1 and 3.
    for (let round = 0; round < 5; round++) table.look([key(0), key(2)])
    expect(table.moves()).toEqual([])
    for (let round = 0; round < 5; round++) table.look([key(0), key(2)])
    expect(table.moves()).toMatchObject([{ to: 1 }])
    expect(table.lightest()).toBe(1)
  })
})
