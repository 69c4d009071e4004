import type { Expr } from 'pgsql-ast-parser'
import type { Catalog, ColumnDefinition, IndexDefinition, TableDefinition } from './catalog.ts'
import { mentions } from './mentions.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { printCondition, printExpression } from './print-expression.ts'
import { refuse } from './refuse.ts'
import { columnsOf, newCompilation, Scope } from './scope.ts'
import { type ColumnType, integerRange, storageOf, typeText } from './types.ts'

/**
 * The statement that makes a table. STRICT keeps the storage class of each column, conditions keep the rest of its type. A
 * serial column is the row's number, because SQLite numbers no other; what was declared PRIMARY KEY is UNIQUE. Defaults are
 * not SQLite's business: each INSERT has them written out.
 */
export function printCreateTable(table: TableDefinition, physical: string, catalog: Catalog): string {
  const parts = [
    ...table.columns.map((column) => printColumn(column)),
    ...table.uniques.map((columns) => `UNIQUE (${columns.map(quoteName).join(', ')})`),
    ...table.checks.map((check) => `CHECK (${printOn(table, check, catalog)})`),
  ]
  return `CREATE TABLE ${quotePhysical(physical)} (${parts.join(', ')}) STRICT`
}

/** A column. @param present its value in rows that are there, printed. @default none */
export function printColumn(column: ColumnDefinition, present?: string): string {
  const name = quoteName(column.name)
  const parts = [name, storageOf(column.type)]
  if (column.serial) parts.push('PRIMARY KEY AUTOINCREMENT')
  else if (column.notNull) parts.push('NOT NULL')
  if (present !== undefined) parts.push(`DEFAULT (${present})`)
  const condition = column.serial ? rangeOfSerial(name, column.type) : rangeOf(name, column.type)
  if (condition) {
    const message = `column ${column.name} of type ${typeText(column.type)}`
    parts.push(`CONSTRAINT "${message.replaceAll('"', '""')}" CHECK (${condition})`)
  }
  return parts.join(' ')
}

/** The highest number is not given: SQLite would call what comes behind it a full disk. */
function rangeOfSerial(name: string, type: ColumnType): string {
  const [low, high] = integerRange[type.name as keyof typeof integerRange]
  return `${name} >= ${low} AND ${name} < ${high}`
}

function rangeOf(name: string, type: ColumnType): string | undefined {
  switch (type.name) {
    case 'smallint':
    case 'integer': {
      const [low, high] = integerRange[type.name]
      return `${name} BETWEEN ${low} AND ${high}`
    }
    case 'varchar':
      return `length(${name}) <= ${type.size}`
    case 'boolean':
      return `${name} IN (0, 1)`
    case 'numeric':
      return type.size === undefined ? undefined : `abs(${name}) < 1e${type.size - (type.scale ?? 0)}`
    default:
      return undefined
  }
}

export function printCreateIndex(table: TableDefinition, index: IndexDefinition, catalog: Catalog): string {
  const name = quotePhysical(physicalName({ schema: table.schema, name: index.name }))
  const on = quotePhysical(physicalName(table))
  const where = index.where ? ` WHERE ${printOn(table, index.where, catalog)}` : ''
  const terms = index.terms.map(
    ({ expression, descending }) => `${printOn(table, expression, catalog, 'index')}${descending ? ' DESC' : ''}`,
  )
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${on} (${terms.join(', ')})${where}`
}

/** A condition or index expression over the columns of a table, by their bare names. @throws DatabaseError SQL_* */
export function printOn(table: TableDefinition, node: Expr, catalog: Catalog, place?: 'index'): string {
  if (mentions(node, ['parameter', 'keyword', 'select', 'union', 'union all', 'values', 'with']))
    refuse('a parameter, clock or query in a definition', 'columns and constants')
  const compilation = newCompilation(catalog)
  const scope = new Scope(compilation)
  scope.add({ alias: table.name, printed: '', columns: columnsOf(table) })
  const sql = place === 'index' ? printExpression(node, scope).sql : printCondition(node, scope, 'CHECK')
  if (compilation.usesClock) refuse('now() in a condition or index', 'columns and constants')
  return sql
}
