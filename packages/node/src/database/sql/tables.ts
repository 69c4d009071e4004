import type { DatabaseSync } from 'node:sqlite'
import type { Catalog, ColumnDefinition, IndexDefinition, TableDefinition } from './catalog.ts'
import { printDefaultNow } from './constant.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { printColumn, printCreateIndex, printCreateTable } from './print-table.ts'
import { rowKey } from './row-key.ts'

/** Changes tables and their declarations together. Whoever calls keeps a savepoint around it. */
export class Tables {
  readonly #db: DatabaseSync
  readonly #catalog: Catalog

  constructor(db: DatabaseSync, catalog: Catalog) {
    this.#db = db
    this.#catalog = catalog
  }

  create(table: TableDefinition): void {
    rowKey(table.columns)
    this.#db.exec(printCreateTable(table, physicalName(table), this.#catalog))
    for (const index of table.indexes) this.#db.exec(printCreateIndex(table, index, this.#catalog))
    this.#catalog.put(table)
  }

  drop(table: TableDefinition): void {
    this.#db.exec(`DROP TABLE ${quotePhysical(physicalName(table))}`)
    this.#catalog.delete(table)
  }

  /** @param clockMs what `now()` is in rows that are there */
  addColumn(table: TableDefinition, column: ColumnDefinition, clockMs?: number): TableDefinition {
    const columns = [...table.columns, column]
    rowKey(columns)
    const present = column.default && printDefaultNow(column.default, column.type, clockMs)
    this.#db.exec(`ALTER TABLE ${quotePhysical(physicalName(table))} ADD COLUMN ${printColumn(column, present)}`)
    return this.#put({ ...table, columns })
  }

  createIndex(table: TableDefinition, index: IndexDefinition): TableDefinition {
    this.#db.exec(printCreateIndex(table, index, this.#catalog))
    return this.#put({ ...table, indexes: [...table.indexes, index] })
  }

  dropIndex(table: TableDefinition, name: string): TableDefinition {
    this.#db.exec(`DROP INDEX ${quotePhysical(physicalName({ schema: table.schema, name }))}`)
    return this.#put({ ...table, indexes: table.indexes.filter((index) => index.name !== name) })
  }

  /** Makes a table anew with other types of its columns and moves the rows, which SQLite has no statement for. */
  rebuild(table: TableDefinition): TableDefinition {
    const old = physicalName(table)
    const temporary = `rebuilt.${old}`
    const columns = table.columns.map(({ name }) => quoteName(name)).join(', ')
    this.#db.exec(printCreateTable(table, temporary, this.#catalog))
    this.#db.exec(
      `INSERT INTO ${quotePhysical(temporary)} (${columns}) SELECT ${columns} FROM ${quotePhysical(old)} ORDER BY ${rowKey(table.columns)}`,
    )
    if (table.columns.some(({ serial }) => serial)) this.#keepNumbering(old, temporary)
    this.#db.exec(`DROP TABLE ${quotePhysical(old)}`)
    this.#db.exec(`ALTER TABLE ${quotePhysical(temporary)} RENAME TO ${quotePhysical(old)}`)
    for (const index of table.indexes) this.#db.exec(printCreateIndex(table, index, this.#catalog))
    return this.#put(table)
  }

  /** Numbers of deleted rows are not given again. */
  #keepNumbering(from: string, to: string): void {
    this.#db.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(to)
    this.#db
      .prepare('INSERT INTO sqlite_sequence (name, seq) SELECT ?, seq FROM sqlite_sequence WHERE name = ?')
      .run(to, from)
  }

  #put(table: TableDefinition): TableDefinition {
    this.#catalog.put(table)
    return table
  }
}
