import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { encodeEffectBody } from '@w3bstream/protocol'
import type { BatchRow, LogRow, MessageRow, OutboxEntry } from '../database.ts'
import { BulkInsert } from './bulk-insert.ts'
import { rowNumber } from './row.ts'

interface Totals {
  messages_before: number
  message_count: number
  logs_before: number
  log_count: number
}

/** Writes what a batch leaves behind, on the connection of its transaction. */
export class BatchWriter {
  readonly #insertBatch: StatementSync
  readonly #lastTotals: StatementSync
  readonly #forgetKeys: StatementSync
  readonly #messages: BulkInsert<MessageRow>
  readonly #bodies: BulkInsert<MessageRow>
  readonly #receipts: BulkInsert<MessageRow>
  readonly #logs: BulkInsert<LogRow>
  readonly #effects: BulkInsert<OutboxEntry>
  readonly #idempotency: BulkInsert<{ readonly key: Uint8Array; readonly index: number }>
  /** Row number of entry 0 of the batch being written. */
  #first = 0
  #timeMs = 0

  constructor(db: DatabaseSync) {
    this.#insertBatch = db.prepare(`INSERT INTO batch VALUES (${Array(12).fill('?').join(',')})`)
    this.#lastTotals = db.prepare(
      'SELECT messages_before, message_count, logs_before, log_count FROM batch ORDER BY height DESC LIMIT 1',
    )
    this.#forgetKeys = db.prepare('DELETE FROM idempotency WHERE time_ms < ?')
    const messageColumns = 'message (row, id, received_ms, kind, publisher_id, event_type, event_id, status)'
    this.#messages = new BulkInsert(db, messageColumns, (m, values) => {
      values.push(this.#first + m.index, m.id, m.receivedMs, m.kind, m.publisherId, m.eventType, m.eventId, m.status)
    })
    this.#bodies = new BulkInsert(db, 'message_body (row, body)', (m, values) => {
      values.push(this.#first + m.index, m.message)
    })
    this.#receipts = new BulkInsert(db, 'receipt (row, receipt)', (m, values) => {
      values.push(this.#first + m.index, m.receipt)
    })
    const logColumns = 'log (row, applet_id, instance_id, source, level, message, time_ms, event_id)'
    this.#logs = new BulkInsert(db, logColumns, (l, values) => {
      const row = this.#first + l.index
      values.push(row, l.appletId, l.instanceId, l.source, l.level, l.message, l.timeMs, l.eventId)
    })
    const effectColumns =
      'outbox (row, message_index, id, kind, body, local, state, settled, attempts, detail, updated_ms)'
    this.#effects = new BulkInsert(db, effectColumns, ({ effect, local }, values) => {
      const { id, messageIndex, body } = effect
      const row = this.#first + effect.index
      values.push(row, messageIndex, id, body.kind, encodeEffectBody(body), local, 'INIT', 0, 0, '', this.#timeMs)
    })
    this.#idempotency = new BulkInsert(
      db,
      'idempotency (key, row, time_ms)',
      ({ key, index }, values) => {
        values.push(key, this.#first + index, this.#timeMs)
      },
      { onConflict: '(key) DO UPDATE SET row = excluded.row, time_ms = excluded.time_ms' },
    )
  }

  /** @throws RangeError when an entry's index does not fit */
  write(batch: BatchRow): void {
    checkIndices(batch)
    this.#first = rowNumber(batch.height, 0)
    this.#timeMs = batch.timeMs
    this.#writeHeader(batch)
    this.#messages.run(batch.messages)
    this.#bodies.run(batch.messages)
    this.#receipts.run(batch.messages)
    this.#logs.run(batch.logs)
    this.#effects.run(batch.effects)
    this.#idempotency.run(batch.idempotency)
    if (batch.forgetKeysBeforeMs !== undefined) this.#forgetKeys.run(batch.forgetKeysBeforeMs)
  }

  #writeHeader(batch: BatchRow): void {
    const last = this.#lastTotals.get() as Totals | undefined
    this.#insertBatch.run(
      batch.height,
      batch.header,
      batch.hash,
      batch.timeMs,
      batch.receiptsRoot,
      batch.effectsRoot,
      batch.stateDigest,
      batch.witness,
      last ? last.messages_before + last.message_count : 0,
      batch.messages.length,
      last ? last.logs_before + last.log_count : 0,
      batch.logs.length,
    )
  }
}

/** Entries are in order, so the last one of each kind has the highest index. */
function checkIndices(batch: BatchRow): void {
  const { height, messages, logs, effects } = batch
  for (const index of [messages.at(-1)?.index, logs.at(-1)?.index, effects.at(-1)?.effect.index])
    if (index !== undefined) rowNumber(height, index)
}
