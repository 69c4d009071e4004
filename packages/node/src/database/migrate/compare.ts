import type { ColumnDefinition, TableDefinition } from '../sql/catalog.ts'
import { type ColumnType, typeText } from '../sql/types.ts'

/** What rows of a table allow. */
export interface TableFacts {
  readonly empty: boolean
  /** Whether a column has NULL in some row. */
  hasNull(column: string): boolean
}

/** How a table becomes another one. */
export interface TableChange {
  /** Columns that are new. */
  readonly added: readonly ColumnDefinition[]
  /** All columns as they shall be, when existing ones change. */
  readonly altered: boolean
  readonly result: TableDefinition
  readonly problems: readonly string[]
}

/**
 * Compares a table with its new declaration. Columns that are no longer declared stay as they are. Whatever could lose a
 * value or make a row invalid is a problem.
 */
export function compareTables(found: TableDefinition, wanted: TableDefinition, facts: TableFacts): TableChange {
  const problems: string[] = []
  const name = `${found.schema}.${found.name}`
  const added = wanted.columns.filter((column) => !find(found, column.name))
  for (const column of added) {
    if (column.serial && !facts.empty)
      problems.push(`${name}.${column.name}: a column with autoincrement cannot be added`)
    else if (column.notNull && !column.serial && column.default === undefined && !facts.empty)
      problems.push(`${name}.${column.name}: NOT NULL without a default, and the table has rows`)
  }
  const columns = found.columns.map((column) => {
    const next = find(wanted, column.name)
    if (!next || same(column, next)) return column
    problems.push(...columnProblems(name, column, next, facts))
    return next
  })
  const altered = columns.some((column, i) => column !== found.columns[i]) || added.some(({ serial }) => serial)
  const result = { ...found, columns: [...columns, ...added], indexes: wanted.indexes }
  return { added, altered, result, problems }
}

function find(table: TableDefinition, name: string): ColumnDefinition | undefined {
  return table.columns.find((column) => column.name === name)
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function columnProblems(table: string, from: ColumnDefinition, to: ColumnDefinition, facts: TableFacts): string[] {
  if (facts.empty) return []
  const problems: string[] = []
  const place = `${table}.${from.name}`
  if (!widens(from.type, to.type))
    problems.push(`${place}: ${typeText(from.type)} to ${typeText(to.type)} could lose values`)
  if (to.serial && !from.serial) problems.push(`${place}: autoincrement cannot be added to a table with rows`)
  else if (to.notNull && !from.notNull && facts.hasNull(from.name))
    problems.push(`${place}: NOT NULL, and there are rows with NULL`)
  return problems
}

const order = { smallint: 0, integer: 1, bigint: 2 } as const

/** Whether every value of one type is a value of the other and reads the same. */
function widens(from: ColumnType, to: ColumnType): boolean {
  if (same(from, to)) return true
  if (from.name in order && to.name in order)
    return order[from.name as keyof typeof order] <= order[to.name as keyof typeof order]
  if (from.name === 'real') return to.name === 'double precision'
  if (from.name === 'varchar')
    return to.name === 'text' || (to.name === 'varchar' && (to.size ?? 0) >= (from.size ?? 0))
  if (from.name !== 'numeric' || to.name !== 'numeric') return false
  if (to.size === undefined) return true
  const [scale, nextScale] = [from.scale ?? 0, to.scale ?? 0]
  return from.size !== undefined && nextScale >= scale && to.size - nextScale >= from.size - scale
}
