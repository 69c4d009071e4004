import type { Expr, ExprBinary, ExprCase, ExprMember, ExprUnary, SelectStatement } from 'pgsql-ast-parser'
import { cast, coerce, type Printed, printConstant } from './cast.ts'
import { printClock } from './clock.ts'
import { quoteName, quoteText } from './names.ts'
import { printCall, printExtract, printSubstring } from './print-call.ts'
import { isSelect, printSubselect } from './print-select.ts'
import { fail, refuse } from './refuse.ts'
import { printedSource, type Scope } from './scope.ts'
import { type ColumnType, columnType, commonType, familyOf, integerRange, isInteger, typeText } from './types.ts'

export const boolean: ColumnType = { name: 'boolean' }
export const text: ColumnType = { name: 'text' }

/**
 * Prints an expression for SQLite, in parentheses where it needs them, with its type by PostgreSQL's rules.
 * @throws DatabaseError SQL_FAILED for unknown columns and types that do not go together, SQL_REFUSED
 */
export function printExpression(node: Expr, scope: Scope): Printed {
  const mark = scope.bare.length
  const printed = printNode(node, scope)
  // The columns of an expression that the query is grouped by may be named within it.
  if (scope.grouped.has(printed.sql)) scope.bare.length = mark
  return printed
}

function printNode(node: Expr, scope: Scope): Printed {
  switch (node.type) {
    case 'ref': {
      if (node.name === '*') return refuse('* within an expression', 'columns by name')
      const { sql, column } = scope.resolve(node.name, node.table?.name)
      return { sql, type: column.type, notNull: column.notNull }
    }
    case 'parameter':
      return printParameter(node.name, scope)
    case 'null':
      return { sql: 'NULL', type: undefined, soft: true }
    case 'integer':
      return { sql: String(node.value), type: integerLiteralType(node.value) }
    case 'numeric':
      return { sql: printConstant(node.value), type: { name: 'numeric' } }
    case 'string':
      return { sql: quoteText(node.value), type: undefined, soft: true, literal: node.value }
    case 'boolean':
      return { sql: node.value ? '1' : '0', type: boolean }
    case 'cast': {
      const type = columnType(node.to)
      return { sql: cast(explicit(printExpression(node.operand, scope)), type), type }
    }
    case 'case':
      return printCase(node, scope)
    case 'binary':
      return printBinary(node, scope)
    case 'unary':
      return printUnary(node, scope)
    case 'ternary': {
      const [value, low, high] = unify([node.value, node.lo, node.hi].map((part) => printExpression(part, scope)))
      return { sql: `(${value} ${node.op} ${low} AND ${high})`, type: boolean }
    }
    case 'member':
      return printMember(node, scope)
    case 'call':
      return printCall(node, scope)
    case 'keyword':
      return printClock(node.keyword, scope)
    case 'extract':
      return printExtract(node, scope)
    case 'substring':
      return printSubstring(node, scope)
    case 'select':
    case 'union':
    case 'union all':
    case 'values':
    case 'with':
      return printScalar(node as SelectStatement, scope)
    default:
      return refuse(node.type.toUpperCase(), 'what docs/spec/sql.md lists')
  }
}

/** A literal that is cast has the type text, where nothing else says so. */
function explicit(printed: Printed): Printed {
  return printed.type || printed.sql === 'NULL' ? printed : { ...printed, type: text }
}

function printParameter(name: string, scope: Scope): Printed {
  const { compilation } = scope
  const number = Number(name.slice(1))
  if (!(number >= 1)) refuse(`the parameter ${name}`, '$1 and up')
  compilation.highestParam = Math.max(compilation.highestParam, number)
  return { sql: `?${number}`, type: compilation.params[number - 1], soft: true }
}

function integerLiteralType(value: number): ColumnType {
  const [low, high] = integerRange.integer
  return { name: value >= low && value <= high ? 'integer' : 'bigint' }
}

/** Brings values to one type; the printed forms. @throws DatabaseError SQL_FAILED when they have none */
function unify(values: readonly Printed[]): string[] {
  const type = typeOfAll(values)
  return values.map((value) => coerce(value, type))
}

/** The type that literals and parameters among the values take: that of the others; their own only if there are none. */
export function typeOfAll(values: readonly Printed[]): ColumnType | undefined {
  const firm = values.filter(({ soft }) => !soft)
  const decisive = firm.length > 0 ? firm : values
  let type: ColumnType | undefined
  for (const value of decisive) {
    const common = commonType(type, value.type)
    if (type && value.type && !common) fail(`types ${typeText(type)} and ${typeText(value.type)} do not go together`)
    type = common ?? type
  }
  return type
}

