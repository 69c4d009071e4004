import type { Expr, ExprCall, ExprExtract, ExprSubstring, OrderByStatement, SelectStatement } from 'pgsql-ast-parser'
import { cast, coerce, type Printed } from './cast.ts'
import { isClockFunction, printClock } from './clock.ts'
import {
  type AggregateRule,
  type ArgumentKind,
  aggregateFunctions,
  type FunctionRule,
  familyOfKind,
  refusedFunctions,
  scalarFunctions,
  typeOfKind,
} from './functions.ts'
import { quoteText } from './names.ts'
import { boolean, printCondition, printExpression, text, typeOfAll } from './print-expression.ts'
import { printSubselect } from './print-select.ts'
import { fail, refuse } from './refuse.ts'
import type { Scope } from './scope.ts'
import { type ColumnType, familyOf, isInteger, typeText } from './types.ts'

export function printCall(node: ExprCall, scope: Scope): Printed {
  const { name, schema } = node.function
  if (schema) refuse(`the function ${schema}.${name}`, 'functions without a schema')
  if (name === 'exists') return printExists(node, scope)
  if (isClockFunction(node)) return printClock(name, scope)
  const aggregate = Object.hasOwn(aggregateFunctions, name) ? aggregateFunctions[name] : undefined
  if (aggregate) return printAggregate(name, aggregate, node, scope)
  const rule = Object.hasOwn(scalarFunctions, name) ? scalarFunctions[name] : undefined
  if (!rule) return refuseFunction(name)
  if (node.distinct || node.orderBy || node.filter) fail(`${name} is not an aggregate function`)
  return printScalarCall(name, rule, node.args, scope)
}

function refuseFunction(name: string): never {
  const why = Object.hasOwn(refusedFunctions, name) ? refusedFunctions[name] : undefined
  return refuse(`the function ${name}`, why ?? 'the functions of docs/spec/sql.md')
}

function printExists(node: ExprCall, scope: Scope): Printed {
  const [query] = node.args
  if (node.args.length !== 1 || !isSelect(query)) fail('EXISTS takes a query')
  return { sql: `EXISTS (${printSubselect(query, scope).sql})`, type: boolean, notNull: true }
}

function isSelect(node: Expr | undefined): node is SelectStatement {
  return node !== undefined && ['select', 'union', 'union all', 'values', 'with'].includes(node.type)
}

function printScalarCall(name: string, rule: FunctionRule, nodes: readonly Expr[], scope: Scope): Printed {
  const { args: kinds, optional = 0, variadic = false } = rule
  if (nodes.length < kinds.length - optional || (nodes.length > kinds.length && !variadic))
    fail(
      `${name} takes ${kinds.length - optional}${optional ? ` to ${kinds.length}` : ''} arguments, not ${nodes.length}`,
    )
  const printed = nodes.map((node) => printExpression(node, scope))
  const common = kinds.includes('any') && rule.result === 'same' ? typeOfAll(printed) : undefined
  const args = printed.map((value, i) =>
    common ? coerce(value, common) : argument(name, value, kinds[Math.min(i, kinds.length - 1)]!),
  )
  const types = printed.map(({ type, soft }, i) => (soft ? typeOfKind[kinds[i] ?? 'any'] : type))
  const own = types[0]
  const plain = own && { name: own.name }
  return { sql: rule.print(args, types), type: rule.result === 'same' ? (common ?? plain) : rule.result }
}

/** An argument as its function wants it. */
function argument(name: string, value: Printed, kind: ArgumentKind): string {
  const wanted = typeOfKind[kind]
  if (!wanted) return value.sql
  // As in PostgreSQL, `concat` and its like turn anything into text.
  if (kind === 'text' && name.startsWith('concat')) return cast(value.type ? value : { ...value, type: text }, text)
  if (value.soft || !value.type) return coerce(value, wanted)
  const fits = kind === 'integer' ? isInteger(value.type) : familyOf(value.type) === familyOfKind[kind]
  if (!fits) fail(`${name} takes ${kind}, not ${typeText(value.type)}`)
  return value.sql
}

function printAggregate(name: string, rule: AggregateRule, node: ExprCall, scope: Scope): Printed {
  if (scope.aggregates !== 'allowed') fail(`the aggregate ${name} is not allowed here`)
  scope.sawAggregate = true
  scope.aggregates = 'inside'
  try {
    const filter = node.filter ? ` FILTER (WHERE ${printCondition(node.filter, scope, 'FILTER')})` : ''
    const { args, type } = aggregateArguments(name, rule, node, scope)
    const small = type?.name === 'smallint' || type?.name === 'integer'
    const called = small && rule.ofSmall ? rule.ofSmall : rule.name
    return { sql: `${called}(${args})${filter}`, type: rule.result(type) }
  } finally {
    scope.aggregates = 'allowed'
  }
}

function aggregateArguments(
  name: string,
  rule: AggregateRule,
  node: ExprCall,
  scope: Scope,
): { args: string; type?: ColumnType } {
  const [first] = node.args
  if (name === 'count' && first?.type === 'ref' && first.name === '*' && !first.table) return { args: '*' }
  if (node.args.length !== rule.args.length)
    fail(`${name} takes ${rule.args.length} arguments, not ${node.args.length}`)
  const printed = node.args.map((arg) => printExpression(arg, scope))
  if (node.distinct === 'distinct' && node.args.length > 1) refuse(`DISTINCT in ${name}`, 'a subquery with DISTINCT')
  const args = printed.map((value, i) => argument(name, value, rule.args[i]!))
  const distinct = node.distinct === 'distinct' ? 'DISTINCT ' : ''
  const given = node.orderBy?.map((term) => printOrder(term, scope)) ?? []
  // Among values of equal rank, or of none, the insertion decides; of rows that have none, the values themselves.
  const terms = rule.ordered ? [...given, ...(scope.keys() ?? args)] : given
  const order = terms.length > 0 ? ` ORDER BY ${terms.join(', ')}` : ''
  return { args: `${distinct}${args.join(', ')}${order}`, type: printed[0]?.type }
}

/** A term of ORDER BY. NULLs come last, or first when descending, as in PostgreSQL and unlike SQLite. */
export function printOrder(term: OrderByStatement, scope: Scope): string {
  const printed = printExpression(term.by, scope)
  const order = term.order ?? 'ASC'
  const nulls = term.nulls ?? (order === 'ASC' ? 'LAST' : 'FIRST')
  // Said only where there may be NULLs: SQLite sorts instead of using an index when it is.
  return `${printed.sql} ${order}${printed.notNull ? '' : ` NULLS ${nulls}`}`
}

export function printExtract(node: ExprExtract, scope: Scope): Printed {
  const from = coerce(printExpression(node.from, scope), { name: 'timestamp' })
  return { sql: `w3b_extract(${quoteText(node.field.name.toLowerCase())}, ${from})`, type: { name: 'numeric' } }
}

export function printSubstring(node: ExprSubstring, scope: Scope): Printed {
  const parts = [node.value, node.from ?? { type: 'integer' as const, value: 1 }, ...(node.for ? [node.for] : [])]
  return printScalarCall('substring', scalarFunctions.substring!, parts, scope)
}
