import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type {
  DatabaseDeps,
  DatabaseSchema,
  SimulatedDatabase,
  SqlParam,
  SqlRequest,
  SqlResult,
  SqlType,
  SqlValue,
  TableSchema,
} from './database.ts'
import { numberPlaces } from './statement.ts'

/** Declared types by the names of `PROJECT_DATABASE`. */
const columnTypes: Record<string, string> = {
  INT: 'INTEGER',
  INT8: 'INTEGER',
  INT16: 'INTEGER',
  INT32: 'INTEGER',
  UINT: 'INTEGER',
  UINT8: 'INTEGER',
  UINT16: 'INTEGER',
  UINT32: 'INTEGER',
  INT64: 'BIGINT',
  UINT64: 'BIGINT',
  FLOAT32: 'REAL',
  FLOAT64: 'REAL',
  TEXT: 'TEXT',
  BOOL: 'BOOLEAN',
  TIMESTAMP: 'BIGINT',
  DECIMAL: 'NUMERIC',
  NUMERIC: 'NUMERIC',
}

const resultTypes: Record<string, SqlType> = {
  INTEGER: 'integer',
  BIGINT: 'bigint',
  REAL: 'real',
  TEXT: 'text',
  BOOLEAN: 'boolean',
  NUMERIC: 'numeric',
}

/**
 * Tables in memory on SQLite: near enough to try an applet's statements without a node. Statements that only PostgreSQL
 * understands are refused here.
 */
export function openSqliteDatabase(schema: DatabaseSchema, deps: DatabaseDeps): SimulatedDatabase {
  const database = new DatabaseSync(':memory:')
  for (const { schema: name = 'public', tables } of schema.schemas ?? []) {
    database.exec(`ATTACH ':memory:' AS ${quoted(name)}`)
    for (const table of tables) createTable(database, name, table)
  }
  const run = (request: SqlRequest) => {
    try {
      return runStatement(database, request)
    } catch (error) {
      throw deps.fault('Sql', error instanceof Error ? error.message : String(error))
    }
  }
  return {
    execute: run,
    query(request) {
      database.exec('PRAGMA query_only = 1')
      try {
        return run(request)
      } finally {
        database.exec('PRAGMA query_only = 0')
      }
    },
    begin: () => database.exec('SAVEPOINT handler'),
    commit: () => database.exec('RELEASE handler'),
    rollback: () => database.exec('ROLLBACK TO handler; RELEASE handler'),
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function createTable(database: DatabaseSync, schema: string, table: TableSchema): void {
  const columns = table.cols.map(({ name, constrains }) => {
    const type = columnTypes[constrains.datatype]
    if (type === undefined) throw new Error(`${table.name}.${name}: unknown datatype ${constrains.datatype}`)
    if (constrains.autoincrement) return `${quoted(name)} INTEGER PRIMARY KEY AUTOINCREMENT`
    const fallback =
      constrains.default == null ? '' : ` DEFAULT ${constrains.default === '' ? "''" : constrains.default}`
    return `${quoted(name)} ${type}${constrains.null ? '' : ' NOT NULL'}${fallback}`
  })
  database.exec(`CREATE TABLE ${quoted(schema)}.${quoted(table.name)} (${columns.join(', ')})`)
  for (const [index, key] of (table.keys ?? []).entries()) {
    const parts = key.expr ? [key.expr] : key.columnNames.map(quoted)
    const name = `${quoted(schema)}.${quoted(`${table.name}_${index}`)}`
    database.exec(`CREATE ${key.isUnique ? 'UNIQUE ' : ''}INDEX ${name} ON ${quoted(table.name)} (${parts.join(', ')})`)
  }
}

function bound(param: SqlParam): SQLInputValue {
  if (param.type === 'null') return null
  return typeof param.value === 'boolean' ? Number(param.value) : param.value
}

function runStatement(database: DatabaseSync, request: SqlRequest): SqlResult {
  const numbered = numberPlaces(request.statement)
  if (numbered === undefined) throw new Error('one statement at a time')
  if (numbered.places !== request.params.length) {
    throw new Error(`${numbered.places} places but ${request.params.length} parameters`)
  }
  const statement = database.prepare(numbered.text)
  statement.setReadBigInts(true)
  const params = request.params.map(bound)
  const described = statement.columns()
  if (described.length === 0) {
    return { columns: [], rows: [], changes: Number(statement.run(...params).changes) }
  }
  statement.setReturnArrays(true)
  const raw = statement.all(...params) as unknown as SqlValue[][]
  const columns = described.map(({ name, type }, index) => ({ name, type: typeOf(type, raw[0]?.[index] ?? null) }))
  const rows = raw.map((row) => row.map((value, index) => converted(value, columns[index]!.type)))
  return { columns, rows, changes: 0 }
}

/** A column's declared type; an expression has none, so its first value decides. */
function typeOf(declared: string | null, value: SqlValue): SqlType {
  if (declared !== null) return resultTypes[declared] ?? 'text'
  if (typeof value === 'bigint') return 'bigint'
  if (typeof value === 'number') return 'real'
  if (value instanceof Uint8Array) return 'bytes'
  return value === null ? 'null' : 'text'
}

function converted(value: SqlValue, type: SqlType): SqlValue {
  if (type === 'boolean' && typeof value === 'bigint') return value !== 0n
  if (type === 'numeric' && value !== null) return String(value)
  return value
}
