import type { From, FromStatement, FromTable, JoinClause, Name } from 'pgsql-ast-parser'
import type { TableDefinition } from './catalog.ts'
import { nameProblem, physicalName, quoteName, quotePhysical } from './names.ts'
import { printCondition } from './print-expression.ts'
import { printSelect, settled } from './print-select.ts'
import { fail, refuse } from './refuse.ts'
import { rowKey } from './row-key.ts'
import { columnsOf, printedSource, Scope, type ScopeColumn, type Source } from './scope.ts'
import { commonType } from './types.ts'
import { printTick } from './watch.ts'

/** Prints FROM and adds what it names to the scope. */
export function printFrom(items: readonly From[], scope: Scope): string {
  // A comma binds looser than JOIN, the printed CROSS JOIN does not; only a RIGHT or FULL JOIN could tell.
  const commas = items.some((item, i) => i > 0 && !item.join)
  return items.map((item, i) => printItem(item, scope, i === 0, commas)).join('')
}

function printItem(item: From, scope: Scope, first: boolean, commas: boolean): string {
  if (item.type === 'call') return refuse(`the function ${item.function.name} in FROM`, 'tables and queries')
  const { sql, source } = item.type === 'table' ? printTable(item, scope) : printDerived(item, scope)
  if (!item.join?.on) scope.watch(source)
  if (!item.join) {
    scope.add(source)
    return first ? sql : ` CROSS JOIN ${sql}`
  }
  return printJoin(item.join, sql, source, scope, commas)
}

/** A table of the catalog or a common table expression. */
function printTable(item: FromTable, scope: Scope): { sql: string; source: Source } {
  const { schema, name, alias, columnNames } = item.name
  const bound = schema ? undefined : scope.bindings.get(name)
  const table = bound ? undefined : findTable(scope, item.name)
  const columns = bound ?? columnsOf(table!)
  if (columnNames?.length) refuse('column names after the alias of a table', 'AS in the query that reads it')
  const printed = printedSource(scope.compilation, alias ?? name)
  return {
    sql: `${bound ? bindingName(name) : quotePhysical(physicalName(item.name))} AS ${printed}`,
    source: {
      alias: alias ?? name,
      printed,
      columns,
      ...(table && { key: `${printed}.${rowKey(table.columns)}` }),
    },
  }
}

function findTable(scope: Scope, name: { schema?: string; name: string }): TableDefinition {
  const physical = physicalName(name)
  return scope.compilation.catalog.get(name.schema ?? 'public', name.name) ?? fail(`table ${physical} does not exist`)
}

/** A common table expression has a dot in its printed name, so that it is never one of the node's tables. */
export function bindingName(name: string): string {
  quoteName(name)
  return quotePhysical(`with.${name}`)
}

function printDerived(item: FromStatement, scope: Scope): { sql: string; source: Source } {
  if (nameProblem(item.alias)) quoteName(item.alias)
  // What stands beside a query in FROM is not visible in it; what stands around is.
  const around = new Scope(scope.compilation, { parent: scope.parent, bindings: scope.bindings })
  const names = item.columnNames?.map(({ name }) => name)
  const select = printSelect(item.statement, around, { names })
  const printed = printedSource(scope.compilation, item.alias)
  return {
    sql: `(${select.sql}) AS ${printed}`,
    source: { alias: item.alias, printed, columns: settled(select.columns) },
  }
}

function printJoin(join: JoinClause, sql: string, source: Source, scope: Scope, commas: boolean): string {
  if (commas && join.type !== 'INNER JOIN' && join.type !== 'CROSS JOIN' && join.type !== 'LEFT JOIN')
    refuse(`${join.type} after a comma`, 'JOIN all the way')
  const left = join.type === 'LEFT JOIN' || join.type === 'FULL JOIN'
  const right = join.type === 'RIGHT JOIN' || join.type === 'FULL JOIN'
  if (right) scope.sources.splice(0, scope.sources.length, ...scope.sources.map(nullable))
  const using = join.using?.map((column) => mergedColumn(column, source, scope))
  scope.add(left ? nullable(source) : source)
  for (const column of using ?? []) scope.merged.set(column.name, column)
  const watched = scope.compilation.watched ? `${printTick(source)} AND ` : ''
  const on = join.on ? ` ON ${watched}(${printCondition(join.on, scope, 'JOIN')})` : ''
  const names = using ? ` USING (${using.map(({ name }) => quoteName(name)).join(', ')})` : ''
  if (!on && !names && join.type !== 'CROSS JOIN') fail(`${join.type} needs ON or USING`)
  return ` ${join.type} ${sql}${on}${names}`
}

function nullable(source: Source): Source {
  return { ...source, columns: source.columns.map((column) => ({ ...column, notNull: false })) }
}

function mergedColumn({ name }: Name, source: Source, scope: Scope): ScopeColumn {
  const { column } = scope.resolve(name)
  const other = source.columns.find((candidate) => candidate.name === name)
  if (!other) return fail(`column ${name} does not exist in ${source.alias}`)
  const type = commonType(column.type, other.type)
  if (!type) fail(`the two columns ${name} have types that do not go together`)
  return { name, type, notNull: column.notNull && other.notNull }
}
