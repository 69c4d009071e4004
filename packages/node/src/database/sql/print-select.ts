import type {
  Expr,
  SelectedColumn,
  SelectFromStatement,
  SelectFromUnion,
  SelectStatement,
  ValuesStatement,
  WithStatement,
} from 'pgsql-ast-parser'
import { coerce, type Printed } from './cast.ts'
import { statementLimits } from './limits.ts'
import { quoteName } from './names.ts'
import { printOrder } from './print-call.ts'
import { printCondition, printExpression, typeOfAll } from './print-expression.ts'
import { bindingName, printFrom } from './print-from.ts'
import { fail, refuse } from './refuse.ts'
import { type Bindings, Scope, type ScopeColumn } from './scope.ts'
import { commonType } from './types.ts'

/** A printed query with what it answers. */
export interface PrintedSelect {
  readonly sql: string
  readonly columns: readonly ScopeColumn[]
  /** It has one row at most, whatever the tables hold. */
  readonly single: boolean
}

export interface SelectOptions {
  /** Names for the columns instead of their own. */
  readonly names?: readonly string[]
  /** Whether the order of the rows shows. @default false: only what a LIMIT needs is ordered */
  readonly ordered?: boolean
}

/** A query within an expression: sees the names around it. */
export function printSubselect(node: SelectStatement, scope: Scope): PrintedSelect {
  const inner = new Scope(scope.compilation, { parent: scope })
  return printSelect(node, inner)
}

/**
 * Prints a query.
 * @param around the scope whose names and bindings it sees
 */
export function printSelect(node: SelectStatement, around: Scope, options: SelectOptions = {}): PrintedSelect {
  switch (node.type) {
    case 'select':
      return printPlain(node, around, options)
    case 'union':
    case 'union all':
      return printUnion(node, around, options)
    case 'values':
      return printValues(node, around, options.names)
    case 'with':
      return printWith(node, around, options)
    default:
      return refuse(node.type.toUpperCase(), 'WITH without RECURSIVE')
  }
}

function printPlain(node: SelectFromStatement, around: Scope, options: SelectOptions): PrintedSelect {
  const scope = new Scope(around.compilation, { parent: around, bindings: around.bindings })
  if (Array.isArray(node.distinct)) refuse('DISTINCT ON', 'DISTINCT or GROUP BY')
  const from = node.from?.length ? ` FROM ${printFrom(node.from, scope)}` : ''
  const where = scope.where(node.where && printCondition(node.where, scope, 'WHERE'))
  const groups = printGroups(node, scope)
  scope.aggregates = 'allowed'
  const outputs = printOutputs(node.columns ?? [], scope, options.names)
  const having = node.having ? ` HAVING ${printCondition(node.having, scope, 'HAVING')}` : ''
  const order = printOrderBy(node, outputs, scope)
  const single = isSingle(groups, scope)
  if (!single && (options.ordered || node.limit)) order.push(...completion(node, outputs, groups, scope))
  const [bare] = scope.bare
  if (bare && (groups.length > 0 || scope.sawAggregate)) fail(`column ${bare} must be in GROUP BY or in an aggregate`)
  scope.aggregates = 'forbidden'
  const group = groups.length > 0 ? ` GROUP BY ${groups.join(', ')}` : ''
  const list = outputs.map(({ sql, name }) => `${sql} AS ${quoteName(name)}`).join(', ')
  const distinct = node.distinct === 'distinct' ? 'DISTINCT ' : ''
  return {
    sql: `SELECT ${distinct}${list}${from}${where}${group}${having}${orderBy(order)}${printLimit(node, scope)}`,
    columns: outputs.map(({ name, type, notNull }) => ({ name, type, notNull: notNull ?? false })),
    single,
  }
}

