import { fail } from './refuse.ts'

/** Timestamps of the dialect are microseconds since 1970 in UTC, years 1 to 9999; dates are their midnight. */
const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i

const microsPerDay = 86_400_000_000n

/** Reads RFC 3339 or PostgreSQL's ISO form; without an offset it is UTC. @throws DatabaseError SQL_FAILED */
export function parseTimestamp(text: string): bigint {
  const match = pattern.exec(text.trim())
  if (!match) fail(`not a timestamp: ${JSON.stringify(text.slice(0, 40))}`)
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const inRange =
    Number(year) >= 1 &&
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  if (!inRange) fail(`not a timestamp: ${JSON.stringify(text.slice(0, 40))}`)
  const micros = BigInt(fraction.padEnd(6, '0').slice(0, 6))
  return BigInt(date.getTime()) * 1000n + micros - BigInt(offsetMinutes(offset)) * 60_000_000n
}

function offsetMinutes(offset: string | undefined): number {
  if (!offset || offset.toUpperCase() === 'Z') return 0
  const sign = offset[0] === '-' ? -1 : 1
  const digits = offset.slice(1).replace(':', '')
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || '0'))
}

/** RFC 3339 in UTC, with as many digits of the second as are not zero. */
export function formatTimestamp(micros: bigint): string {
  const millis = floorDivide(micros, 1000n)
  const iso = new Date(Number(millis)).toISOString()
  const fraction = String(micros - floorDivide(micros, 1_000_000n) * 1_000_000n).padStart(6, '0')
  const digits = fraction.replace(/0+$/, '')
  return `${iso.slice(0, 19)}${digits ? `.${digits}` : ''}Z`
}

/** A timestamp as PostgreSQL turns it into text. */
export function timestampText(micros: bigint): string {
  return formatTimestamp(micros).replace('T', ' ').replace('Z', '')
}

export function dateText(micros: bigint): string {
  return formatTimestamp(micros).slice(0, 10)
}

export function toDate(micros: bigint): bigint {
  return floorDivide(micros, microsPerDay) * microsPerDay
}

const truncations: Readonly<Record<string, number>> = { year: 4, month: 7, day: 10, hour: 13, minute: 16, second: 19 }
const zero = '0001-01-01T00:00:00'

/** `date_trunc`: year, month, day, hour, minute, second, and week (from Monday). */
export function truncateTimestamp(field: string, micros: bigint): bigint {
  if (field === 'week') {
    const day = toDate(micros)
    return day - BigInt((weekday(day) + 6) % 7) * microsPerDay
  }
  const kept = truncations[field]
  if (!kept) fail(`date_trunc of ${JSON.stringify(field)}: ${Object.keys(truncations).join(', ')} or week`)
  return parseTimestamp(formatTimestamp(micros).slice(0, kept) + zero.slice(kept))
}

/** `extract`: a field of a timestamp, as a number. */
export function extractField(field: string, micros: bigint): number {
  const date = new Date(Number(floorDivide(micros, 1000n)))
  const seconds = Number(micros - floorDivide(micros, 60_000_000n) * 60_000_000n) / 1e6
  switch (field) {
    case 'epoch':
      return Number(micros) / 1e6
    case 'year':
      return date.getUTCFullYear()
    case 'month':
      return date.getUTCMonth() + 1
    case 'day':
      return date.getUTCDate()
    case 'hour':
      return date.getUTCHours()
    case 'minute':
      return date.getUTCMinutes()
    case 'second':
      return seconds
    case 'dow':
      return weekday(micros)
    default:
      return fail(`extract of ${JSON.stringify(field)}: epoch, year, month, day, hour, minute, second or dow`)
  }
}

function weekday(micros: bigint): number {
  return new Date(Number(floorDivide(micros, 1000n))).getUTCDay()
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
