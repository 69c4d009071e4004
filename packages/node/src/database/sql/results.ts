import type { SqlLimits, SqlResult, SqlValue } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { numericText, type Raw } from './convert.ts'
import { fail } from './refuse.ts'
import type { ScopeColumn } from './scope.ts'
import { formatTimestamp } from './time.ts'
import { type ColumnType, integerRange, isInteger, resultTypeOf, typeText } from './types.ts'

/**
 * Makes the result of rows as they come from the file, within the limits.
 * @param numbered behind its columns each row has its number, which orders them
 * @throws DatabaseError SQL_LIMIT, SQL_FAILED
 */
export function collect(
  rows: Iterable<readonly Raw[]>,
  columns: readonly ScopeColumn[],
  limits: SqlLimits,
  numbered = false,
): SqlResult['rows'] {
  const converters = columns.map(({ type }) => converterOf(type))
  const collected: SqlValue[][] = []
  const numbers: bigint[] = []
  let bytes = 0
  for (const row of rows) {
    if (collected.length >= limits.rows)
      throw new DatabaseError({ code: 'SQL_LIMIT', what: 'rows', limit: limits.rows })
    const values: SqlValue[] = []
    for (let i = 0; i < converters.length; i++) {
      const raw = row[i] ?? null
      bytes += sizeOf(raw)
      values.push(raw === null ? null : converters[i]!(raw))
    }
    if (bytes > limits.bytes) throw new DatabaseError({ code: 'SQL_LIMIT', what: 'bytes', limit: limits.bytes })
    collected.push(values)
    if (numbered) numbers.push(row[converters.length] as bigint)
  }
  return numbered ? inOrder(collected, numbers) : collected
}

function inOrder<T>(items: readonly T[], numbers: readonly bigint[]): T[] {
  const order = numbers.map((_, i) => i).sort((a, b) => (numbers[a]! < numbers[b]! ? -1 : 1))
  return order.map((i) => items[i]!)
}

export function resultColumns(columns: readonly ScopeColumn[]): SqlResult['columns'] {
  return columns.map(({ name, type }) => ({ name, type: resultTypeOf(type) }))
}

function sizeOf(raw: Raw): number {
  if (typeof raw === 'string') return Buffer.byteLength(raw)
  return raw instanceof Uint8Array ? raw.length : 8
}

function converterOf(type: ColumnType | undefined): (raw: Raw) => SqlValue {
  if (isInteger(type)) return (raw) => integerOf(raw, type!)
  switch (type?.name) {
    case 'boolean':
      return (raw) => raw !== 0n
    case 'real':
    case 'double precision':
      return (raw) => (typeof raw === 'bigint' ? Number(raw) : raw)
    case 'numeric':
      return (raw) => numericText(raw, type.scale)
    case 'timestamp':
    case 'timestamptz':
    case 'date':
      return (raw) => formatTimestamp(raw as bigint)
    default:
      return (raw) => raw
  }
}

/** SQLite goes on in floating point when integers overflow; PostgreSQL fails, and so does this. */
function integerOf(raw: Raw, type: ColumnType): bigint {
  const [low, high] = integerRange[type.name as keyof typeof integerRange]
  if (typeof raw !== 'bigint' || raw < low || raw > high) fail(`${typeText(type)} out of range: ${String(raw)}`)
  return raw
}