function orderBy(terms: readonly string[]): string {
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`
}

function isSingle(groups: readonly string[], scope: Scope): boolean {
  return groups.length === 0 && (scope.sawAggregate || scope.sources.length === 0)
}

/**
 * What makes an order total, behind the terms that the statement gives: the groups; else the numbers of the rows of all
 * tables; else, where equal rows cannot be told apart, all that is selected. In the direction of the last term given, which
 * an index can follow.
 */
function completion(
  node: SelectFromStatement,
  outputs: readonly Output[],
  groups: readonly string[],
  scope: Scope,
): string[] {
  const descending = node.orderBy?.at(-1)?.order === 'DESC' ? ' DESC' : ''
  const direct = node.distinct === 'distinct' ? undefined : groups.length > 0 ? groups : scope.keys()
  return (direct ?? positions(outputs.length)).map((term) => term + descending)
}

function positions(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i + 1))
}

interface Output extends Printed {
  readonly name: string
}

/** Prints what is selected; `*` column by column, so that names and types of the result are known. */
export function printOutputs(columns: readonly SelectedColumn[], scope: Scope, names?: readonly string[]): Output[] {
  const outputs = columns.flatMap((column) => printOutput(column, scope))
  if (outputs.length === 0) fail('nothing is selected')
  if (outputs.length > statementLimits.columns)
    refuse(`${outputs.length} columns`, `at most ${statementLimits.columns}`)
  if (!names) return outputs
  if (names.length > outputs.length) fail(`${names.length} names for ${outputs.length} columns`)
  return outputs.map((output, i) => ({ ...output, name: names[i] ?? output.name }))
}

function printOutput({ expr, alias }: SelectedColumn, scope: Scope): Output[] {
  if (expr.type === 'ref' && expr.name === '*') return printStar(expr.table?.name, scope)
  const printed = scope.groupTerms.get(expr) ?? printExpression(expr, scope)
  return [{ ...printed, name: alias?.name ?? nameOf(expr) }]
}

function printStar(table: string | undefined, scope: Scope): Output[] {
  const sources = scope.sources.filter(({ alias }) => table === undefined || alias === table)
  if (sources.length === 0) fail(table ? `table ${table} is not in FROM` : '* without FROM')
  const merged = table === undefined ? [...scope.merged.keys()].map((name) => ({ name, table: undefined })) : []
  const own = sources.flatMap(({ alias, columns }) =>
    columns
      .filter(({ name }) => table !== undefined || !scope.merged.has(name))
      .map(({ name }) => ({ name, table: alias })),
  )
  return [...merged, ...own].map(({ name, table: of }) => {
    const { sql, column } = scope.resolve(name, of)
    return { sql, type: column.type, notNull: column.notNull, name }
  })
}

/** The name that PostgreSQL gives a column without an alias. */
function nameOf(node: Expr): string {
  switch (node.type) {
    case 'ref':
      return node.name
    case 'call':
      return node.function.name
    case 'cast':
      return node.operand.type === 'ref' || node.operand.type === 'call'
        ? nameOf(node.operand)
        : (node.to as { name: string }).name
    case 'keyword':
      return node.keyword
    case 'extract':
    case 'substring':
    case 'case':
      return node.type
    default:
      return '?column?'
  }
}

/** Expressions, numbers of output columns and their names. */
function printGroups(node: SelectFromStatement, scope: Scope): string[] {
  const groups = (node.groupBy ?? []).map((term) => {
    const expr = groupedTerm(term, node, scope)
    const printed = printExpression(expr, scope)
    scope.groupTerms.set(expr, printed)
    // SQLite makes an integer of constants and of `false AND …`, and takes it for the position of a column.
    return /^[^"]*$| AND /.test(printed.sql) ? `nullif(${printed.sql}, NULL)` : printed.sql
  })
  for (const group of groups) scope.grouped.add(group)
  return groups
}

function groupedTerm(term: Expr, node: SelectFromStatement, scope: Scope): Expr {
  const columns = node.columns ?? []
  if (term.type === 'integer')
    return columns[term.value - 1]?.expr ?? fail(`GROUP BY position ${term.value} is not in the select list`)
  if (term.type !== 'ref' || term.table || scope.has(term.name)) return term
  return columns.find(({ alias }) => alias?.name === term.name)?.expr ?? term
}

function printOrderBy(node: SelectFromStatement, outputs: readonly Output[], scope: Scope): string[] {
  return (node.orderBy ?? []).map((term) => {
    const position = outputPosition(term.by, outputs)
    if (position === undefined) return printOrder(term, scope)
    const order = term.order ?? 'ASC'
    const nulls = outputs[position - 1]?.notNull ? '' : ` NULLS ${term.nulls ?? (order === 'ASC' ? 'LAST' : 'FIRST')}`
    return `${position} ${order}${nulls}`
  })
}

/** The output column that a term of ORDER BY means by its number or name. */
function outputPosition(term: Expr, outputs: readonly Output[]): number | undefined {
  if (term.type === 'integer') {
    if (!outputs[term.value - 1]) fail(`ORDER BY position ${term.value} is not in the select list`)
    return term.value
  }
  if (term.type !== 'ref' || term.table) return undefined
  const position = outputs.findIndex(({ name }) => name === term.name)
  return position < 0 ? undefined : position + 1
}

function printLimit(node: SelectFromStatement, scope: Scope): string {
  const { limit, offset } = node.limit ?? {}
  const number = (part: Expr) => coerce(printExpression(part, scope), { name: 'bigint' })
  if (!limit && !offset) return ''
  return ` LIMIT ${limit ? number(limit) : '-1'}${offset ? ` OFFSET ${number(offset)}` : ''}`
}

function printUnion(node: SelectFromUnion, around: Scope, { names, ordered }: SelectOptions): PrintedSelect {
  for (const side of [node.left, node.right]) {
    // The parser groups from the right, PostgreSQL from the left; among unions of one kind that is the same.
    if (side.type.startsWith('union') && side.type !== node.type)
      refuse('UNION and UNION ALL in one chain', 'SELECT * FROM (… UNION …) AS u UNION ALL …')
    if (side.type === 'select' && (side.orderBy?.length || side.limit))
      refuse('ORDER BY or LIMIT in a UNION', 'SELECT … FROM (… UNION …) AS u ORDER BY …')
  }
  const left = printSelect(node.left, around, { names })
  const right = printSelect(node.right, around)
  if (left.columns.length !== right.columns.length) fail('the sides of a UNION must have the same number of columns')
  const columns = left.columns.map(({ name, type, notNull }, i) => {
    const other = right.columns[i]!
    const common = commonType(type, other.type)
    if (type && other.type && !common) fail(`the columns ${name} of the UNION have types that do not go together`)
    return { name, type: common, notNull: notNull && other.notNull }
  })
  const order = ordered ? orderBy(positions(columns.length)) : ''
  const sql = `${side(node.left, left)} ${node.type.toUpperCase()} ${side(node.right, right)}${order}`
  return { sql, columns, single: false }
}

/** SQLite takes no parentheses around the sides of a UNION. */
function side(node: SelectStatement, printed: PrintedSelect): string {
  return node.type === 'select' || node.type === 'values' ? printed.sql : `SELECT * FROM (${printed.sql})`
}

function printValues(node: ValuesStatement, around: Scope, names?: readonly string[]): PrintedSelect {
  const scope = new Scope(around.compilation, { parent: around, bindings: around.bindings })
  const rows = node.values.map((row) => row.map((value) => printExpression(value, scope)))
  const width = rows[0]?.length ?? 0
  if (rows.some((row) => row.length !== width)) fail('the rows of VALUES differ in length')
  const types = Array.from({ length: width }, (_, i) => typeOfAll(rows.map((row) => row[i]!)))
  const columns = types.map((type, i) => ({ name: names?.[i] ?? `column${i + 1}`, type, notNull: false }))
  const values = rows.map((row) => `(${row.map((value, i) => coerce(value, types[i])).join(', ')})`).join(', ')
  const list = columns.map(({ name }, i) => `column${i + 1} AS ${quoteName(name)}`).join(', ')
  return { sql: `SELECT ${list} FROM (VALUES ${values})`, columns, single: rows.length === 1 }
}

function printWith(node: WithStatement, around: Scope, options: SelectOptions): PrintedSelect {
  const { prefix, bindings } = printBindings(node, around)
  const scope = new Scope(around.compilation, { parent: around, bindings })
  const select = printSelect(node.in as SelectStatement, scope, options)
  return { ...select, sql: prefix + select.sql }
}

/** Prints `WITH …`; each binding sees those before it. */
export function printBindings(node: WithStatement, around: Scope): { prefix: string; bindings: Bindings } {
  const bindings = new Map(around.bindings)
  const printed = node.bind.map(({ alias, statement }) => {
    if (!isSelect(statement)) refuse(`${statement.type.toUpperCase()} in WITH`, 'a query')
    const scope = new Scope(around.compilation, { parent: around, bindings: new Map(bindings) })
    const select = printSelect(statement, scope)
    bindings.set(alias.name, settled(select.columns))
    return `${bindingName(alias.name)} AS (${select.sql})`
  })
  return { prefix: `WITH ${printed.join(', ')} `, bindings }
}

/** Columns as others see them: literals whose type nothing decided are text. */
export function settled(columns: readonly ScopeColumn[]): ScopeColumn[] {
  return columns.map((column) => ({ ...column, type: column.type ?? { name: 'text' } }))
}

export function isSelect(node: { type: string }): node is SelectStatement {
  return ['select', 'union', 'union all', 'values', 'with'].includes(node.type)
}
