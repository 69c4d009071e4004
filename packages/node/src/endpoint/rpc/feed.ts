/** What a subscription sends, read from committed state by position: nothing is queued here, however fast a project is. */
import { toHex } from '@w3bstream/protocol'
import type { LogRow, MessageRow, ProjectReader } from '../../database/database.ts'
import type { Identity } from '../endpoint.ts'

/** Rows that are read at once and sent before the next are read. */
const pageRows = 50

export interface LogFilter {
  readonly appletId?: string
  readonly instanceId?: string
  readonly eventId?: string
}

export interface Feed {
  /** The next items; undefined when there is nothing new. */
  next(): Promise<readonly unknown[] | undefined>
}

/** Log lines that are committed from now on. */
export async function logFeed(reader: ProjectReader, filter: LogFilter): Promise<Feed> {
  const newest = await reader.listLogs({ size: 1 })
  let row = newest.data[0]?.row ?? 0
  return {
    async next() {
      const { data } = await reader.listLogs({ ...filter, after: row, size: pageRows })
      row = data.at(-1)?.row ?? row
      return data.length > 0 ? data.map(logJson) : undefined
    },
  }
}

/** What became of messages that are committed from now on; of a device's own, when a device asks. */
export async function receiptFeed(reader: ProjectReader, identity: Identity): Promise<Feed> {
  let height = (await reader.tip()).height
  return {
    async next() {
      if ((await reader.tip()).height <= height) return undefined
      height += 1n
      const rows = await reader.messages(height)
      const mine = identity.type === 'account' ? rows : rows.filter((row) => row.publisherId === identity.publisherId)
      return mine.map((row) => receiptJson(row, height))
    },
  }
}

function logJson(line: LogRow & { height: bigint }): Record<string, unknown> {
  return {
    height: line.height.toString(),
    appletID: line.appletId,
    instanceID: line.instanceId,
    src: line.source,
    level: line.level,
    msg: line.message,
    logTime: line.timeMs,
    eventID: line.eventId,
  }
}

function receiptJson(row: MessageRow, height: bigint): Record<string, unknown> {
  return {
    messageID: toHex(row.id),
    height: height.toString(),
    index: row.index,
    kind: row.kind,
    publisherID: row.publisherId,
    eventType: row.eventType,
    eventID: row.eventId,
    status: row.status,
  }
}
