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
import { printClock } from './clock.ts'
import { printDefaultValue } from './constant.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { printCondition, printExpression } from './print-expression.ts'
import { printFrom } from './print-from.ts'
import { printOutputs, printSelect } from './print-select.ts'
import { fail, refuse } from './refuse.ts'
import { rowKey } from './row-key.ts'
import { columnsOf, printedSource, Scope, type ScopeColumn, type Source } from './scope.ts'

/** A printed statement; without columns it answers none. */
export interface PrintedWrite {
  readonly sql: string
  readonly columns: readonly ScopeColumn[]
  /** Behind the columns each row has its number. @default false */
  readonly numbered?: boolean
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
  const others = defaulted(table, columns)
  const rest = others.map((column) => valueByDefault(column, scope))
  const rows = node.values.map((row) =>
    [...row.map((value, i) => assigned(value, columns[i]!, scope)), ...rest].join(', '),
  )
  return { sql: `VALUES ${rows.map((row) => `(${row})`).join(', ')}`, columns: [...columns, ...others] }
}

function insertedQuery(
  node: SelectStatement,
  table: TableDefinition,
  given: ColumnDefinition[] | undefined,
  around: Scope,
): Inserted {
  const select = printSelect(node, around, { ordered: true })
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
  const others = defaulted(table, columns)
  list.push(...others.map((column) => valueByDefault(column, around)))
  const source = quotePhysical('with.inserted')
  // `WHERE true` keeps SQLite from taking ON CONFLICT for a join's ON.
  return {
    sql: `WITH ${source}(${names.join(', ')}) AS (${select.sql}) SELECT ${list.join(', ')} FROM ${source} WHERE true`,
    columns: [...columns, ...others],
  }
}

/** Columns that an INSERT does not name and that have a default. It is written out, so that no backend has its own idea of it. */
function defaulted(table: TableDefinition, named: readonly ColumnDefinition[]): ColumnDefinition[] {
  return table.columns.filter((column) => column.default !== undefined && !named.includes(column))
}

function valueByDefault(column: ColumnDefinition, scope: Scope): string {
  const clock = () => assign(printClock('now', scope), column.type, column.name)
  return column.default ? printDefaultValue(column.default, clock) : 'NULL'
}

/** A value for a column. */
function assigned(value: Expr, column: ColumnDefinition, scope: Scope): string {
  if (value.type === 'default') return valueByDefault(column, scope)
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
  const from = node.from ? ` CROSS JOIN ${printFrom([node.from], scope)}` : ''
  const sets = node.sets.map(({ column, value }) => ({
    name: quoteName(columnOf(table, column.name).name),
    value: assigned(value, columnOf(table, column.name), scope),
  }))
  const where = scope.where(node.where && printCondition(node.where, scope, 'WHERE'))
  const returning = printReturning(node.returning, table, source, around, rowKey(table.columns))
  const change =
    node.from || touchesUnique(table, node.sets)
      ? printOrderedSets(physical(node.table), source, table, sets, { from, where, grouped: node.from !== undefined })
      : ` SET ${sets.map(({ name, value }) => `${name} = ${value}`).join(', ')}${where}`
  return { ...returning, sql: `UPDATE ${physical(node.table)} AS ${source.printed}${change}${returning.sql}` }
}

/**
 * Computes the values in a query before any row is changed. SQLite then changes the rows by their numbers, so that a unique
 * column is checked in an order that no plan decides; and a row that several others match fails instead of taking either.
 */
function printOrderedSets(
  table: string,
  { printed }: Source,
  { columns }: TableDefinition,
  sets: readonly { name: string; value: string }[],
  { from, where, grouped }: { from: string; where: string; grouped: boolean },
): string {
  const key = rowKey(columns)
  const value = (sql: string) => (grouped ? `w3b_only(${sql})` : sql)
  const values = sets.map((set, i) => `${value(set.value)} AS c${i + 1}`).join(', ')
  const group = grouped ? ` GROUP BY ${printed}.${key}` : ''
  const changes = quotePhysical('with.changes')
  const list = sets.map(({ name }, i) => `${name} = ${changes}.c${i + 1}`).join(', ')
  const query = `SELECT ${printed}.${key} AS k, ${values} FROM ${table} AS ${printed}${from}${where}${group}`
  return ` SET ${list} FROM (${query}) AS ${changes} WHERE ${changes}.k = ${printed}.${key}`
}

function touchesUnique(table: TableDefinition, sets: readonly SetStatement[]): boolean {
  const changed = new Set(sets.map(({ column }) => column.name))
  const uniques = table.indexes.filter(({ unique }) => unique)
  return (
    table.columns.some(({ name, serial }) => serial && changed.has(name)) ||
    table.uniques.flat().some((name) => changed.has(name)) ||
    // What an expression names is not looked for: any column may be in it.
    uniques.some(({ terms }) =>
      terms.some(({ expression }) => expression.type !== 'ref' || changed.has(expression.name)),
    ) ||
    uniques.some(({ where }) => where !== undefined)
  )
}

export function printDelete(node: DeleteStatement, around: Scope): PrintedWrite {
  const { table, source, scope } = target(node.from, around)
  const where = scope.where(node.where && printCondition(node.where, scope, 'WHERE'))
  const returning = printReturning(node.returning, table, source, around, rowKey(table.columns))
  return { ...returning, sql: `DELETE FROM ${physical(node.from)} AS ${source.printed}${where}${returning.sql}` }
}

function printSets(sets: readonly SetStatement[], table: TableDefinition, scope: Scope): string {
  return sets
    .map(({ column, value }) => {
      const definition = columnOf(table, column.name)
      return `${quoteName(column.name)} = ${assigned(value, definition, scope)}`
    })
    .join(', ')
}

/**
 * SQLite takes no qualified names in RETURNING.
 * @param key adds the number of the row, by which the rows are to be ordered: they come as the plan found them
 */
function printReturning(
  columns: readonly SelectedColumn[] | null | undefined,
  table: TableDefinition,
  source: Source,
  around: Scope,
  key?: string,
): PrintedWrite {
  if (!columns?.length) return { sql: '', columns: [] }
  const scope = new Scope(around.compilation, { bindings: around.bindings })
  scope.add({ alias: source.alias, printed: '', columns: columnsOf(table) })
  const outputs = printOutputs(columns, scope)
  return {
    sql: ` RETURNING ${outputs.map(({ sql, name }) => `${sql} AS ${quoteName(name)}`).join(', ')}${key ? `, ${key}` : ''}`,
    numbered: key !== undefined,
    columns: outputs.map(({ name, type, notNull }) => ({ name, type, notNull: notNull ?? false })),
  }
}

function target(name: QNameAliased, around: Scope): { table: TableDefinition; source: Source; scope: Scope } {
  const table = findTable(name, around)
  const alias = name.alias ?? name.name
  const source = { alias, printed: printedSource(around.compilation, alias), columns: columnsOf(table) }
  const scope = new Scope(around.compilation, { bindings: around.bindings })
  scope.add(source)
  scope.watch({ ...source, key: `${source.printed}.${rowKey(table.columns)}` })
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
