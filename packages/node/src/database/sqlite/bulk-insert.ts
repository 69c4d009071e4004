import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/**
 * Rows per statement, largest first. One statement for many rows halves the cost per row against one each; beyond 64 nothing
 * more is won, and sixteens keep the rest of a batch from going row by row.
 */
const chunks = [64, 16, 1] as const

/** Inserts rows in multi-row statements, prepared on first use. */
export class BulkInsert<T> {
  readonly #db: DatabaseSync
  readonly #prefix: string
  readonly #suffix: string
  readonly #columns: number
  readonly #statements = new Map<number, StatementSync>()
  readonly #bind: (row: T, values: SQLInputValue[]) => void

  /**
   * @param into table and columns, as `table (a, b)`
   * @param bind pushes the values of one row, in the order of the columns
   */
  constructor(
    db: DatabaseSync,
    into: string,
    bind: (row: T, values: SQLInputValue[]) => void,
    options: { onConflict?: string } = {},
  ) {
    this.#db = db
    this.#prefix = `INSERT INTO ${into} VALUES `
    this.#suffix = options.onConflict ? ` ON CONFLICT ${options.onConflict}` : ''
    this.#columns = into.split(',').length
    this.#bind = bind
  }

  run(rows: readonly T[]): void {
    let next = 0
    for (const size of chunks) {
      if (rows.length - next < size) continue
      const statement = this.#statement(size)
      while (rows.length - next >= size) {
        const values: SQLInputValue[] = []
        for (const end = next + size; next < end; next++) this.#bind(rows[next]!, values)
        statement.run(...values)
      }
    }
  }

  #statement(size: number): StatementSync {
    let statement = this.#statements.get(size)
    if (!statement) {
      const row = `(${Array(this.#columns).fill('?').join(',')})`
      statement = this.#db.prepare(this.#prefix + Array(size).fill(row).join(',') + this.#suffix)
      this.#statements.set(size, statement)
    }
    return statement
  }
}
