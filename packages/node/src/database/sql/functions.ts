import type { ColumnType, Family } from './types.ts'

/** What an argument must be; `any` keeps the type it has. */
export type ArgumentKind = 'any' | 'number' | 'integer' | 'text' | 'time' | 'boolean' | 'json' | 'bytea'

export interface FunctionRule {
  readonly args: readonly ArgumentKind[]
  /** How many of `args` may be left out at the end. @default 0 */
  readonly optional?: number
  /** The last of `args` may be repeated. */
  readonly variadic?: boolean
  /** The result: a type, or that of the arguments together. */
  readonly result: ColumnType | 'same'
  /** The printed call. */
  readonly print: (args: readonly string[], types: readonly (ColumnType | undefined)[]) => string
}

const integer: ColumnType = { name: 'integer' }
const bigint: ColumnType = { name: 'bigint' }
const double: ColumnType = { name: 'double precision' }
const text: ColumnType = { name: 'text' }
const timestamp: ColumnType = { name: 'timestamp' }

const plain =
  (name: string): FunctionRule['print'] =>
  (args) =>
    `${name}(${args.join(', ')})`

const isInteger = (type: ColumnType | undefined) => type?.name.endsWith('int') || type?.name === 'integer'

/** Integers are whole already. */
const whole =
  (name: string): FunctionRule['print'] =>
  ([value], [type]) =>
    isInteger(type) ? value! : `${name}(${value})`

const trim = (name: string): FunctionRule => ({ args: ['text', 'text'], optional: 1, result: text, print: plain(name) })
const real = (name: string, args: readonly ArgumentKind[] = ['number']): FunctionRule => ({
  args,
  result: double,
  print: plain(name),
})
const same = (name: string): FunctionRule => ({ args: ['any'], variadic: true, result: 'same', print: plain(name) })

/** Functions of the dialect, all of them pure. */
export const scalarFunctions: Readonly<Record<string, FunctionRule>> = {
  abs: { args: ['number'], result: 'same', print: plain('abs') },
  sign: { args: ['number'], result: 'same', print: plain('sign') },
  ceil: { args: ['number'], result: 'same', print: whole('ceil') },
  ceiling: { args: ['number'], result: 'same', print: whole('ceil') },
  floor: { args: ['number'], result: 'same', print: whole('floor') },
  trunc: { args: ['number'], result: 'same', print: whole('trunc') },
  round: {
    args: ['number', 'integer'],
    optional: 1,
    result: 'same',
    print: ([value, digits], [type]) => {
      if (isInteger(type)) return value!
      // As in PostgreSQL, where only numeric rounds half away from zero.
      const even = digits === undefined && (type?.name === 'double precision' || type?.name === 'real')
      return even ? `w3b_round_even(${value})` : `w3b_round(${value}, ${digits ?? '0'})`
    },
  },
  mod: {
    args: ['integer', 'integer'],
    result: 'same',
    print: ([a, b]) => `w3b_remainder(${a}, ${b})`,
  },
  power: real('w3b_power', ['number', 'number']),
  pow: real('w3b_power', ['number', 'number']),
  sqrt: real('w3b_sqrt'),
  exp: real('w3b_exp'),
  ln: real('w3b_ln'),
  log: real('w3b_log'),
  lower: { args: ['text'], result: text, print: plain('lower') },
  upper: { args: ['text'], result: text, print: plain('upper') },
  length: { args: ['text'], result: integer, print: plain('length') },
  char_length: { args: ['text'], result: integer, print: plain('length') },
  character_length: { args: ['text'], result: integer, print: plain('length') },
  octet_length: { args: ['any'], result: integer, print: plain('octet_length') },
  substr: { args: ['text', 'integer', 'integer'], optional: 1, result: text, print: plain('substr') },
  substring: { args: ['text', 'integer', 'integer'], optional: 1, result: text, print: plain('substr') },
  left: { args: ['text', 'integer'], result: text, print: ([value, n]) => `substr(${value}, 1, max(${n}, 0))` },
  right: {
    args: ['text', 'integer'],
    result: text,
    print: ([value, n]) => `substr(${value}, -max(${n}, 0), max(${n}, 0))`,
  },
  replace: {
    args: ['text', 'text', 'text'],
    result: text,
    print: ([value, old, by]) => `replace(${value}, w3b_pattern(${old}), ${by})`,
  },
  trim: trim('trim'),
  btrim: trim('trim'),
  ltrim: trim('ltrim'),
  rtrim: trim('rtrim'),
  strpos: {
    args: ['text', 'text'],
    result: integer,
    print: ([value, part]) => `instr(${value}, w3b_pattern(${part}))`,
  },
  concat: { args: ['text'], variadic: true, result: text, print: plain('concat') },
  concat_ws: { args: ['text', 'text'], variadic: true, result: text, print: plain('concat_ws') },
  coalesce: {
    ...same('coalesce'),
    print: (args) => (args.length === 1 ? args[0]! : `coalesce(${args.join(', ')})`),
  },
  nullif: { args: ['any', 'any'], result: 'same', print: plain('nullif') },
  greatest: same('w3b_greatest'),
  least: same('w3b_least'),
  date_trunc: {
    args: ['text', 'time'],
    result: timestamp,
    print: plain('w3b_date_trunc'),
  },
  date_part: { args: ['text', 'time'], result: double, print: plain('w3b_extract') },
  to_timestamp: {
    args: ['number'],
    result: { name: 'timestamptz' },
    print: ([value]) => `w3b_bigint(CAST(${value} AS REAL) * 1000000.0)`,
  },
  json_array_length: { args: ['json'], result: integer, print: plain('json_array_length') },
  jsonb_array_length: { args: ['json'], result: integer, print: plain('json_array_length') },
}