/** A condition. */
export function printCondition(node: Expr, scope: Scope, place: string): string {
  const printed = printExpression(node, scope)
  if (printed.type && familyOf(printed.type) !== 'boolean' && !printed.soft)
    fail(`argument of ${place} must be boolean, not ${typeText(printed.type)}`)
  return coerce(printed, boolean)
}

function printCase(node: ExprCase, scope: Scope): Printed {
  const results = [...node.whens.map(({ value }) => value), ...(node.else ? [node.else] : [])].map((value) =>
    printExpression(value, scope),
  )
  const type = typeOfAll(results)
  const printed = results.map((result) => coerce(result, type))
  const whens = printWhens(node, scope).map((when, i) => `WHEN ${when} THEN ${printed[i]}`)
  const otherwise = node.else ? ` ELSE ${printed.at(-1)}` : ''
  return { sql: `CASE ${whens.join(' ')}${otherwise} END`, type }
}

/** `CASE a WHEN b` is printed as `CASE WHEN a = b`, so that the types meet. */
function printWhens(node: ExprCase, scope: Scope): string[] {
  const subject = node.value
  if (!subject) return node.whens.map(({ when }) => printCondition(when, scope, 'CASE'))
  return node.whens.map(({ when }) => unify([subject, when].map((part) => printExpression(part, scope))).join(' = '))
}

const comparisons = new Set(['=', '!=', '<', '<=', '>', '>='])
const arithmetic = new Set(['+', '-', '*', '/', '%'])
const bitwise = new Set(['&', '|', '<<', '>>'])

function printBinary(node: ExprBinary, scope: Scope): Printed {
  const { op } = node
  if (op === 'AND' || op === 'OR') {
    const sides = [node.left, node.right].map((side) => printCondition(side, scope, op))
    return { sql: `(${sides.join(` ${op} `)})`, type: boolean }
  }
  if (op === 'IN' || op === 'NOT IN') return printIn(node, scope)
  checkGrouping(op, node.right)
  if (node.left.type === 'list' || node.right.type === 'list')
    refuse('a comparison of rows', 'comparisons joined by AND')
  const left = printExpression(node.left, scope)
  const right = printExpression(node.right, scope)
  if (comparisons.has(op)) return { sql: `(${unify([left, right]).join(` ${op} `)})`, type: boolean }
  if (arithmetic.has(op)) return printArithmetic(op, left, right)
  if (op === '||')
    return { sql: `(${[left, right].map((side) => cast(explicit(side), text)).join(' || ')})`, type: text }
  if (op.endsWith('LIKE')) return printLike(op, left, right)
  if (bitwise.has(op)) return printBits(op, left, right)
  return refuse(`the operator ${op}`, 'what docs/spec/sql.md lists')
}

/**
 * Where the parser groups otherwise than PostgreSQL, which it does to the right of an operator, the statement is refused, so
 * that it means the same everywhere: `a = b IS NULL` is `(a = b) IS NULL`, and `a << b | c` is `(a << b) | c`.
 */
function checkGrouping(op: string, right: Expr): void {
  if (right.type === 'unary' && right.op.startsWith('IS'))
    refuse(`IS to the right of ${op}`, `IS in parentheses to the left of ${op}`)
  if (bitwise.has(op) && right.type === 'binary' && bitwise.has(right.op))
    refuse(`${right.op} to the right of ${op}`, `${right.op} in parentheses to the left of ${op}`)
}

function printIn(node: ExprBinary, scope: Scope): Printed {
  const left = printExpression(node.left, scope)
  if (!isSelect(node.right)) {
    // The parser takes the parentheses around a single value for grouping.
    const given = node.right.type === 'list' ? node.right.expressions : [node.right]
    const [value, ...items] = unify([left, ...given.map((item) => printExpression(item, scope))])
    return { sql: `(${value} ${node.op} (${items.join(', ')}))`, type: boolean }
  }
  const select = printSubselect(node.right, scope)
  const [only, ...more] = select.columns
  if (!only || more.length > 0) fail('the query after IN must have one column')
  if (left.type && only.type && !left.soft) coerce({ sql: '', type: only.type }, left.type)
  return { sql: `(${coerce(left, only.type)} ${node.op} (${select.sql}))`, type: boolean }
}

