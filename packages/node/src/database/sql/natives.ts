import type { AggregateOptions, DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Raw } from './convert.ts'
import * as convert from './convert.ts'
import * as exact from './exact-math.ts'
import { ExactSum } from './exact-sum.ts'
import { statementLimits } from './limits.ts'
import { fail } from './refuse.ts'
import { extractField, truncateTimestamp } from './time.ts'
import { integerRange } from './types.ts'

/**
 * Functions that printed statements call where SQLite's own differ from PostgreSQL's: strict conversions, division by zero,
 * rounding, time. All are pure. Those of one argument answer NULL with NULL before they are called.
 */
export const conversions = {
  w3b_smallint: (value: Raw) => convert.toInteger(value, 'smallint'),
  w3b_integer: (value: Raw) => convert.toInteger(value, 'integer'),
  w3b_bigint: (value: Raw) => convert.toInteger(value, 'bigint'),
  w3b_double: convert.toDouble,
  w3b_boolean: convert.toBoolean,
  w3b_timestamp: convert.toTimestamp,
  w3b_date: convert.toDay,
  w3b_bytea: convert.toBytes,
  w3b_uuid: convert.toUuid,
  w3b_number_text: convert.numberText,
  w3b_bytea_text: convert.bytesText,
  w3b_timestamp_text: convert.timeText,
  w3b_date_text: convert.dayText,
} satisfies Record<string, (value: Raw) => Raw>

const others: Readonly<Record<string, (...values: Raw[]) => Raw>> = {
  w3b_numeric: (value = null, size = null, scale = null) =>
    value === null ? null : convert.toNumeric(value, size, scale),
  w3b_numeric_text: (value = null, scale = null) =>
    value === null ? null : convert.numericText(value, scale === null ? undefined : Number(scale)),
  w3b_divide: (a = null, b = null) =>
    divided(
      a,
      b,
      (x, y) => x / y,
      (x, y) => x / y,
    ),
  w3b_remainder: (a = null, b = null) =>
    divided(
      a,
      b,
      (x, y) => x % y,
      (x, y) => x % y,
    ),
  w3b_round: strict((value, digits) => convert.roundDecimal(value, digits)),
  w3b_round_even: (value = null) => (value === null ? null : convert.roundHalfEven(convert.toDouble(value))),
  w3b_power: strict((a, b) => real(exact.power(a, b), 'power')),
  w3b_exp: strict((value) => exact.exp(value)),
  w3b_ln: strict((value) => (value > 0 ? exact.ln(value) : fail('logarithm of a number that is not positive'))),
  w3b_log: strict((value) => (value > 0 ? exact.log10(value) : fail('logarithm of a number that is not positive'))),
  w3b_sqrt: strict((value) => (value >= 0 ? Math.sqrt(value) : fail('square root of a negative number'))),
  w3b_pattern: (pattern = null) =>
    typeof pattern === 'string' && Buffer.byteLength(pattern) > statementLimits.patternBytes
      ? fail(`what is looked for is longer than ${statementLimits.patternBytes} bytes`)
      : pattern,
  w3b_greatest: (...values) => extreme(values, 1),
  w3b_least: (...values) => extreme(values, -1),
  w3b_extract: (field = null, value = null) =>
    value === null ? null : extractField(String(field), convert.toTimestamp(value)),
  w3b_date_trunc: (field = null, value = null) =>
    value === null ? null : truncateTimestamp(String(field), convert.toTimestamp(value)),
}

/** What an aggregate gathers. Only `result` may throw: Node.js loses what is thrown at a single row. */
interface Gathering {
  add(value: Raw): void
  readonly result: Raw
}

