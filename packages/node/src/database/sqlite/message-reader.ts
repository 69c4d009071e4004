import type { Sfid } from '@w3bstream/protocol'
import type { MessageRow, Page, Paged } from '../database.ts'
import { heightOf, indexOf, rowNumber, rowsPerBatch } from './row.ts'
import { Filter, selectPage } from './select.ts'
import type { Statements } from './statements.ts'

interface StoredMessage {
  row: number
  id: Uint8Array
  received_ms: number
  kind: string
  publisher_id: string
  event_type: string
  event_id: string
  status: string
  body: Uint8Array | null
  receipt: Uint8Array | null
}

const columns =
  'm.row, id, received_ms, kind, publisher_id, event_type, event_id, status, b.body AS body, r.receipt AS receipt'
const joined = 'message m LEFT JOIN message_body b ON b.row = m.row LEFT JOIN receipt r ON r.row = m.row'
const nothing = new Uint8Array()

/** Where a payload or receipt was dropped by retention, it reads as no bytes. */
function toMessage(stored: StoredMessage): MessageRow & { height: bigint } {
  return {
    height: heightOf(stored.row),
    index: indexOf(stored.row),
    id: stored.id,
    message: stored.body ?? nothing,
    receivedMs: stored.received_ms,
    kind: stored.kind,
    publisherId: stored.publisher_id as Sfid | '',
    eventType: stored.event_type,
    eventId: stored.event_id,
    status: stored.status,
    receipt: stored.receipt ?? nothing,
  }
}

export function messagesOfBatch(statements: Statements, height: bigint): MessageRow[] {
  const first = rowNumber(height, 0)
  const sql = `SELECT ${columns} FROM ${joined} WHERE m.row >= ? AND m.row < ? ORDER BY m.row`
  return statements
    .all<StoredMessage>(sql, first, first + rowsPerBatch)
    .map(toMessage)
    .map(({ height: _, ...message }) => message)
}

export function messageById(statements: Statements, id: Uint8Array): (MessageRow & { height: bigint }) | undefined {
  // A message that was offered twice stands twice in the history; the first one counts.
  const sql = `SELECT ${columns} FROM ${joined} WHERE id = ? ORDER BY m.row LIMIT 1`
  const stored = statements.get<StoredMessage>(sql, id)
  return stored && toMessage(stored)
}

/** Batches' times never go back, so half of those in question are ruled out with each look. */
export function heightSince(statements: Statements, timeMs: number): bigint {
  const last = statements.get<{ height: number }>('SELECT height FROM batch ORDER BY height DESC LIMIT 1')
  let low = 1
  let high = (last?.height ?? 0) + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const batch = statements.get<{ time_ms: number }>('SELECT time_ms FROM batch WHERE height = ?', middle)
    if (batch && batch.time_ms >= timeMs) high = middle
    else low = middle + 1
  }
  return BigInt(low)
}

export function countEvents(statements: Statements, from: bigint, batches: number): Map<Sfid | '', number> {
  const first = rowNumber(from, 0)
  const sql =
    "SELECT publisher_id, count(*) AS events FROM message WHERE row >= ? AND row < ? AND event_type <> '' AND kind <> 'config' GROUP BY publisher_id"
  const counts = statements.all<{ publisher_id: string; events: number }>(sql, first, first + batches * rowsPerBatch)
  return new Map(counts.map(({ publisher_id, events }) => [publisher_id as Sfid | '', events]))
}

export interface MessageFilter extends Page {
  publisherId?: Sfid
  eventType?: string
  eventId?: string
  status?: string
  kind?: string
}

export function listMessages(statements: Statements, query: MessageFilter): Paged<MessageRow & { height: bigint }> {
  const filter = new Filter()
    .where('publisher_id = ?', query.publisherId)
    .where('event_type = ?', query.eventType)
    .where('event_id = ?', query.eventId)
    .where('status = ?', query.status)
    .where('kind = ?', query.kind)
  const total = filter.empty ? storedTotal(statements, 'message') : undefined
  return selectPage<StoredMessage, MessageRow & { height: bigint }>(
    statements,
    { columns, from: joined, table: 'message', order: 'm.row DESC', filter, page: query, total },
    toMessage,
  )
}

/**
 * How many rows of all batches are kept, from the running counts of the first and last batch that still have some: counting
 * them would read the whole table. Retention drops whole batches, oldest first; log lines that were removed out of that order
 * are counted after all.
 */
export function storedTotal(statements: Statements, table: 'message' | 'log'): number {
  if (table === 'log' && statements.get('SELECT 1 FROM log_removal LIMIT 1'))
    return statements.get<{ total: number }>('SELECT count(*) AS total FROM log')!.total
  const edge = (end: 'min' | 'max') =>
    statements.get<{ row: number | null }>(`SELECT ${end}(row) AS row FROM ${table}`)!.row
  const [oldest, newest] = [edge('min'), edge('max')]
  if (oldest === null || newest === null) return 0
  const counts = (row: number) =>
    statements.get<{ before: number; count: number }>(
      `SELECT ${table}s_before AS before, ${table}_count AS count FROM batch WHERE height = ?`,
      Number(heightOf(row)),
    )
  const [first, last] = [counts(oldest), counts(newest)]
  return first && last ? last.before + last.count - first.before : 0
}
