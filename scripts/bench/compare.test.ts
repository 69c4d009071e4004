import { describe, expect, it } from 'vitest'
import { type BenchContext, type Contender, compare, median, worstOf } from './compare.ts'
import { parseOptions } from './options.ts'
import { payload, stationAt } from './payload.ts'

describe('comparison', () => {
  const context: BenchContext = { rounds: 3, environment: {}, progress: () => undefined }

  function contender(name: string, values: number[], turns: string[]): Contender {
    return {
      name,
      measure: async () => {
        turns.push(name)
        const value = values.shift()!
        return { value, details: { twice: 2 * value } }
      },
    }
  }

  it('takes turns, drops the warm-up, and compares medians', async () => {
    const turns: string[] = []
    const ours = contender('ours', [1000, 10, 30, 20], turns)
    const other = contender('other', [1, 5, 4, 6], turns)
    const row = await compare({ name: 'row', unit: 'n/s', better: 'higher', ours, baselines: [other] }, context)
    expect(turns).toEqual(Array(4).fill(['ours', 'other']).flat())
    expect(row).toMatchObject({ value: 20, ratio: 4, rounds: [10, 30, 20], details: { twice: 40 } })
    expect(row.baselines).toEqual([{ name: 'other', value: 5, details: { twice: 10 } }])
    expect(worstOf(row)).toBe(10)
  })

  it('is above one for what takes less, when less is better', async () => {
    const ours = contender('ours', [0, 10, 30, 20], [])
    const other = contender('other', [0, 40, 40, 40], [])
    const row = await compare({ name: 'row', unit: 'ms', better: 'lower', ours, baselines: [other] }, context)
    expect(row.ratio).toBe(2)
    expect(worstOf(row)).toBe(30)
  })

  it('takes the middle of an even number of values', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })
})

describe('options', () => {
  it('match every row unless told otherwise', () => {
    const { only, rounds, profile, json } = parseOptions([])
    expect([only.test('anything'), rounds, profile, json]).toEqual([true, 5, false, undefined])
  })

  it.each([[['--rounds', '0']], [['--rounds', 'x']], [['--only', '(']], [['--unknown']]])('refuse %j', (args) => {
    expect(() => parseOptions(args)).toThrow()
  })
})

describe('payload', () => {
  it('is 200 bytes of JSON, with the station’s number where generators write it', () => {
    expect(payload).toHaveLength(200)
    expect(JSON.parse(payload.toString())).toMatchObject({ station: '0000' })
    expect(payload.subarray(stationAt, stationAt + 4).toString()).toBe('0000')
  })
})