export interface AggregateRule {
  readonly args: readonly ArgumentKind[]
  readonly name: string
  /** SQLite's own, many times faster, where 32-bit numbers cannot bring it to rounding or overflow. */
  readonly ofSmall?: string
  /** The result depends on the order of the values. @default false */
  readonly ordered?: boolean
  /** The result for an argument of a type. */
  result(type: ColumnType | undefined): ColumnType | undefined
}

/** PostgreSQL widens: sums of integers are bigint, sums of bigints and averages of integers numeric. */
const sumType = (type: ColumnType | undefined): ColumnType => {
  if (type?.name === 'bigint' || type?.name === 'numeric') return { name: 'numeric' }
  return isInteger(type) ? bigint : double
}
const averageType = (type: ColumnType | undefined): ColumnType =>
  isInteger(type) || type?.name === 'numeric' ? { name: 'numeric' } : double

export const aggregateFunctions: Readonly<Record<string, AggregateRule>> = {
  count: { args: ['any'], name: 'count', result: () => bigint },
  sum: { args: ['number'], name: 'w3b_sum', ofSmall: 'sum', result: sumType },
  avg: { args: ['number'], name: 'w3b_avg', ofSmall: 'avg', result: averageType },
  min: { args: ['any'], name: 'min', result: (type) => type },
  max: { args: ['any'], name: 'max', result: (type) => type },
  bool_and: { args: ['boolean'], name: 'min', result: (type) => type },
  every: { args: ['boolean'], name: 'min', result: (type) => type },
  bool_or: { args: ['boolean'], name: 'max', result: (type) => type },
  string_agg: { args: ['text', 'text'], name: 'group_concat', ordered: true, result: () => text },
}

const sourceOfChance = 'differs from member to member: use a parameter, or now() for the clock of the batch'

/** Why some well-known functions are not offered. */
export const refusedFunctions: Readonly<Record<string, string>> = Object.fromEntries(
  'random setseed clock_timestamp statement_timestamp timeofday gen_random_uuid uuid_generate_v4 nextval currval lastval setval txid_current pg_backend_pid version current_setting'
    .split(' ')
    .map((name) => [name, sourceOfChance]),
)

export const familyOfKind: Readonly<Partial<Record<ArgumentKind, Family>>> = {
  number: 'number',
  integer: 'number',
  text: 'text',
  time: 'time',
  boolean: 'boolean',
  json: 'json',
  bytea: 'bytea',
}

/** The type that a literal or parameter takes as an argument of a kind. */
export const typeOfKind: Readonly<Partial<Record<ArgumentKind, ColumnType>>> = {
  number: double,
  integer: bigint,
  text,
  time: timestamp,
  boolean: { name: 'boolean' },
  json: { name: 'json' },
  bytea: { name: 'bytea' },
}
