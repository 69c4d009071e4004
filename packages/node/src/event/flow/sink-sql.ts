import type { DatabaseSchema, SqlParam, SqlRequest, TableSchema } from '../../database/database.ts'
import type { FlowTable } from '../../project/flow.ts'
import { asText, type Fields, SinkRefusal } from './fields.ts'
import type { Report } from './problem.ts'

/** Inserts one row for each result. */
export interface SqlSink {
  readonly type: 'sql'
  readonly statement: string
  readonly columns: readonly { readonly name: string; readonly field: string; readonly datatype: string }[]
}

const path = ['sink', 'sinkInfo', 'DBInfo'] as const

/** @param database the tables of the project, which say of which type each column is */
export function readSqlSink(
  table: FlowTable | null | undefined,
  database: DatabaseSchema,
  report: Report,
): SqlSink | undefined {
  if (!table) return void report(path, 'the sink RMDB wants a table and its columns')
  if (table.endpoint)
    report([...path, 'endpoint'], 'a flow writes to tables of its project; leave the address of another database out')
  if (table.DBType && table.DBType.toLowerCase() !== 'postgres')
    report([...path, 'DBType'], `"${table.DBType}" is not postgres, the dialect of the project's tables`)
  const found = findTable(table.table, database)
  if (!found) return void report([...path, 'table'], `the project has no table "${table.table}"`)
  if (!table.columns?.length) return void report([...path, 'columns'], 'names no column')
  const columns = table.columns.flatMap((given, i) => {
    const { name, field } = typeof given === 'string' ? { name: given, field: given } : given
    const column = found.table.cols.find((col) => col.name === name)
    if (!column) report([...path, 'columns', i], `the table has no column "${name}"`)
    return column ? [{ name, field, datatype: column.constrains.datatype }] : []
  })
  const names = columns.map(({ name }) => quote(name)).join(', ')
  const places = columns.map((_, i) => `$${i + 1}`).join(', ')
  const statement = `INSERT INTO ${quote(found.schema)}.${quote(found.table.name)} (${names}) VALUES (${places})`
  return { type: 'sql', statement, columns }
}

/** @throws SinkRefusal when a field is not of its column's type */
export function insertOf({ statement, columns }: SqlSink, fields: Fields): SqlRequest {
  return { statement, params: columns.map((column) => toParam(column, fields.get(column.field))) }
}

function findTable(name: string, { schemas }: DatabaseSchema): { schema: string; table: TableSchema } | undefined {
  const dot = name.indexOf('.')
  const wanted = dot < 0 ? { schema: 'public', name } : { schema: name.slice(0, dot), name: name.slice(dot + 1) }
  for (const { schema = 'public', tables } of schemas ?? []) {
    const table = schema === wanted.schema ? tables.find((one) => one.name === wanted.name) : undefined
    if (table) return { schema, table }
  }
  return undefined
}

function toParam({ name, datatype }: SqlSink['columns'][number], value: unknown): SqlParam {
  if (value === undefined || value === null) return { type: 'null' }
  if (/^(U?INT\d*|TIMESTAMP)$/.test(datatype)) return { type: 'int64', value: toInteger(name, value) }
  if (/^(FLOAT\d*|DECIMAL|NUMERIC)$/.test(datatype)) return { type: 'float64', value: toNumber(name, value) }
  if (datatype === 'BOOL') return { type: 'bool', value: toBool(name, value) }
  return { type: 'string', value: asText(value) }
}

function toInteger(name: string, value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value))
    return BigInt(value)
  throw wrong(name, value, 'a whole number')
}

function toNumber(name: string, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw wrong(name, value, 'a number')
}

function toBool(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw wrong(name, value, 'true or false')
}

function wrong(name: string, value: unknown, wanted: string): SinkRefusal {
  return new SinkRefusal(`column "${name}" wants ${wanted}, not ${asText(value).slice(0, 80)}`)
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
