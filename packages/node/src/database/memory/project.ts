import { DatabaseSync } from 'node:sqlite'
import type { SqlLimits, SqlRequest, SqlResult } from '../database.ts'
import { AppletSql } from '../sql/applet-sql.ts'
import { catalogTable } from '../sql/catalog.ts'
import { emptyState, type MemoryState } from './state.ts'
import type { MemoryTransaction } from './transaction.ts'

/** A project that lives as long as the process: rows in arrays, tables of applets in SQLite without a file. */
export class MemoryProject {
  readonly state: MemoryState = emptyState()
  readonly db = new DatabaseSync(':memory:')
  readonly sql: AppletSql
  transaction: MemoryTransaction | undefined
  /** The tables as they were committed, while a transaction changes them. */
  #committed: Uint8Array | undefined

  constructor() {
    this.db.exec(catalogTable)
    this.sql = new AppletSql(this.db)
  }

  /** Called before the first change of tables within a transaction, so that readers keep seeing what is committed. */
  keepCommitted(): void {
    this.#committed ??= this.db.serialize()
  }

  /** Starts or ends a transaction on the tables. */
  exec(command: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): void {
    this.db.exec(command)
    this.#committed = undefined
    if (command === 'ROLLBACK') this.sql.rolledBack()
  }

  /** The committed tables, in a database of their own. */
  copyTables(): DatabaseSync {
    const copy = new DatabaseSync(':memory:')
    copy.deserialize(this.#committed ?? this.db.serialize())
    return copy
  }

  /** Asks the committed tables. */
  query(request: SqlRequest, limits: SqlLimits): SqlResult {
    if (!this.#committed) return this.sql.query(request, limits)
    const copy = this.copyTables()
    try {
      return new AppletSql(copy).query(request, limits)
    } finally {
      copy.close()
    }
  }
}
