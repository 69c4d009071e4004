import type {
  DeleteStatement,
  Expr,
  InsertStatement,
  OnConflictAction,
  QNameAliased,
  SelectedColumn,
  SelectStatement,
  SetStatement,
  UpdateStatement,
  ValuesStatement,
} from 'pgsql-ast-parser'
import { assign } from './cast.ts'
import type { ColumnDefinition, TableDefinition } from './catalog.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { printCondition, printExpression } from './print-expression.ts'
import { printFrom } from './print-from.ts'
import { type PrintedSelect, printOutputs, printSelect } from './print-select.ts'
import { fail, refuse } from './refuse.ts'
import { columnsOf, printedSource, Scope, type ScopeColumn, type Source } from './scope.ts'

/** A printed statement; without columns it answers none. */
export interface PrintedWrite {
  readonly sql: string
  readonly columns: readonly ScopeColumn[]
}

export function printInsert(node: InsertStatement, around: Scope): PrintedWrite {
  const { table, source } = target(node.into, around)
  const given = node.columns?.map(({ name }) => columnOf(table, name))
  const values =
    node.insert.type === 'values'
      ? insertedValues(node.insert, table, given, around)
      : insertedQuery(node.insert, table, given, around)
  const names = values.columns.map(({ name }) => quoteName(name)).join(', ')
  const conflict = node.onConflict ? printConflict(node.onConflict, table, source, around) : ''
  const returning = printReturning(node.returning, table, source, around)
  return {
    sql: `INSERT INTO ${physical(node.into)} AS ${source.printed} (${names}) ${values.sql}${conflict}${returning.sql}`,
    columns: returning.columns,
  }
}

interface Inserted {
  readonly sql: string
  readonly columns: readonly ColumnDefinition[]
}

function insertedValues(
  node: ValuesStatement,
  table: TableDefinition,
  given: ColumnDefinition[] | undefined,
  around: Scope,
): Inserted {
  const width = node.values[0]?.length ?? 0
  const columns = given ?? table.columns.slice(0, width)
  if (node.values.some((row) => row.length !== columns.length))
    fail(`INSERT names ${columns.length} columns and gives another number of values`)
  const scope = new Scope(around.compilation, { parent: around, bindings: around.bindings })
  const rows = node.values.map((row) => row.map((value, i) => assigned(value, columns[i]!, scope)).join(', '))
  return { sql: `VALUES ${rows.map((row) => `(${row})`).join(', ')}`, columns }
}

function insertedQuery(
  node: SelectStatement,
  table: TableDefinition,
  given: ColumnDefinition[] | undefined,
  around: Scope,
): Inserted {
  const select = printSelect(node, around)
  const columns = given ?? table.columns.slice(0, select.columns.length)
  if (columns.length !== select.columns.length)
    fail(`INSERT names ${columns.length} columns and the query gives ${select.columns.length}`)
  const names = columns.map((_, i) => `c${i + 1}`)
  const list = columns.map((column, i) => {
    const { type } = select.columns[i]!
    // A literal in the query takes the type of the column.
    return assign(
      { sql: names[i]!, type: type ?? { name: 'text' }, soft: type === undefined },
      column.type,
      column.name,
    )
  })
  const source = quotePhysical('with.inserted')
  // `WHERE true` keeps SQLite from taking ON CONFLICT for a join's ON.
  return {
    sql: `WITH ${source}(${names.join(', ')}) AS (${select.sql}) SELECT ${list.join(', ')} FROM ${source} WHERE true`,
    columns,
  }
}

/** A value for a column. DEFAULT is written out, because SQLite knows it only for whole rows. */
function assigned(value: Expr, column: ColumnDefinition, scope: Scope): string {
  if (value.type === 'default') return column.default ?? 'NULL'
  return assign(printExpression(value, scope), column.type, column.name)
}

