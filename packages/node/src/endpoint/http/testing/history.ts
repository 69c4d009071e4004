import { hash } from 'node:crypto'
import { encodeReceipt, type ReceiptStatus } from '@w3bstream/protocol'
import type { LogRow, MessageRow, Page, Paged, ProjectReader } from '../../../database/database.ts'
import { DatabaseError } from '../../../database/errors.ts'

type StoredMessage = MessageRow & { height: bigint }
type StoredLog = LogRow & { height: bigint; row: number }

/** What a project in memory remembers: one message per batch, its log lines, keys and values. */
export class History {
  readonly messages: StoredMessage[] = []
  readonly logs: StoredLog[] = []
  readonly kv: { namespace: string; key: string; value: Uint8Array }[] = []

  append(
    message: Pick<MessageRow, 'publisherId' | 'eventType' | 'eventId' | 'status'> & { payload: Uint8Array },
    logs: readonly Pick<LogRow, 'appletId' | 'instanceId' | 'message'>[],
  ): Uint8Array {
    const { payload, eventId, ...rest } = message
    const height = BigInt(this.messages.length + 1)
    const id = hash('sha256', `${height}`, 'buffer')
    const receipt = encodeReceipt({
      messageId: id,
      height,
      index: 0,
      status: message.status as ReceiptStatus,
      vouchedBy: new Uint8Array(20),
      results: [],
      effects: { first: 0, count: 0 },
      detail: '',
    })
    const fixed = { index: 0, id, receivedMs: Date.now(), kind: 'data', receipt }
    this.messages.push({ ...fixed, ...rest, eventId, message: payload, height })
    for (const [index, log] of logs.entries()) {
      const line = { index, source: 'wasmCode', level: 4, timeMs: Date.now(), eventId, ...log }
      this.logs.push({ ...line, height, row: this.logs.length + 1 })
    }
    return id
  }

  reader(): ProjectReader {
    const { messages, logs, kv } = this
    return {
      tip: () => ({
        height: BigInt(messages.length),
        batchHash: new Uint8Array(32),
        stateDigest: new Uint8Array(32),
        timeMs: 0,
      }),
      definition: () => [],
      definitionGet: () => undefined,
      batch: () => undefined,
      messages: (height) => messages.filter((message) => message.height === height),
      messageById: (id) => messages.find((message) => Buffer.compare(message.id, id) === 0),
      listMessages: (filter) =>
        page(
          messages
            .filter((message) =>
              (['publisherId', 'eventType', 'eventId', 'status', 'kind'] as const).every(
                (field) => filter[field] === undefined || filter[field] === message[field],
              ),
            )
            .reverse(),
          filter,
        ),
      heightSince: (timeMs) => BigInt(messages.filter(({ receivedMs }) => receivedMs < timeMs).length + 1),
      countEvents: () => new Map(),
      listLogs: (filter) => {
        const kept = logs.filter(
          (log) =>
            (['instanceId', 'appletId', 'eventId', 'level'] as const).every(
              (field) => filter[field] === undefined || filter[field] === log[field],
            ) && log.row > (filter.after ?? 0),
        )
        return page(filter.after === undefined ? kept.reverse() : kept, filter)
      },
      listKv: ({ namespace, prefix = '', ...filter }) =>
        page(
          kv.filter((row) => (namespace === undefined || row.namespace === namespace) && row.key.startsWith(prefix)),
          filter,
        ),
      outboxPending: () => [],
      outbox: (filter) => page([], filter),
      query: ({ statement, params }) => {
        if (!/^select/i.test(statement))
          throw new DatabaseError({ code: 'SQL_REFUSED', what: statement, wanted: 'SELECT' })
        const columns = params.map((_, i) => ({ name: `p${i}`, type: 'text' as const }))
        return { columns, rows: [params.map((param) => (param.type === 'null' ? null : param.value))], changes: 0 }
      },
      close: () => {},
    }
  }
}

function page<T>(rows: readonly T[], { size = 10, offset = 0 }: Page): Paged<T> {
  return { data: rows.slice(offset, size < 0 ? undefined : offset + size), total: rows.length }
}