/** Aggregates whose result does not depend on the order of the rows. NULLs are passed over. */
const aggregates: Readonly<Record<string, () => Gathering>> = {
  w3b_sum: () => {
    const sum = new ExactSum()
    return {
      add: (value) => value !== null && sum.add(numberOf(value)),
      get result() {
        return sum.count === 0 ? null : inRange(sum.total)
      },
    }
  },
  w3b_avg: () => {
    const sum = new ExactSum()
    return {
      add: (value) => value !== null && sum.add(numberOf(value)),
      get result() {
        return sum.count === 0 ? null : Number(sum.total) / sum.count
      },
    }
  },
  /** The only value there is; NULL for none. NULLs count as values. */
  w3b_only: () => {
    let count = 0
    let only: Raw = null
    return {
      add: (value) => {
        count++
        only = value
      },
      get result() {
        return count > 1 ? fail('more than one row where one is wanted') : only
      },
    }
  },
}

/** True for each row that a loop of a long statement visits: see `watch.ts`. */
export const tickName = 'w3b_tick'

/** All names, for the guard. */
export const nativeNames: ReadonlySet<string> = new Set([
  tickName,
  ...[conversions, others, aggregates].flatMap((group) => Object.keys(group)),
])

/**
 * Makes the functions known to a connection.
 * @param tick called for each row that a loop of a long statement visits; what it throws ends the statement
 */
export function registerNatives(db: DatabaseSync, tick: () => void): void {
  const options = { deterministic: true, useBigIntArguments: true, varargs: true }
  for (const [name, convertOne] of Object.entries(conversions)) {
    const apply: (value: Raw) => Raw = convertOne
    db.function(name, options, (value: SQLOutputValue) => (value === null ? null : apply(value)))
  }
  for (const [name, apply] of Object.entries(others))
    db.function(name, options, (...values: SQLOutputValue[]) => apply(...values))
  db.function(tickName, options, () => {
    tick()
    return 1n
  })
  for (const [name, start] of Object.entries(aggregates)) registerAggregate(db, name, start)
}

function registerAggregate(db: DatabaseSync, name: string, start: () => Gathering): void {
  const options = {
    start,
    step: (gathering: Gathering, value: SQLOutputValue) => {
      gathering.add(value)
      return gathering
    },
    result: (gathering: Gathering) => gathering.result,
    deterministic: true,
    useBigIntArguments: true,
  }
  // The types know of values of SQLite only; what is gathered may be anything.
  db.aggregate(name, options as unknown as AggregateOptions)
}

/** NULL when either is, even where the divisor is zero. Integers as integers, others as doubles. */
function divided(
  a: Raw,
  b: Raw,
  ofIntegers: (x: bigint, y: bigint) => bigint,
  ofDoubles: (x: number, y: number) => number,
): Raw {
  if (a === null || b === null) return null
  if (typeof a === 'bigint' && typeof b === 'bigint')
    return b === 0n ? fail('division by zero') : inRange(ofIntegers(a, b))
  const divisor = convert.toDouble(b)
  return divisor === 0 ? fail('division by zero') : ofDoubles(convert.toDouble(a), divisor)
}

function numberOf(value: Raw): bigint | number {
  return typeof value === 'bigint' ? value : convert.toDouble(value)
}

function inRange(total: bigint | number): Raw {
  const [low, high] = integerRange.bigint
  return typeof total === 'bigint' && (total < low || total > high) ? fail(`bigint out of range: ${total}`) : total
}

function real(value: number, what: string): number {
  return Number.isNaN(value) ? fail(`${what} of these numbers is not real`) : value
}

/** A function of doubles: NULL when an argument is. */
function strict(apply: (a: number, b: number) => number): (...values: Raw[]) => Raw {
  return (...values) =>
    values.includes(null) ? null : apply(convert.toDouble(values[0] ?? 0n), convert.toDouble(values[1] ?? 0n))
}

/** The greatest or least of values that are not NULL. */
function extreme(values: readonly Raw[], sign: 1 | -1): Raw {
  let best: Raw = null
  for (const value of values) {
    if (value === null) continue
    if (best === null || compare(value, best) * sign > 0) best = value
  }
  return best
}

function compare(a: Raw, b: Raw): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a === null || b === null || a instanceof Uint8Array || b instanceof Uint8Array)
    return fail('values do not compare')
  return a < b ? -1 : a > b ? 1 : 0
}
