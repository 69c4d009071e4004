/** What the demo says at its end. */
import { formatUnits, type Hex } from 'viem'
import type { FleetProgress } from './fleet.ts'
import type { Processed } from './project.ts'

/** What an owner has, and should have, in the token's smallest unit. */
interface OwnerRow {
  readonly station: string
  readonly owner: Hex
  readonly balance: bigint
  readonly expected: bigint
}

export interface Outcome {
  readonly fleet: FleetProgress
  /** How long the stations published, seconds. */
  readonly seconds: number
  readonly processed: Processed
  readonly transactions: number
  readonly expectedTransactions: number
  /** Of the token, on the chain. */
  readonly supply: bigint
  readonly owners: readonly OwnerRow[]
}

/** Whatever is not as it must be; nothing when all is well. */
export function mistakes(outcome: Outcome, readings: number): string[] {
  const { fleet, processed, transactions, expectedTransactions, owners, supply } = outcome
  const counts: readonly (readonly [what: string, is: number | bigint, wanted: number | bigint])[] = [
    ['readings published', fleet.published, readings],
    ['readings acknowledged', fleet.acknowledged, readings],
    ['readings executed', processed.executed, readings],
    ['readings stored', processed.readings, readings],
    ['transactions', transactions, expectedTransactions],
    ...owners.map(({ station, balance, expected }) => [`balance of ${station}'s owner`, balance, expected] as const),
    ['supply of the token', supply, owners.reduce((sum, { expected }) => sum + expected, 0n)],
  ]
  return counts
    .filter(([, is, wanted]) => is !== wanted)
    .map(([what, is, wanted]) => `${what}: ${is}, wanted ${wanted}`)
}

export function describe({ fleet, seconds, processed, transactions, owners }: Outcome): string {
  const rate = Math.round(fleet.acknowledged / seconds)
  const facts = [
    ['readings', `${fleet.published} published, ${fleet.acknowledged} acknowledged, ${processed.executed} executed`],
    [
      'speed',
      `${rate} readings/s, from ${owners.length} stations over MQTT with QoS 1, each on disk when acknowledged`,
    ],
    ['days', `${processed.days} complete, ${transactions} with heavy rain (20 mm or more)`],
    ['payments', `${transactions} transactions, all confirmed`],
  ].map(([name = '', value = '']) => `${name.padEnd(10)} ${value}`)
  const rows = owners.map(({ station, owner, balance, expected }) => [
    station,
    owner,
    tokens(balance),
    tokens(expected),
    balance === expected ? 'equal' : 'DIFFERENT',
  ])
  const heading = ['STATION', 'OWNER', 'ON THE CHAIN', 'FROM THE DATA FILE', '']
  return [...facts, '', ...columns([heading, ...rows])].join('\n')
}

function tokens(amount: bigint): string {
  return `${formatUnits(amount, 18)} RAIN`
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
