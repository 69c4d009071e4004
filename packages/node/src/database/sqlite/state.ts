import type { DatabaseSync } from 'node:sqlite'
import type { ProjectKey } from '@w3bstream/protocol'
import type { StateEntry, StateExport } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { inCanonicalOrder } from '../snapshot/canonical-order.ts'
import { guarded } from '../sql/sqlite-fault.ts'
import { exportTables, TableImport } from '../sql/table-state.ts'
import { SqliteReader } from './reader.ts'
import { heightOf, indexOf, rowNumber } from './row.ts'

/**
 * The state as a connection sees it that is used for nothing else: one transaction for reading holds it still. `close` closes
 * the connection.
 * @throws DatabaseError STORE_EMPTY
 */
export function exportState(project: ProjectKey, db: DatabaseSync): StateExport {
  try {
    db.exec('BEGIN')
    const tip = new SqliteReader(db).tip()
    if (tip.height === 0n) throw new DatabaseError({ code: 'STORE_EMPTY', project })
    return { tip, entries: entriesOf(db, tip.height), close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
}

function* entriesOf(db: DatabaseSync, height: bigint): Generator<StateEntry> {
  const reader = new SqliteReader(db)
  const { witness: _, certificate: __, ...batch } = reader.batch(height)!
  yield { type: 'tip', batch }
  for (const row of reader.definition()) yield { type: 'definition', row }
  const kv = db.prepare('SELECT namespace, key, value FROM kv ORDER BY namespace, key')
  for (const row of kv.iterate() as Iterable<unknown> as Iterable<{
    namespace: string
    key: string
    value: Uint8Array
  }>)
    yield { type: 'kv', ...row }
  yield* exportTables(db)
  const keys = db.prepare(
    'SELECT i.key, i.row, i.time_ms, r.receipt FROM idempotency i LEFT JOIN receipt r ON r.row = i.row ORDER BY i.key',
  )
  for (const { key, row, time_ms: timeMs, receipt } of keys.iterate() as Iterable<unknown> as Iterable<RememberedKey>)
    yield {
      type: 'idempotency',
      key,
      height: heightOf(row),
      index: indexOf(row),
      timeMs,
      receipt: receipt ?? new Uint8Array(),
    }
}

interface RememberedKey {
  readonly key: Uint8Array
  readonly row: number
  readonly time_ms: number
  readonly receipt: Uint8Array | null
}

/**
 * Fills the store behind a writer's connection in one transaction.
 * @throws DatabaseError STORE_NOT_EMPTY, STATE_INVALID
 */
export async function importState(
  project: ProjectKey,
  db: DatabaseSync,
  entries: Iterable<StateEntry> | AsyncIterable<StateEntry>,
): Promise<void> {
  const { height } = new SqliteReader(db).tip()
  if (height > 0n) throw new DatabaseError({ code: 'STORE_NOT_EMPTY', project, height })
  db.exec('BEGIN IMMEDIATE')
  try {
    const insert = new StateInsert(db)
    for await (const entry of inCanonicalOrder(project, entries)) guarded(() => insert.entry(entry))
    guarded(() => db.exec('COMMIT'))
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

class StateInsert {
  readonly #db: DatabaseSync
  readonly #tables: TableImport
  readonly #definition
  readonly #kv
  readonly #key
  readonly #receipt

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#tables = new TableImport(db)
    this.#definition = db.prepare('INSERT INTO definition (kind, id, value) VALUES (?, ?, ?)')
    this.#kv = db.prepare('INSERT INTO kv (namespace, key, value) VALUES (?, ?, ?)')
    this.#key = db.prepare('INSERT INTO idempotency (key, row, time_ms) VALUES (?, ?, ?)')
    this.#receipt = db.prepare('INSERT INTO receipt (row, receipt) VALUES (?, ?)')
  }

  entry(entry: StateEntry): void {
    switch (entry.type) {
      case 'tip':
        this.#tip(entry)
        return
      case 'definition':
        this.#definition.run(entry.row.kind, entry.row.id, entry.row.value)
        return
      case 'kv':
        this.#kv.run(entry.namespace, entry.key, entry.value)
        return
      case 'table':
        this.#tables.table(entry)
        return
      case 'row':
        this.#tables.row(entry)
        return
      case 'idempotency': {
        const row = rowNumber(entry.height, entry.index)
        this.#key.run(entry.key, row, entry.timeMs)
        this.#receipt.run(row, entry.receipt)
      }
    }
  }

  /** The last batch, without its messages: what follows refers to it. */
  #tip({ batch }: Extract<StateEntry, { type: 'tip' }>): void {
    const { height, header, hash, timeMs, receiptsRoot, effectsRoot, stateDigest } = batch
    this.#db
      .prepare(
        `INSERT INTO batch (height, header, hash, time_ms, receipts_root, effects_root, state_digest, witness,
          messages_before, message_count, logs_before, log_count) VALUES (?, ?, ?, ?, ?, ?, ?, x'', 0, 0, 0, 0)`,
      )
      .run(height, header, hash, timeMs, receiptsRoot, effectsRoot, stateDigest)
  }
}
