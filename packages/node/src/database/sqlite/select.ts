import type { SQLInputValue } from 'node:sqlite'
import type { Page, Paged } from '../database.ts'
import type { Statements } from './statements.ts'

/** Conditions joined by AND; those whose value is undefined are left out. */
export class Filter {
  readonly #terms: string[] = []
  readonly values: SQLInputValue[] = []

  where(term: string, value: SQLInputValue | undefined): this {
    if (value === undefined) return this
    this.#terms.push(term)
    this.values.push(value)
    return this
  }

  get empty(): boolean {
    return this.#terms.length === 0
  }

  get sql(): string {
    return this.empty ? '' : ` WHERE ${this.#terms.join(' AND ')}`
  }
}

const defaultPageSize = 10

/** SQLite reads a negative LIMIT as none. */
function limitOf(page: Page): [limit: number, offset: number] {
  const size = page.size ?? defaultPageSize
  return [size < 0 ? -1 : size, Math.max(0, page.offset ?? 0)]
}

/** One page of a table and the number of all rows that match. */
export function selectPage<Row, T>(
  statements: Statements,
  query: { columns: string; from: string; table: string; order: string; filter: Filter; page: Page; total?: number },
  map: (row: Row) => T,
): Paged<T> {
  const { columns, from, table, order, filter, page } = query
  const sql = `SELECT ${columns} FROM ${from}${filter.sql} ORDER BY ${order} LIMIT ? OFFSET ?`
  const data = statements.all<Row>(sql, ...filter.values, ...limitOf(page)).map(map)
  const total = query.total ?? countRows(statements, table, filter)
  return { data, total }
}

function countRows(statements: Statements, table: string, filter: Filter): number {
  return statements.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}${filter.sql}`, ...filter.values)!.n
}
