import type { DatabaseSchema, TableSchema } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import type { ColumnDefinition, IndexDefinition, TableDefinition } from '../sql/catalog.ts'
import type { Default } from '../sql/constant.ts'
import type { DefineNeeds } from '../sql/define.ts'
import { statementLimits } from '../sql/limits.ts'
import { nameProblem, physicalName } from '../sql/names.ts'
import { type ColumnType, isInteger } from '../sql/types.ts'
import { typeOfDatatype } from './datatypes.ts'
import { readDefault } from './default.ts'

/** Tables that one schema may declare. */
const tableLimit = 200
const methods = ['', 'btree']

/**
 * Turns a project's configuration into tables, or lists everything that is wrong with it.
 * @throws DatabaseError SCHEMA_INVALID
 */
export function readSchema(schema: DatabaseSchema, needs: DefineNeeds): TableDefinition[] {
  const problems: string[] = []
  if (schema.dialect !== undefined && schema.dialect !== 'POSTGRES')
    problems.push(`dialect ${JSON.stringify(schema.dialect)}: POSTGRES`)
  const tables = list(schema.schemas).flatMap((part, s) => {
    const path = `schemas[${s}]`
    const name = part.schema || 'public'
    const problem = schemaProblem(name)
    if (problem) problems.push(`${path}.schema ${JSON.stringify(name)}: ${problem}`)
    return list(part.tables).map((table, t) =>
      new TableReader(name, table, `${path}.tables[${t}]`, needs, problems).read(),
    )
  })
  if (tables.length > tableLimit) problems.push(`schemas: ${tables.length} tables, at most ${tableLimit}`)
  problems.push(
    ...repeated(tables.map((table) => `${table.schema}.${table.name}`)).map((name) => `schemas: table ${name} twice`),
  )
  if (problems.length > 0) throw new DatabaseError({ code: 'SCHEMA_INVALID', problems })
  return tables
}

function schemaProblem(name: string): string | undefined {
  try {
    physicalName({ schema: name, name: 't' })
    return undefined
  } catch {
    return nameProblem(name) ?? 'a schema of your own'
  }
}

/** What came from outside may lack what its type promises. */
function list<T>(items: readonly T[] | undefined | null): readonly T[] {
  return Array.isArray(items) ? items : []
}

function repeated(given: readonly string[]): string[] {
  const names = given.filter((name) => typeof name === 'string')
  const folded = names.map((name) => name.toLowerCase())
  return names.filter((_, i) => folded.indexOf(folded[i]!) !== i)
}

class TableReader {
  readonly #schema: string
  readonly #table: TableSchema
  readonly #path: string
  readonly #needs: DefineNeeds
  readonly #problems: string[]

  constructor(schema: string, table: TableSchema, path: string, needs: DefineNeeds, problems: string[]) {
    this.#schema = schema
    this.#table = table
    this.#path = path
    this.#needs = needs
    this.#problems = problems
  }

  read(): TableDefinition {
    const { name } = this.#table
    this.#checkName(name, 'name')
    const cols = list(this.#table.cols)
    if (cols.length === 0) this.#problem('cols', 'at least one column')
    if (cols.length > statementLimits.columns)
      this.#problem('cols', `${cols.length}, at most ${statementLimits.columns}`)
    const columns = cols.map((column, i) => this.#column(column, `cols[${i}]`))
    for (const twice of repeated(columns.map((column) => column.name))) this.#problem('cols', `column ${twice} twice`)
    if (columns.filter(({ serial }) => serial).length > 1)
      this.#problem('cols', 'at most one column with autoincrement')
    const indexes = list(this.#table.keys).map((key, i) => this.#key(key, `keys[${i}]`, columns))
    for (const twice of repeated(indexes.map((index) => index.name))) this.#problem('keys', `key ${twice} twice`)
    return { schema: this.#schema, name, columns, uniques: [], checks: [], indexes }
  }

  #column(column: TableSchema['cols'][number], path: string): ColumnDefinition {
    this.#checkName(column.name, `${path}.name`)
    const constrains = column.constrains ?? { datatype: '' }
    const type = typeOfDatatype(constrains)
    const notNull = constrains.null !== true
    if ('problem' in type) {
      this.#problem(`${path}.constrains`, type.problem)
      return { name: column.name, type: { name: 'text' }, notNull }
    }
    if (constrains.autoincrement) {
      if (!isInteger(type)) this.#problem(`${path}.constrains.autoincrement`, 'only on INT and UINT types')
      return { name: column.name, type, notNull: true, serial: true }
    }
    const value = this.#default(constrains.default, type, `${path}.constrains.default`)
    return value === undefined
      ? { name: column.name, type, notNull }
      : { name: column.name, type, notNull, default: value }
  }

  #default(text: string | null | undefined, type: ColumnType, path: string): Default | undefined {
    if (text === undefined || text === null) return undefined
    try {
      return readDefault(text, type, this.#needs)
    } catch (error) {
      this.#problem(path, `${JSON.stringify(text)}: ${(error as Error).message}`)
      return undefined
    }
  }

  /**
   * The name a user gives is not used, as in the first generation: `<table>_` + `primary`, `ui` or `i` + columns, after
   * another `<table>_`.
   */
  #key(
    key: NonNullable<TableSchema['keys']>[number],
    path: string,
    columns: readonly ColumnDefinition[],
  ): IndexDefinition {
    const names = list(key.columnNames)
    if (names.length === 0) this.#problem(`${path}.columnNames`, 'at least one column')
    for (const twice of repeated(names)) this.#problem(`${path}.columnNames`, `${twice} twice`)
    for (const name of names)
      if (!columns.some((column) => column.name === name))
        this.#problem(`${path}.columnNames`, `${JSON.stringify(name)}: a column of the table`)
    if (!methods.includes((key.method ?? '').toLowerCase()))
      this.#problem(`${path}.method`, `${JSON.stringify(key.method)}: btree`)
    if (key.expr) this.#problem(`${path}.expr`, `${JSON.stringify(key.expr)}: columnNames; expressions by CREATE INDEX`)
    const unique = key.isUnique === true
    const primary = unique && /^primary$|pkey$/i.test(key.name ?? '')
    const kind = primary ? 'primary' : unique ? 'ui' : 'i'
    const { name: table } = this.#table
    const terms = names.map((name) => ({ expression: { type: 'ref' as const, name } }))
    return { name: `${table}_${table}_${kind}_${names.join('_')}`, unique, terms }
  }

  #checkName(name: unknown, path: string): void {
    const problem = typeof name === 'string' ? nameProblem(name) : 'a name'
    if (problem) this.#problem(path, `${JSON.stringify(name)}: ${problem}`)
  }

  #problem(where: string, what: string): void {
    this.#problems.push(`${this.#path}.${where} ${what}`)
  }
}
