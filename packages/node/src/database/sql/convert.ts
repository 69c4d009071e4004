import { fail } from './refuse.ts'
import { dateText, parseTimestamp, timestampText, toDate } from './time.ts'
import { integerRange } from './types.ts'

/** A value as SQLite holds it. */
export type Raw = null | bigint | number | string | Uint8Array

/** Conversions between the types of the dialect, strict as PostgreSQL's. All throw DatabaseError SQL_FAILED. */

export function toInteger(value: Raw, name: keyof typeof integerRange): bigint {
  const [low, high] = integerRange[name]
  const integer = integerOf(value, name)
  if (integer < low || integer > high) fail(`${name} out of range: ${integer}`)
  return integer
}

function integerOf(value: Raw, name: string): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return BigInt(Number.isFinite(value) ? roundHalfEven(value) : wrong(name, value))
  if (typeof value === 'string' && /^\s*[+-]?\d{1,30}\s*$/.test(value)) return BigInt(value.trim().replace(/^\+/, ''))
  return wrong(name, value)
}

/** As the processor rounds, which is what PostgreSQL does with doubles. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  // Zero has no sign.
  if (rest !== 0.5) return Math.round(value) + 0
  return down % 2 === 0 ? down : down + 1
}

const decimalPattern = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?\s*$/i

export function toDouble(value: Raw): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string' && decimalPattern.test(value)) return Number(value)
  return wrong('number', value)
}

/** @param size digits in all, or null for as they come */
export function toNumeric(value: Raw, size: Raw, scale: Raw): number {
  const number = toDouble(value)
  if (!Number.isFinite(number)) return wrong('numeric', value)
  if (size === null) return number
  const rounded = roundDecimal(number, Number(scale))
  if (Math.abs(rounded) >= Number(`1e${Number(size) - Number(scale)}`))
    fail(`numeric(${size},${scale}) out of range: ${number}`)
  return rounded
}

/** Rounds the shortest decimal form half away from zero, as people do, not the binary value behind it. */
export function roundDecimal(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value
  const [mantissa, exponent = '0'] = Math.abs(value).toExponential().split('e') as [string, string?]
  const shifted = Math.round(Number(`${mantissa}e${Number(exponent) + digits}`))
  const rounded = Number(`${shifted}e${-digits}`)
  return Number.isFinite(rounded) ? Math.sign(value) * rounded : value
}

export function toBoolean(value: Raw): bigint {
  if (typeof value === 'bigint') return value === 0n ? 0n : 1n
  if (typeof value !== 'string') return wrong('boolean', value)
  const word = value.trim().toLowerCase()
  if (['t', 'true', 'y', 'yes', 'on', '1'].includes(word)) return 1n
  if (['f', 'false', 'n', 'no', 'off', '0'].includes(word)) return 0n
  return wrong('boolean', value)
}

export function toTimestamp(value: Raw): bigint {
  if (typeof value === 'bigint') return value
  return typeof value === 'string' ? parseTimestamp(value) : wrong('timestamp', value)
}

export function toDay(value: Raw): bigint {
  return toDate(toTimestamp(value))
}

/** Hexadecimal after `\x`, or the text's own bytes. */
export function toBytes(value: Raw): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string') return wrong('bytea', value)
  if (!value.startsWith('\\x')) return new TextEncoder().encode(value)
  const digits = value.slice(2)
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) return wrong('bytea', value)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

export function toUuid(value: Raw): string {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : wrong('uuid', value)
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : wrong('uuid', value)
}

/** The shortest text that reads back as the same number, without an exponent where that is readable. */
export function numberText(value: Raw): string {
  return typeof value === 'bigint' ? `${value}` : String(toDouble(value))
}

/** A numeric with the digits after the point that its type has. */
export function numericText(value: Raw, scale: number | undefined): string {
  if (scale === undefined) return numberText(value)
  return typeof value === 'bigint'
    ? `${value}${scale > 0 ? `.${'0'.repeat(scale)}` : ''}`
    : toDouble(value).toFixed(scale)
}

export function bytesText(value: Raw): string {
  return `\\x${Buffer.from(toBytes(value)).toString('hex')}`
}

export function timeText(value: Raw): string {
  return timestampText(toTimestamp(value))
}

export function dayText(value: Raw): string {
  return dateText(toTimestamp(value))
}

function wrong(type: string, value: Raw): never {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(String(value).slice(0, 40))
  return fail(`not a ${type}: ${shown}`)
}
