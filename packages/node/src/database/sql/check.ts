import { clocks } from './clock.ts'
import { statementLimits } from './limits.ts'
import { refuse } from './refuse.ts'

/**
 * The nodes of the dialect with the fields of each that are understood. Whatever else the parser may produce, now or in a
 * later version, is refused.
 */
const nodes: Readonly<Record<string, readonly string[]>> = {
  select: ['columns', 'from', 'where', 'groupBy', 'having', 'limit', 'orderBy', 'distinct'],
  union: ['left', 'right'],
  'union all': ['left', 'right'],
  values: ['values'],
  with: ['bind', 'in'],
  insert: ['into', 'columns', 'insert', 'onConflict', 'returning'],
  update: ['table', 'sets', 'where', 'from', 'returning'],
  delete: ['from', 'where', 'returning'],
  'create table': ['name', 'ifNotExists', 'columns', 'constraints'],
  'create index': ['table', 'using', 'expressions', 'where', 'unique', 'ifNotExists', 'indexName'],
  'drop table': ['names', 'ifExists', 'cascade'],
  'drop index': ['names', 'ifExists', 'cascade'],
  'alter table': ['table', 'changes'],
  'add column': ['ifNotExists', 'column'],
  'primary key': ['constraintName', 'columns'],
  unique: ['constraintName', 'columns'],
  check: ['constraintName', 'expr'],
  'not null': ['constraintName'],
  null: ['constraintName'],
  default: ['constraintName', 'default'],
  'on expr': ['exprs'],
  table: ['name', 'join'],
  statement: ['statement', 'alias', 'columnNames', 'join'],
  'INNER JOIN': ['on', 'using'],
  'LEFT JOIN': ['on', 'using'],
  'RIGHT JOIN': ['on', 'using'],
  'FULL JOIN': ['on', 'using'],
  'CROSS JOIN': [],
  ref: ['table', 'name'],
  parameter: ['name'],
  list: ['expressions'],
  integer: ['value'],
  numeric: ['value'],
  string: ['value'],
  boolean: ['value'],
  case: ['value', 'whens', 'else'],
  binary: ['left', 'right', 'op'],
  unary: ['operand', 'op'],
  cast: ['operand', 'to'],
  call: ['function', 'args', 'distinct', 'orderBy', 'filter'],
  ternary: ['value', 'lo', 'hi', 'op'],
  member: ['operand', 'op', 'member'],
  substring: ['value', 'from', 'for'],
  extract: ['field', 'from'],
  keyword: ['keyword'],
}

const hints: Readonly<Record<string, string>> = {
  'with recursive': 'a query that ends: WITH without RECURSIVE',
  keyword: 'a parameter with a value that the message or the batch brings',
  array: 'IN (…)',
  'array select': 'IN (SELECT …)',
  reference: 'a check by the applet: foreign keys are not kept',
  'foreign key': 'a check by the applet: foreign keys are not kept',
  over: 'GROUP BY: window functions are not offered',
  for: 'nothing: one batch at a time writes',
}

const fallback = 'what docs/spec/sql.md lists'

/** @throws DatabaseError SQL_REFUSED naming the first construct outside the dialect */
export function check(node: unknown, depth = 0): void {
  if (typeof node !== 'object' || node === null) return
  if (depth > statementLimits.depth) refuse('an expression nested too deep', `at most ${statementLimits.depth} levels`)
  const { type } = node as { type?: unknown }
  if (typeof type === 'string') checkFields(type, node)
  for (const value of Object.values(node)) check(value, depth + 1)
}

function checkFields(type: string, node: object): void {
  const keyword = (node as { keyword?: string }).keyword
  const offered = keyword === undefined || Object.hasOwn(clocks, keyword)
  const known = offered && Object.hasOwn(nodes, type) ? nodes[type] : undefined
  if (!known) refuse((keyword ?? type).toUpperCase(), hints[type] ?? fallback)
  for (const [field, value] of Object.entries(node))
    if (field !== 'type' && value !== undefined && value !== null && !known.includes(field))
      refuse(`${field.toUpperCase()} in ${type.toUpperCase()}`, hints[field] ?? fallback)
}
