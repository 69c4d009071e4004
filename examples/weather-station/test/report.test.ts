import { expect, describe as group, it } from 'vitest'
import { describe, mistakes, type Outcome } from '../report.ts'

const unit = 10n ** 17n
const right: Outcome = {
  fleet: { published: 8, acknowledged: 8 },
  seconds: 2,
  processed: { executed: 8, readings: 8, days: 2 },
  transactions: 2,
  expectedTransactions: 2,
  supply: 700n * unit,
  owners: [
    { station: 'a', owner: '0x01', balance: 203n * unit, expected: 203n * unit },
    { station: 'b', owner: '0x02', balance: 497n * unit, expected: 497n * unit },
  ],
}

group('the end of the demo', () => {
  it('finds nothing wrong when all is as the data file says', () => {
    expect(mistakes(right, 8)).toEqual([])
    expect(describe(right)).toMatch(/^a +0x01 +20.3 RAIN +20.3 RAIN +equal$/m)
  })

  it('names the owner whose balance differs, by the smallest unit', () => {
    const owners = right.owners.map((row) => (row.station === 'b' ? { ...row, balance: row.balance - 1n } : row))
    expect(mistakes({ ...right, owners }, 8)).toEqual([expect.stringContaining("balance of b's owner")])
    expect(describe({ ...right, owners })).toMatch(/^b .* DIFFERENT$/m)
  })

  it.each([
    ['published', { ...right, fleet: { published: 7, acknowledged: 8 } }],
    ['acknowledged', { ...right, fleet: { published: 8, acknowledged: 7 } }],
    ['executed', { ...right, processed: { ...right.processed, executed: 9 } }],
    ['stored', { ...right, processed: { ...right.processed, readings: 7 } }],
    ['transactions', { ...right, transactions: 3 }],
    ['supply', { ...right, supply: right.supply + 1n }],
  ])('finds wrong counts: %s', (what, outcome) => {
    expect(mistakes(outcome, 8)).toEqual([expect.stringContaining(what)])
  })
})
