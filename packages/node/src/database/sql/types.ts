import type { DataTypeDef } from 'pgsql-ast-parser'
import type { SqlType } from '../database.ts'
import { refuse } from './refuse.ts'

export type TypeName =
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'real'
  | 'double precision'
  | 'text'
  | 'varchar'
  | 'boolean'
  | 'timestamp'
  | 'timestamptz'
  | 'date'
  | 'bytea'
  | 'json'
  | 'uuid'

/** A type of the dialect. */
export interface ColumnType {
  readonly name: TypeName
  /** Characters of varchar, digits of numeric. */
  readonly size?: number
  /** Digits of numeric after the point. */
  readonly scale?: number
}

/** Values of one family compare with each other. */
export type Family = 'number' | 'text' | 'boolean' | 'time' | 'bytea' | 'json' | 'uuid'

/** How a type is kept in SQLite, and what it is called in results. */
const facts: Readonly<Record<TypeName, { family: Family; storage: string; result: SqlType }>> = {
  smallint: { family: 'number', storage: 'INTEGER', result: 'integer' },
  integer: { family: 'number', storage: 'INTEGER', result: 'integer' },
  bigint: { family: 'number', storage: 'INTEGER', result: 'bigint' },
  numeric: { family: 'number', storage: 'REAL', result: 'numeric' },
  real: { family: 'number', storage: 'REAL', result: 'real' },
  'double precision': { family: 'number', storage: 'REAL', result: 'real' },
  text: { family: 'text', storage: 'TEXT', result: 'text' },
  varchar: { family: 'text', storage: 'TEXT', result: 'text' },
  boolean: { family: 'boolean', storage: 'INTEGER', result: 'boolean' },
  // Microseconds since 1970, so that they sort and compare as numbers.
  timestamp: { family: 'time', storage: 'INTEGER', result: 'timestamp' },
  timestamptz: { family: 'time', storage: 'INTEGER', result: 'timestamp' },
  date: { family: 'time', storage: 'INTEGER', result: 'timestamp' },
  bytea: { family: 'bytea', storage: 'BLOB', result: 'bytes' },
  json: { family: 'json', storage: 'TEXT', result: 'json' },
  uuid: { family: 'uuid', storage: 'TEXT', result: 'text' },
}

export const familyOf = (type: ColumnType): Family => facts[type.name].family
export const storageOf = (type: ColumnType): string => facts[type.name].storage
export const resultTypeOf = (type: ColumnType | undefined): SqlType => (type ? facts[type.name].result : 'text')

export const isInteger = (type: ColumnType | undefined): boolean =>
  type?.name === 'smallint' || type?.name === 'integer' || type?.name === 'bigint'

export const integerRange = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
} as const satisfies Partial<Record<TypeName, readonly [bigint, bigint]>>

const aliases: Readonly<Record<string, TypeName>> = {
  int2: 'smallint',
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  decimal: 'numeric',
  float4: 'real',
  float: 'double precision',
  float8: 'double precision',
  'character varying': 'varchar',
  char: 'varchar',
  character: 'varchar',
  bool: 'boolean',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  jsonb: 'json',
}

/** Types whose columns number themselves. */
export const serialTypes: Readonly<Record<string, TypeName>> = {
  smallserial: 'smallint',
  serial2: 'smallint',
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
}

/** Digits that a double keeps exactly; numerics with more are refused rather than rounded unasked. */
export const numericDigits = 15
const varcharLimit = 10_485_760

/**
 * The type that a name of PostgreSQL stands for.
 * @throws DatabaseError SQL_REFUSED
 */
export function columnType(definition: DataTypeDef): ColumnType {
  if (definition.kind === 'array') refuse('an array type', 'a JSON column or a table of its own')
  const { name, config = [] } = definition
  const known = Object.hasOwn(facts, name) ? (name as TypeName) : aliases[name]
  if (!known) refuse(`the type ${name}`, Object.keys(facts).join(', '))
  const problem = sizeProblem(known, config)
  if (problem) refuse(`${name}(${config.join(', ')})`, problem)
  // `char` without a length is one character in PostgreSQL.
  const size = config[0] ?? (name === 'char' || name === 'character' ? 1 : undefined)
  if (known === 'varchar') return size === undefined ? { name: 'text' } : { name: 'varchar', size }
  if (known === 'numeric' && size !== undefined) return { name: 'numeric', size, scale: config[1] ?? 0 }
  return { name: known }
}

/** What is wrong with the numbers in a type's parentheses. */
export function sizeProblem(name: TypeName, config: readonly number[]): string | undefined {
  const [size, scale = 0] = config
  if (size === undefined) return undefined
  if (name === 'varchar') return size >= 1 && size <= varcharLimit ? undefined : `a length of 1 … ${varcharLimit}`
  if (name === 'numeric')
    return size >= 1 && size <= numericDigits && scale >= 0 && scale <= size
      ? undefined
      : `1 … ${numericDigits} digits, of which 0 … all after the point; text keeps more`
  return name === 'timestamp' || name === 'timestamptz' ? undefined : 'no parentheses'
}

export function typeText(type: ColumnType | undefined): string {
  if (!type) return 'unknown'
  if (type.size === undefined) return type.name
  return type.scale === undefined ? `${type.name}(${type.size})` : `${type.name}(${type.size},${type.scale})`
}

const tower: readonly TypeName[] = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision']

/** The type that holds values of both; undefined when there is none. */
export function commonType(a: ColumnType | undefined, b: ColumnType | undefined): ColumnType | undefined {
  if (!a || !b) return a ?? b
  if (familyOf(a) !== familyOf(b)) return undefined
  if (familyOf(a) === 'number') {
    const name = tower[Math.max(tower.indexOf(a.name), tower.indexOf(b.name))]!
    return a.name === b.name && a.size === b.size && a.scale === b.scale ? a : { name }
  }
  if (familyOf(a) === 'text') return { name: 'text' }
  if (a.name === b.name) return a
  return { name: a.name === 'timestamptz' || b.name === 'timestamptz' ? 'timestamptz' : 'timestamp' }
}