function printConflict(node: OnConflictAction, table: TableDefinition, source: Source, around: Scope): string {
  if (node.on?.type === 'on constraint') refuse('ON CONFLICT ON CONSTRAINT', 'ON CONFLICT (columns)')
  const columns = node.on?.exprs.map((term) => {
    if (term.type !== 'ref') return refuse('an expression in ON CONFLICT', 'columns')
    return quoteName(columnOf(table, term.name).name)
  })
  const on = columns ? ` (${columns.join(', ')})` : ''
  if (node.do === 'do nothing') return ` ON CONFLICT${on} DO NOTHING`
  if (!columns) fail('ON CONFLICT DO UPDATE needs columns')
  const scope = new Scope(around.compilation, { bindings: around.bindings })
  scope.add(source)
  scope.add({ alias: 'excluded', printed: 'excluded', columns: columnsOf(table) })
  // A bare name means the row that is there.
  const own = new Scope(around.compilation, { parent: scope, bindings: around.bindings })
  own.add(source)
  const sets = printSets(node.do.sets, table, own)
  const where = node.where ? ` WHERE ${printCondition(node.where, own, 'WHERE')}` : ''
  return ` ON CONFLICT${on} DO UPDATE SET ${sets}${where}`
}

export function printUpdate(node: UpdateStatement, around: Scope): PrintedWrite {
  const { table, source, scope } = target(node.table, around)
  const from = node.from ? ` FROM ${printFrom([node.from], scope)}` : ''
  const sets = printSets(node.sets, table, scope)
  const where = node.where ? ` WHERE ${printCondition(node.where, scope, 'WHERE')}` : ''
  const returning = printReturning(node.returning, table, source, around)
  return {
    sql: `UPDATE ${physical(node.table)} AS ${source.printed} SET ${sets}${from}${where}${returning.sql}`,
    columns: returning.columns,
  }
}

export function printDelete(node: DeleteStatement, around: Scope): PrintedWrite {
  const { table, source, scope } = target(node.from, around)
  const where = node.where ? ` WHERE ${printCondition(node.where, scope, 'WHERE')}` : ''
  const returning = printReturning(node.returning, table, source, around)
  return {
    sql: `DELETE FROM ${physical(node.from)} AS ${source.printed}${where}${returning.sql}`,
    columns: returning.columns,
  }
}

function printSets(sets: readonly SetStatement[], table: TableDefinition, scope: Scope): string {
  return sets
    .map(({ column, value }) => {
      const definition = columnOf(table, column.name)
      return `${quoteName(column.name)} = ${assigned(value, definition, scope)}`
    })
    .join(', ')
}

/** SQLite takes no qualified names in RETURNING. */
function printReturning(
  columns: readonly SelectedColumn[] | null | undefined,
  table: TableDefinition,
  source: Source,
  around: Scope,
): PrintedSelect {
  if (!columns?.length) return { sql: '', columns: [] }
  const scope = new Scope(around.compilation, { bindings: around.bindings })
  scope.add({ alias: source.alias, printed: '', columns: columnsOf(table) })
  const outputs = printOutputs(columns, scope)
  return {
    sql: ` RETURNING ${outputs.map(({ sql, name }) => `${sql} AS ${quoteName(name)}`).join(', ')}`,
    columns: outputs.map(({ name, type, notNull }) => ({ name, type, notNull: notNull ?? false })),
  }
}

function target(name: QNameAliased, around: Scope): { table: TableDefinition; source: Source; scope: Scope } {
  const table = findTable(name, around)
  const alias = name.alias ?? name.name
  const source = { alias, printed: printedSource(around.compilation, alias), columns: columnsOf(table) }
  const scope = new Scope(around.compilation, { bindings: around.bindings })
  scope.add(source)
  return { table, source, scope }
}

function findTable(name: { schema?: string; name: string }, around: Scope): TableDefinition {
  const text = physicalName(name)
  return around.compilation.catalog.get(name.schema ?? 'public', name.name) ?? fail(`table ${text} does not exist`)
}

function physical(name: { schema?: string; name: string }): string {
  return quotePhysical(physicalName(name))
}

function columnOf(table: TableDefinition, name: string): ColumnDefinition {
  return table.columns.find((column) => column.name === name) ?? fail(`column ${name} of ${table.name} does not exist`)
}
