import { printConstant } from './cast.ts'
import { clockMicros } from './clock.ts'
import type { Raw } from './convert.ts'
import type { ColumnType } from './types.ts'

/** The default of a column as the declaration keeps it: a value in JSON that no backend's syntax is in, or the batch's clock. */
export type Default =
  | { readonly null: true }
  /** Decimal. */
  | { readonly integer: string }
  /** The shortest decimal that reads back as the same number, or `Infinity`. */
  | { readonly real: string }
  | { readonly text: string }
  /** Hexadecimal. */
  | { readonly bytes: string }
  | { readonly clock: true }

export function defaultOf(value: Raw): Default {
  if (value === null) return { null: true }
  if (typeof value === 'bigint') return { integer: String(value) }
  if (typeof value === 'number') return { real: String(value) }
  return typeof value === 'string' ? { text: value } : { bytes: Buffer.from(value).toString('hex') }
}

/** A default as a literal. @param clock what stands for the clock, printed */
export function printDefaultValue(value: Default, clock: () => string): string {
  if ('clock' in value) return clock()
  if ('null' in value) return 'NULL'
  if ('integer' in value) return printConstant(BigInt(value.integer))
  if ('real' in value) return printConstant(Number(value.real))
  return printConstant('text' in value ? value.text : Buffer.from(value.bytes, 'hex'))
}

/** A default as a literal that does not change any more. @throws DatabaseError SQL_FAILED for the clock where there is none */
export function printDefaultNow(value: Default, type: ColumnType, clockMs: number | undefined): string {
  return printDefaultValue(value, () => String(clockMicros(clockMs, type)))
}
