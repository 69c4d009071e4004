import type { DatabaseSync } from 'node:sqlite'
import type {
  BatchRow,
  DatabaseSchema,
  DefinitionRow,
  KvItem,
  KvRange,
  KvWrite,
  ProjectTransaction,
  SqlLimits,
  SqlRequest,
  SqlResult,
} from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { behindPrefix, compareText } from '../key-order.ts'
import type { AppletSql } from '../sql/applet-sql.ts'
import { Savepoints } from '../sql/savepoints.ts'
import { storageFault } from '../sql/sqlite-fault.ts'
import type { BatchWriter } from './batch-writer.ts'
import { BulkInsert } from './bulk-insert.ts'
import { type OutboxChange, updateOutbox } from './outbox-writer.ts'
import { heightOf, indexOf } from './row.ts'
import type { Statements } from './statements.ts'

type KvEntry = KvWrite & { readonly value: Uint8Array }

/** What a transaction uses of its store. */
export interface TransactionNeeds {
  readonly db: DatabaseSync
  readonly statements: Statements
  readonly batchWriter: BatchWriter
  readonly kvWriter: BulkInsert<KvEntry>
  readonly sql: AppletSql
  /** Height of the last batch. */
  readonly height: bigint
  /** Writes what has waited for a commit. */
  beforeCommit(): void
  /** The transaction is over. */
  ended(committed: boolean): void
}

export function openKvWriter(db: DatabaseSync): BulkInsert<KvEntry> {
  return new BulkInsert(
    db,
    'kv (namespace, key, value)',
    (entry, values) => {
      values.push(entry.namespace, entry.key, entry.value)
    },
    { onConflict: '(namespace, key) DO UPDATE SET value = excluded.value' },
  )
}

/** The open transaction of a batch. After a storage fault it is rolled back and every further use repeats the fault. */
export class SqliteTransaction implements ProjectTransaction {
  readonly #needs: TransactionNeeds
  readonly #savepoints: Savepoints
  #over: Error | undefined

  constructor(needs: TransactionNeeds) {
    this.#needs = needs
    this.#savepoints = new Savepoints(needs.db)
    needs.db.exec('BEGIN IMMEDIATE')
    needs.sql.begun()
  }

  kvGet(namespace: string, key: string): Uint8Array | undefined {
    return this.#read(() => {
      const sql = 'SELECT value FROM kv WHERE namespace = ? AND key = ?'
      return this.#needs.statements.get<{ value: Uint8Array }>(sql, namespace, key)?.value
    })
  }

  kvPut(entries: readonly KvWrite[]): void {
    this.#write(() => {
      // The last entry of a key decides, so removals and values of different keys may be written apart.
      const last = new Map(entries.map((entry) => [`${entry.namespace}\0${entry.key}`, entry]))
      const removal = 'DELETE FROM kv WHERE namespace = ? AND key = ?'
      for (const { namespace, key, value } of last.values())
        if (value === null) this.#needs.statements.run(removal, namespace, key)
      this.#needs.kvWriter.run(
        last.size === entries.length ? entries.filter(hasValue) : [...last.values()].filter(hasValue),
      )
    })
  }

  kvList(namespace: string, { prefix = '', after, limit }: KvRange): readonly KvItem[] {
    return this.#read(() => {
      const { statements } = this.#needs
      const from = after !== undefined && compareText(after, prefix) >= 0 ? 'key > ?' : 'key >= ?'
      const to = behindPrefix(prefix)
      const sql = `SELECT key, value FROM kv WHERE namespace = ? AND ${from}${to === undefined ? '' : ' AND key < ?'} ORDER BY key LIMIT ?`
      const bounds = [from === 'key > ?' ? after! : prefix, ...(to === undefined ? [] : [to])]
      return statements.all<KvItem>(sql, namespace, ...bounds, limit)
    })
  }

  sqlExecute(request: SqlRequest, limits?: SqlLimits): SqlResult {
    return this.#write(() => this.#needs.sql.execute(request, limits))
  }

  sqlQuery(request: SqlRequest, limits?: SqlLimits): SqlResult {
    return this.#read(() => this.#needs.sql.query(request, limits))
  }

  savepoint(): void {
    this.#read(() => this.#savepoints.mark())
  }

  rollbackToSavepoint(): void {
    this.#read(() => {
      if (this.#savepoints.rollback()) this.#needs.sql.rolledBack()
    })
  }

  releaseSavepoint(): void {
    this.#read(() => this.#savepoints.release())
  }

  definitionPut(row: DefinitionRow): void {
    const sql =
      'INSERT INTO definition (kind, id, value) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value'
    this.#write(() => this.#needs.statements.run(sql, row.kind, row.id, row.value))
  }

  definitionDelete(kind: string, id: string): void {
    this.#write(() => this.#needs.statements.run('DELETE FROM definition WHERE kind = ? AND id = ?', kind, id))
  }

  migrate(schema: DatabaseSchema, clockMs?: number): void {
    this.#write(() => this.#needs.sql.migrate(schema, clockMs))
  }

  findIdempotent(key: Uint8Array): { height: bigint; index: number; timeMs: number; receipt: Uint8Array } | undefined {
    return this.#read(() => {
      const sql =
        'SELECT i.row, i.time_ms, r.receipt FROM idempotency i LEFT JOIN receipt r ON r.row = i.row WHERE i.key = ?'
      const found = this.#needs.statements.get<{ row: number; time_ms: number; receipt: Uint8Array | null }>(sql, key)
      return (
        found && {
          height: heightOf(found.row),
          index: indexOf(found.row),
          timeMs: found.time_ms,
          receipt: found.receipt ?? new Uint8Array(),
        }
      )
    })
  }

  outboxUpdate(id: Uint8Array, change: OutboxChange): void {
    this.#write(() => updateOutbox(this.#needs.statements, id, change, Date.now()))
  }

  commit(batch: BatchRow): void {
    this.#read(() => {
      const wanted = this.#needs.height + 1n
      if (batch.height !== wanted) throw new DatabaseError({ code: 'BATCH_HEIGHT', wanted, given: batch.height })
      try {
        this.#needs.batchWriter.write(batch)
        this.#needs.beforeCommit()
        this.#needs.db.exec('COMMIT')
      } catch (error) {
        this.#abandon(storageFault(error) ?? asError(error))
        throw this.#over
      }
      this.#end(new Error('the transaction is committed'), true)
    })
  }

  rollback(): void {
    if (this.#over) return
    this.#abandon(new Error('the transaction is rolled back'))
  }

  #write<T>(run: () => T): T {
    return this.#read(() => {
      this.#savepoints.materialise()
      return run()
    })
  }

  #read<T>(run: () => T): T {
    if (this.#over) throw this.#over
    try {
      return run()
    } catch (error) {
      const fault = storageFault(error) ?? (isStorageFault(error) ? error : undefined)
      if (fault && !this.#over) this.#abandon(fault)
      throw fault ?? error
    }
  }

  #abandon(reason: Error): void {
    // On a full disk SQLite may have rolled back by itself.
    if (this.#needs.db.isTransaction) this.#needs.db.exec('ROLLBACK')
    this.#needs.sql.rolledBack()
    this.#end(reason, false)
  }

  #end(reason: Error, committed: boolean): void {
    this.#over = reason
    this.#needs.ended(committed)
  }
}

function hasValue(entry: KvWrite): entry is KvEntry {
  return entry.value !== null
}

function isStorageFault(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.code === 'DISK_FULL' || error.code === 'STORE_CORRUPT')
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
