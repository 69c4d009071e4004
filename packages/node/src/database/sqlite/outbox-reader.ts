import type { EffectState, OutboxRange, OutboxRow, Page, Paged } from '../database.ts'
import { heightOf, indexOf, rowNumber, rowsPerBatch } from './row.ts'
import { Filter, selectPage } from './select.ts'
import type { Statements } from './statements.ts'

interface StoredEffect {
  row: number
  message_index: number
  id: Uint8Array
  kind: string
  body: Uint8Array
  local: string
  state: EffectState
  attempts: number
  detail: string
  updated_ms: number
}

const columns = 'row, message_index, id, kind, body, local, state, attempts, detail, updated_ms'

function toOutboxRow(stored: StoredEffect): OutboxRow {
  const { row, message_index, updated_ms, ...rest } = stored
  return { height: heightOf(row), index: indexOf(row), messageIndex: message_index, ...rest, updatedMs: updated_ms }
}

/** Effects that are not settled, in the order of the history. */
export function pendingEffects(statements: Statements, { from, limit = -1 }: OutboxRange = {}): OutboxRow[] {
  const first = from === undefined ? 0 : rowNumber(from.height, from.index)
  const sql = `SELECT ${columns} FROM outbox INDEXED BY outbox_open WHERE settled = 0 AND row >= ? ORDER BY row LIMIT ?`
  return statements.all<StoredEffect>(sql, first, limit).map(toOutboxRow)
}

export interface OutboxFilter extends Page {
  state?: EffectState
  kind?: string
  height?: bigint
}

/** Newest first. */
export function listOutbox(statements: Statements, query: OutboxFilter): Paged<OutboxRow> {
  const first = query.height === undefined ? undefined : rowNumber(query.height, 0)
  const filter = new Filter()
    .where('state = ?', query.state)
    .where('kind = ?', query.kind)
    .where('row >= ?', first)
    .where('row < ?', first === undefined ? undefined : first + rowsPerBatch)
  return selectPage<StoredEffect, OutboxRow>(
    statements,
    { columns, from: 'outbox', table: 'outbox', order: 'row DESC', filter, page: query },
    toOutboxRow,
  )
}
