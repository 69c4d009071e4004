import type { SQLInputValue } from 'node:sqlite'
import type { SqlParam } from '../database.ts'
import { toInteger } from './convert.ts'
import { fail } from './refuse.ts'
import { parseTimestamp } from './time.ts'
import type { ColumnType } from './types.ts'

const types: Readonly<Record<SqlParam['type'], ColumnType | undefined>> = {
  int32: { name: 'integer' },
  int64: { name: 'bigint' },
  float32: { name: 'double precision' },
  float64: { name: 'double precision' },
  string: { name: 'text' },
  bool: { name: 'boolean' },
  bytes: { name: 'bytea' },
  time: { name: 'timestamptz' },
  null: undefined,
}

export function typesOfParams(params: readonly SqlParam[]): (ColumnType | undefined)[] {
  return params.map(({ type }) => types[type])
}

/** A parameter as the file holds values of its type. @throws DatabaseError SQL_FAILED */
export function bindParam(param: SqlParam): SQLInputValue {
  switch (param.type) {
    case 'int32':
      return toInteger(param.value, 'integer')
    case 'int64':
      return toInteger(param.value, 'bigint')
    case 'bool':
      return param.value ? 1n : 0n
    case 'time':
      return parseTimestamp(param.value)
    case 'null':
      return null
    case 'string':
      return param.value.includes('\0') ? fail('a NUL character in text') : param.value
    case 'float32':
    case 'float64':
    case 'bytes':
      return param.value
  }
}
