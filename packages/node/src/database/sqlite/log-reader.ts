import type { Sfid } from '@w3bstream/protocol'
import type { LogRow, Page, Paged } from '../database.ts'
import { storedTotal } from './message-reader.ts'
import { heightOf, indexOf } from './row.ts'
import { Filter, selectPage } from './select.ts'
import type { Statements } from './statements.ts'

interface StoredLog {
  row: number
  applet_id: Sfid
  instance_id: Sfid
  source: string
  level: number
  message: string
  time_ms: number
  event_id: string
}

type Line = LogRow & { height: bigint; row: number }

function toLine(stored: StoredLog): Line {
  return {
    height: heightOf(stored.row),
    row: stored.row,
    index: indexOf(stored.row),
    appletId: stored.applet_id,
    instanceId: stored.instance_id,
    source: stored.source,
    level: stored.level,
    message: stored.message,
    timeMs: stored.time_ms,
    eventId: stored.event_id,
  }
}

export interface LogFilter extends Page {
  instanceId?: Sfid
  appletId?: Sfid
  eventId?: string
  level?: number
  after?: number
}

/** Newest first, or from `after` on oldest first. */
export function listLogs(statements: Statements, query: LogFilter): Paged<Line> {
  const filter = new Filter()
    .where('instance_id = ?', query.instanceId)
    .where('applet_id = ?', query.appletId)
    .where('event_id = ?', query.eventId)
    .where('level = ?', query.level)
    .where('row > ?', query.after)
  return selectPage<StoredLog, Line>(
    statements,
    {
      columns: 'row, applet_id, instance_id, source, level, message, time_ms, event_id',
      from: 'log',
      table: 'log',
      order: query.after === undefined ? 'row DESC' : 'row',
      filter,
      page: query,
      total: filter.empty ? storedTotal(statements, 'log') : undefined,
    },
    toLine,
  )
}
