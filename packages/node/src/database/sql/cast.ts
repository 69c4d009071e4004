import type { Raw } from './convert.ts'
import { quoteText } from './names.ts'
import { conversions } from './natives.ts'
import { fail } from './refuse.ts'
import { type ColumnType, familyOf, isInteger, typeText } from './types.ts'

/** A printed expression. */
export interface Printed {
  readonly sql: string
  /** Undefined for NULL and for literals whose type the context decides. */
  readonly type: ColumnType | undefined
  /** A literal or parameter: takes whatever type its context wants, by conversion. */
  readonly soft?: boolean
  /** The text of a literal, so that it is converted once and not per row. */
  readonly literal?: string
  readonly notNull?: boolean
}

/** A value as a literal of SQLite. */
export function printConstant(value: Raw): string {
  if (value === null) return 'NULL'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quoteText(value)
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** For comparisons and the like: literals and parameters take the wanted type, other types must be of its family. */
export function coerce(expression: Printed, wanted: ColumnType | undefined): string {
  if (!wanted) return expression.sql
  if (expression.soft || !expression.type) return cast(expression, wanted)
  if (familyOf(expression.type) !== familyOf(wanted))
    fail(`types ${typeText(expression.type)} and ${typeText(wanted)} do not go together`)
  return expression.sql
}

/** For a column that is written: numbers become each other, anything becomes text. Ranges are checked by the table. */
export function assign(expression: Printed, wanted: ColumnType, column: string): string {
  const { type, soft } = expression
  if (!soft && type && familyOf(type) !== familyOf(wanted) && familyOf(wanted) !== 'text')
    fail(`column ${column} is of type ${typeText(wanted)}, the expression of type ${typeText(type)}`)
  // Too long a text is refused by the table; only an explicit cast cuts it.
  const target: ColumnType = wanted.name === 'varchar' ? { name: 'text' } : wanted
  if (isInteger(target) && isInteger(type)) return expression.sql
  return cast(expression, target)
}

/** An explicit cast. @throws DatabaseError SQL_FAILED when there is none between the types */
export function cast(expression: Printed, wanted: ColumnType): string {
  const { sql, type, literal } = expression
  if (literal !== undefined) return castLiteral(literal, wanted)
  if (sql === 'NULL' || (!type && !expression.soft)) return sql
  const from = type ?? { name: 'text' }
  if (from.name === wanted.name && from.size === wanted.size && from.scale === wanted.scale) return sql
  return conversion(sql, from, wanted) ?? fail(`no cast from ${typeText(type)} to ${typeText(wanted)}`)
}

function castLiteral(literal: string, wanted: ColumnType): string {
  const convert = conversions[nameOf(wanted) as keyof typeof conversions] as ((value: Raw) => Raw) | undefined
  if (convert) return printConstant(convert(literal))
  return conversion(quoteText(literal), { name: 'text' }, wanted) ?? quoteText(literal)
}

/** The native function that converts into a type, if there is one of one argument. */
function nameOf(type: ColumnType): string {
  switch (type.name) {
    case 'real':
    case 'double precision':
      return 'w3b_double'
    case 'timestamptz':
      return 'w3b_timestamp'
    default:
      return `w3b_${type.name}`
  }
}

function conversion(sql: string, from: ColumnType, to: ColumnType): string | undefined {
  const family = familyOf(from)
  switch (familyOf(to)) {
    case 'number':
      return family === 'number' || family === 'text' || (family === 'boolean' && isInteger(to))
        ? toNumber(sql, from, to)
        : undefined
    case 'text':
      return toText(sql, from, to)
    case 'boolean':
      return family === 'text' || isInteger(from) ? `w3b_boolean(${sql})` : undefined
    case 'time':
      if (family !== 'text' && family !== 'time') return undefined
      return family === 'time' && to.name !== 'date' ? sql : `${nameOf(to)}(${sql})`
    case 'json':
      return family === 'text' ? `json(${sql})` : undefined
    default:
      return family === 'text' ? `${nameOf(to)}(${sql})` : undefined
  }
}

function toNumber(sql: string, from: ColumnType, to: ColumnType): string {
  if (to.name === 'numeric') return `w3b_numeric(${sql}, ${to.size ?? 'NULL'}, ${to.scale ?? 'NULL'})`
  if (!isInteger(to)) return isInteger(from) ? `CAST(${sql} AS REAL)` : `w3b_double(${sql})`
  if (from.name === 'boolean') return sql
  // A numeric is rounded half away from zero, a double half to even.
  return from.name === 'numeric' ? `${nameOf(to)}(w3b_round(${sql}, 0))` : `${nameOf(to)}(${sql})`
}

function toText(sql: string, from: ColumnType, to: ColumnType): string {
  const text = textOf(sql, from)
  return to.name === 'varchar' && to.size !== undefined ? `substr(${text}, 1, ${to.size})` : text
}

function textOf(sql: string, from: ColumnType): string {
  switch (from.name) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return `CAST(${sql} AS TEXT)`
    case 'numeric':
      return `w3b_numeric_text(${sql}, ${from.scale ?? 'NULL'})`
    case 'real':
    case 'double precision':
      return `w3b_number_text(${sql})`
    case 'boolean':
      return `CASE ${sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END`
    case 'timestamp':
    case 'timestamptz':
      return `w3b_timestamp_text(${sql})`
    case 'date':
      return `w3b_date_text(${sql})`
    case 'bytea':
      return `w3b_bytea_text(${sql})`
    default:
      return sql
  }
}