function printArithmetic(op: string, a: Printed, b: Printed): Printed {
  const type = typeOfAll([a, b]) ?? fail(`operands of ${op} have no type`)
  if (familyOf(type) !== 'number') fail(`the operator ${op} takes numbers, not ${typeText(type)}`)
  const [left, right] = unify([a, b]) as [string, string]
  // A result is as wide as its type, not as an operand's digits.
  const plain: ColumnType = { name: type.name }
  if (op === '/') {
    const side = (sql: string) => (isInteger(type) ? sql : `CAST(${sql} AS REAL)`)
    return { sql: `w3b_divide(${side(left)}, ${side(right)})`, type: plain }
  }
  if (op !== '%') return { sql: `(${left} ${op} ${right})`, type: plain }
  return { sql: `w3b_remainder(${left}, ${right})`, type: plain }
}

function printBits(op: string, a: Printed, b: Printed): Printed {
  const type = typeOfAll([a, b])
  if (!isInteger(type)) fail(`the operator ${op} takes integers, not ${typeText(type)}`)
  return { sql: `(${unify([a, b]).join(` ${op} `)})`, type }
}

/** Backslash escapes, as in PostgreSQL. The connection's LIKE minds the case; ILIKE folds ASCII letters only. */
function printLike(op: string, a: Printed, b: Printed): Printed {
  const [value, like] = [a, b].map((side) => coerce(side, text)) as [string, string]
  const not = op.startsWith('NOT') ? 'NOT ' : ''
  const sql = op.endsWith('ILIKE')
    ? `(lower(${value}) ${not}LIKE lower(${like}) ESCAPE '\\')`
    : `(${value} ${not}LIKE ${like} ESCAPE '\\')`
  return { sql, type: boolean }
}

function printUnary(node: ExprUnary, scope: Scope): Printed {
  if (node.op === 'NOT') return { sql: `(NOT ${printCondition(node.operand, scope, 'NOT')})`, type: boolean }
  const operand = printExpression(node.operand, scope)
  if (node.op === '-' || node.op === '+') {
    if (operand.type && familyOf(operand.type) !== 'number')
      fail(`the sign takes numbers, not ${typeText(operand.type)}`)
    return { sql: `(${node.op} ${operand.sql})`, type: operand.type }
  }
  const logical = node.op.endsWith('TRUE') || node.op.endsWith('FALSE')
  return { sql: `(${logical ? coerce(operand, boolean) : operand.sql} ${node.op})`, type: boolean }
}

function limitOf(node: SelectStatement): number {
  const limit = node.type === 'select' ? node.limit?.limit : undefined
  return limit?.type === 'integer' ? limit.value : Number.POSITIVE_INFINITY
}

/** `->` is JSON, `->>` text: a string without quotes, JSON's null as NULL, anything else as it is written. */
function printMember(node: ExprMember, scope: Scope): Printed {
  const operand = printExpression(node.operand, scope)
  if (operand.type && familyOf(operand.type) !== 'json' && !operand.soft)
    fail(`the operator ${node.op} takes json, not ${typeText(operand.type)}`)
  const json = coerce(operand, { name: 'json' })
  const path = quoteText(memberPath(node.member))
  if (node.op === '->') return { sql: `(${json} -> ${path})`, type: { name: 'json' } }
  const sql = `CASE json_type(${json}, ${path}) WHEN 'text' THEN ${json} ->> ${path} WHEN 'null' THEN NULL ELSE ${json} -> ${path} END`
  return { sql, type: text }
}

function memberPath(member: string | number): string {
  if (typeof member === 'number') return member < 0 ? `$[#${member}]` : `$[${member}]`
  if (/["\\]/.test(member)) refuse('a JSON key with quotes or backslashes', 'plain keys')
  return `$."${member}"`
}

function printScalar(node: SelectStatement, scope: Scope): Printed {
  const select = printSubselect(node, scope)
  const [only, ...more] = select.columns
  if (!only || more.length > 0) fail('a query used as a value must have one column')
  if (select.single || limitOf(node) <= 1) return { sql: `(${select.sql})`, type: only.type }
  // SQLite would take the first of several rows, PostgreSQL fails.
  const source = printedSource(scope.compilation, 'value')
  return {
    sql: `(SELECT w3b_only(${source}.${quoteName(only.name)}) FROM (${select.sql}) AS ${source})`,
    type: only.type,
  }
}
