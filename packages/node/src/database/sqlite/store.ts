import type { DatabaseSync } from 'node:sqlite'
import type { Sfid } from '@w3bstream/protocol'
import type { OutboxRange, ProjectStore, ProjectTransaction, SqlRequest } from '../database.ts'
import { AppletSql } from '../sql/applet-sql.ts'
import { guarded } from '../sql/sqlite-fault.ts'
import { BatchWriter } from './batch-writer.ts'
import { type CertificateEntry, type EffectUpdate, LateWrites } from './late-writes.ts'
import type { LogFilter } from './log-reader.ts'
import type { MessageFilter } from './message-reader.ts'
import type { OutboxFilter } from './outbox-reader.ts'
import { SqliteReader } from './reader.ts'
import { Statements } from './statements.ts'
import { openKvWriter, SqliteTransaction } from './transaction.ts'

export interface StoreNeeds {
  readonly db: DatabaseSync
  /** A second connection, for reading beside an open transaction. */
  openBeside(): DatabaseSync
  /** How long late writes wait for a commit to ride on, milliseconds. */
  readonly lateWriteMs: number
}

/**
 * The writer's store of a project. While a transaction is open, questions go to a second connection, which sees committed
 * batches only; otherwise to the writer's own, whose pages are warm.
 */
export class SqliteStore implements ProjectStore {
  readonly synchronous = true
  readonly #needs: StoreNeeds
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #batchWriter: BatchWriter
  readonly #kvWriter: ReturnType<typeof openKvWriter>
  readonly #sql: AppletSql
  readonly #own: SqliteReader
  readonly #late = new LateWrites()
  #beside: SqliteReader | undefined
  #transaction: SqliteTransaction | undefined
  #timer: NodeJS.Timeout | undefined
  #height: bigint

  constructor(needs: StoreNeeds) {
    this.#needs = needs
    this.#db = needs.db
    this.#statements = new Statements(needs.db)
    this.#batchWriter = new BatchWriter(needs.db)
    this.#kvWriter = openKvWriter(needs.db)
    this.#sql = new AppletSql(needs.db)
    this.#own = new SqliteReader(needs.db, this.#sql)
    this.#height = this.#own.tip().height
  }

  begin(): ProjectTransaction {
    if (this.#transaction) throw new Error('a transaction of this store is open')
    const needs = {
      db: this.#db,
      statements: this.#statements,
      batchWriter: this.#batchWriter,
      kvWriter: this.#kvWriter,
      sql: this.#sql,
      height: this.#height,
      beforeCommit: () => this.#late.write(this.#statements),
      ended: (committed: boolean) => this.#ended(committed),
    }
    this.#transaction = guarded(() => new SqliteTransaction(needs))
    return this.#transaction
  }

  outboxUpdate(changes: readonly EffectUpdate[]): void {
    this.#late.addEffects(changes)
    this.#schedule()
  }

  putCertificates(certificates: readonly CertificateEntry[]): void {
    this.#late.addCertificates(certificates)
    this.#schedule()
  }

  removeLogs(instanceId: Sfid): void {
    guarded(() => {
      this.#db.exec('BEGIN IMMEDIATE')
      try {
        this.#statements.run('DELETE FROM log WHERE instance_id = ?', instanceId)
        this.#statements.run('INSERT INTO log_removal (instance_id) VALUES (?) ON CONFLICT DO NOTHING', instanceId)
        this.#db.exec('COMMIT')
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
  }

  tip() {
    return this.#reader().tip()
  }

  definition(kind?: string) {
    return this.#reader().definition(kind)
  }

  definitionGet(kind: string, id: string) {
    return this.#reader().definitionGet(kind, id)
  }

  batch(height: bigint) {
    return this.#reader().batch(height)
  }

  messages(height: bigint) {
    return this.#reader().messages(height)
  }

  messageById(id: Uint8Array) {
    return this.#reader().messageById(id)
  }

  heightSince(timeMs: number) {
    return this.#reader().heightSince(timeMs)
  }

  countEvents(from: bigint, batches: number) {
    return this.#reader().countEvents(from, batches)
  }

  listMessages(filter: MessageFilter) {
    return this.#reader().listMessages(filter)
  }

  listLogs(filter: LogFilter) {
    return this.#reader().listLogs(filter)
  }

  listKv(filter: { namespace?: string; prefix?: string; size?: number; offset?: number }) {
    return this.#reader().listKv(filter)
  }

  outboxPending(range?: OutboxRange) {
    return this.#reader().outboxPending(range)
  }

  outbox(filter: OutboxFilter) {
    return this.#reader().outbox(filter)
  }

  query(request: SqlRequest, limits: { rows: number; bytes: number }) {
    return this.#reader().query(request, limits)
  }

  /** Rolls an open transaction back; late writes are on disk when this returns. */
  close(): void {
    if (!this.#db.isOpen) return
    this.#transaction?.rollback()
    clearTimeout(this.#timer)
    try {
      this.#flush()
    } finally {
      this.#beside?.close()
      this.#db.close()
    }
  }

  #reader(): SqliteReader {
    if (!this.#transaction) {
      this.#flush()
      return this.#own
    }
    this.#beside ??= new SqliteReader(this.#needs.openBeside())
    return this.#beside
  }

  #ended(committed: boolean): void {
    this.#transaction = undefined
    if (!committed) return
    this.#height++
    this.#late.clear()
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#onTimer(), this.#needs.lateWriteMs).unref()
  }

  /** While a transaction is open, its commit takes what waits along. A failure keeps it for the next commit or question. */
  #onTimer(): void {
    this.#timer = undefined
    try {
      if (!this.#transaction) this.#flush()
    } catch {
      // Reported to whoever commits or asks next; here nobody could act on it.
    }
    if (this.#late.size > 0) this.#schedule()
  }

  #flush(): void {
    if (this.#late.size === 0) return
    guarded(() => {
      this.#db.exec('BEGIN IMMEDIATE')
      try {
        this.#late.write(this.#statements)
        this.#db.exec('COMMIT')
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
    this.#late.clear()
  }
}
