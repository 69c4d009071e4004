import type { Expr, ExprCall } from 'pgsql-ast-parser'
import type { Printed } from './cast.ts'
import { fail } from './refuse.ts'
import type { Scope } from './scope.ts'
import { toDate } from './time.ts'
import type { ColumnType } from './types.ts'

/**
 * What asks for the time. It is the clock of the batch, the same throughout, as PostgreSQL's is that of the transaction: what
 * differs from one moment to the next (`clock_timestamp`) is not offered.
 */
export const clocks: Readonly<Record<string, ColumnType>> = {
  now: { name: 'timestamptz' },
  transaction_timestamp: { name: 'timestamptz' },
  current_timestamp: { name: 'timestamptz' },
  localtimestamp: { name: 'timestamp' },
  current_date: { name: 'date' },
}

const functions = ['now', 'transaction_timestamp']

export function isClockFunction({ function: { name, schema }, args }: ExprCall): boolean {
  return !schema && args.length === 0 && functions.includes(name)
}

/** Whether an expression is the clock and nothing else. */
export function isClock(node: Expr): boolean {
  return node.type === 'keyword' || (node.type === 'call' && isClockFunction(node))
}

/** The clock stands behind the parameters that the statement names. */
export function printClock(name: string, { compilation }: Pick<Scope, 'compilation'>): Printed {
  const type = clocks[name] ?? fail(`no clock of the name ${name}`)
  compilation.usesClock = true
  const parameter = `?${compilation.params.length + 1}`
  return { sql: type.name === 'date' ? `w3b_date(${parameter})` : parameter, type, notNull: true }
}

/** The clock as the file holds it, microseconds. @throws DatabaseError SQL_FAILED where there is no batch */
export function clockMicros(clockMs: number | undefined, type?: ColumnType): bigint {
  if (clockMs === undefined) return fail('now() has no meaning outside of a batch')
  const micros = BigInt(clockMs) * 1000n
  return type?.name === 'date' ? toDate(micros) : micros
}
