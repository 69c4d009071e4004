import type { ColumnDefinition, IndexDefinition, TableDefinition } from './catalog.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { type ColumnType, integerRange, storageOf, typeText } from './types.ts'

/**
 * The statement that makes a table. STRICT keeps the storage class of each column, conditions keep the rest of its type. A
 * serial column is the row's number, because SQLite numbers no other; what was declared PRIMARY KEY is UNIQUE.
 */
export function printCreateTable(table: TableDefinition, physical: string): string {
  const parts = [
    ...table.columns.map(printColumn),
    ...table.uniques.map((columns) => `UNIQUE (${columns.map(quoteName).join(', ')})`),
    ...table.checks.map((check) => `CHECK (${check})`),
  ]
  return `CREATE TABLE ${quotePhysical(physical)} (${parts.join(', ')}) STRICT`
}

export function printColumn(column: ColumnDefinition): string {
  const name = quoteName(column.name)
  const parts = [name, storageOf(column.type)]
  if (column.serial) parts.push('PRIMARY KEY AUTOINCREMENT')
  else if (column.notNull) parts.push('NOT NULL')
  if (column.default !== undefined) parts.push(`DEFAULT (${column.default})`)
  const condition = rangeOf(name, column.type)
  if (condition) {
    const message = `column ${column.name} of type ${typeText(column.type)}`
    parts.push(`CONSTRAINT "${message.replaceAll('"', '""')}" CHECK (${condition})`)
  }
  return parts.join(' ')
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

export function printCreateIndex(table: TableDefinition, index: IndexDefinition): string {
  const name = quotePhysical(physicalName({ schema: table.schema, name: index.name }))
  const on = quotePhysical(physicalName(table))
  const where = index.where ? ` WHERE ${index.where}` : ''
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${on} (${index.terms.join(', ')})${where}`
}
