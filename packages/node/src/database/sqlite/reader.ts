import type { DatabaseSync } from 'node:sqlite'
import type { Sfid } from '@w3bstream/protocol'
import type {
  BatchRow,
  DefinitionRow,
  LogRow,
  MessageRow,
  OutboxRange,
  OutboxRow,
  Page,
  Paged,
  ProjectReader,
  ProjectTip,
  SqlRequest,
  SqlResult,
} from '../database.ts'
import { AppletSql } from '../sql/applet-sql.ts'
import { guarded } from '../sql/sqlite-fault.ts'
import { type LogFilter, listLogs } from './log-reader.ts'
import {
  countEvents,
  heightSince,
  listMessages,
  type MessageFilter,
  messageById,
  messagesOfBatch,
} from './message-reader.ts'
import { listOutbox, type OutboxFilter, pendingEffects } from './outbox-reader.ts'
import { Filter, selectPage } from './select.ts'
import { Statements } from './statements.ts'

export type StoredBatch = Omit<BatchRow, 'messages' | 'logs' | 'effects' | 'idempotency'> & { certificate: Uint8Array }

interface StoredBatchRow {
  height: number
  header: Uint8Array
  hash: Uint8Array
  time_ms: number
  receipts_root: Uint8Array
  effects_root: Uint8Array
  state_digest: Uint8Array
  witness: Uint8Array
  certificate: Uint8Array | null
}

interface KvRow {
  namespace: string
  key: string
  value: Uint8Array
}

const nothing = new Uint8Array()

/** Answers questions about a project on one connection. What it sees is what the connection sees. */
export class SqliteReader implements ProjectReader {
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #sql: AppletSql

  constructor(db: DatabaseSync, sql: AppletSql = new AppletSql(db, { shared: true })) {
    this.#db = db
    this.#statements = new Statements(db)
    this.#sql = sql
  }

  tip(): ProjectTip {
    const last = guarded(() =>
      this.#statements.get<{ height: number; hash: Uint8Array; state_digest: Uint8Array; time_ms: number }>(
        'SELECT height, hash, state_digest, time_ms FROM batch ORDER BY height DESC LIMIT 1',
      ),
    )
    if (!last) return { height: 0n, batchHash: new Uint8Array(32), stateDigest: new Uint8Array(32), timeMs: 0 }
    return {
      height: BigInt(last.height),
      batchHash: last.hash,
      stateDigest: last.state_digest,
      timeMs: last.time_ms,
    }
  }

  definition(kind?: string): DefinitionRow[] {
    const filter = new Filter().where('kind = ?', kind)
    const sql = `SELECT kind, id, value FROM definition${filter.sql} ORDER BY row`
    return guarded(() => this.#statements.all<DefinitionRow>(sql, ...filter.values).map((row) => ({ ...row })))
  }

  definitionGet(kind: string, id: string): DefinitionRow | undefined {
    const sql = 'SELECT kind, id, value FROM definition WHERE kind = ? AND id = ?'
    const row = guarded(() => this.#statements.get<DefinitionRow>(sql, kind, id))
    return row && { ...row }
  }

  batch(height: bigint): StoredBatch | undefined {
    const sql =
      'SELECT b.*, c.certificate FROM batch b LEFT JOIN certificate c ON c.height = b.height WHERE b.height = ?'
    const stored = guarded(() => this.#statements.get<StoredBatchRow>(sql, height))
    if (!stored) return undefined
    return {
      height: BigInt(stored.height),
      header: stored.header,
      hash: stored.hash,
      timeMs: stored.time_ms,
      receiptsRoot: stored.receipts_root,
      effectsRoot: stored.effects_root,
      stateDigest: stored.state_digest,
      witness: stored.witness,
      certificate: stored.certificate ?? nothing,
    }
  }

  messages(height: bigint): MessageRow[] {
    return guarded(() => messagesOfBatch(this.#statements, height))
  }

  messageById(id: Uint8Array): (MessageRow & { height: bigint }) | undefined {
    return guarded(() => messageById(this.#statements, id))
  }

  listMessages(filter: MessageFilter): Paged<MessageRow & { height: bigint }> {
    return guarded(() => listMessages(this.#statements, filter))
  }

  heightSince(timeMs: number): bigint {
    return guarded(() => heightSince(this.#statements, timeMs))
  }

  countEvents(from: bigint, batches: number): Map<Sfid | '', number> {
    return guarded(() => countEvents(this.#statements, from, batches))
  }

  listLogs(filter: LogFilter): Paged<LogRow & { height: bigint; row: number }> {
    return guarded(() => listLogs(this.#statements, filter))
  }

  listKv(query: { namespace?: string; prefix?: string } & Page): Paged<KvRow> {
    const filter = new Filter().where('namespace = ?', query.namespace)
    // `instr` finds the prefix literally, where LIKE and GLOB have wildcards.
    if (query.prefix) filter.where('instr(key, ?) = 1', query.prefix)
    return guarded(() =>
      selectPage<KvRow, KvRow>(
        this.#statements,
        { columns: 'namespace, key, value', from: 'kv', table: 'kv', order: 'namespace, key', filter, page: query },
        (row) => ({ ...row }),
      ),
    )
  }

  outboxPending(range?: OutboxRange): OutboxRow[] {
    return guarded(() => pendingEffects(this.#statements, range))
  }

  outbox(filter: OutboxFilter): Paged<OutboxRow> {
    return guarded(() => listOutbox(this.#statements, filter))
  }

  query(request: SqlRequest, limits: { rows: number; bytes: number }): SqlResult {
    // Between batches the clock stands where the last one left it.
    const timed = { clockMs: this.tip().timeMs, ...request }
    return guarded(() => this.#sql.query(timed, limits))
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }
}
