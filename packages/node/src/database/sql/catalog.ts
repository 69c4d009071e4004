import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Expr } from 'pgsql-ast-parser'
import type { Default } from './constant.ts'
import type { ColumnType } from './types.ts'

/** A table of the applets as it was declared, in the dialect's types. */
export interface TableDefinition {
  readonly schema: string
  readonly name: string
  readonly columns: readonly ColumnDefinition[]
  readonly uniques: readonly (readonly string[])[]
  /** Conditions, as they were parsed. */
  readonly checks: readonly Expr[]
  readonly indexes: readonly IndexDefinition[]
}

export interface ColumnDefinition {
  readonly name: string
  readonly type: ColumnType
  readonly notNull: boolean
  readonly default?: Default
  /** Numbers itself; at most one column of a table. */
  readonly serial?: boolean
}

export interface IndexDefinition {
  readonly name: string
  readonly unique: boolean
  readonly terms: readonly IndexTerm[]
  /** Condition of a partial index, as it was parsed. */
  readonly where?: Expr
}

/** A column or expression of an index, as it was parsed. */
interface IndexTerm {
  readonly expression: Expr
  /** @default false */
  readonly descending?: boolean
}

/** Where the declarations are kept. */
export const catalogTable =
  'CREATE TABLE sql_table (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID'

/** The declarations of all tables, kept beside them in the table `sql_table` and in memory. */
export class Catalog {
  readonly #db: DatabaseSync
  #tables: Map<string, TableDefinition> | undefined
  #put: StatementSync | undefined

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get(schema: string, name: string): TableDefinition | undefined {
    return this.#load().get(`${schema}.${name}`)
  }

  all(): TableDefinition[] {
    return [...this.#load().values()]
  }

  /** The table that has this index. */
  ofIndex(schema: string, index: string): TableDefinition | undefined {
    return this.all().find((table) => table.schema === schema && table.indexes.some(({ name }) => name === index))
  }

  put(table: TableDefinition): void {
    const name = `${table.schema}.${table.name}`
    this.#put ??= this.#db.prepare(
      'INSERT INTO sql_table (name, definition) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
    )
    this.#put.run(name, JSON.stringify(table))
    this.#load().set(name, table)
  }

  delete(table: TableDefinition): void {
    const name = `${table.schema}.${table.name}`
    this.#db.prepare('DELETE FROM sql_table WHERE name = ?').run(name)
    this.#load().delete(name)
  }

  /** Forgets what is in memory, after a rollback or a change by another connection. */
  reset(): void {
    this.#tables = undefined
  }

  #load(): Map<string, TableDefinition> {
    if (!this.#tables) {
      const rows = this.#db.prepare('SELECT name, definition FROM sql_table ORDER BY name').all()
      this.#tables = new Map(rows.map(({ name, definition }) => [String(name), JSON.parse(String(definition))]))
    }
    return this.#tables
  }
}
