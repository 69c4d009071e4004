import { decodeReceipt, fromHex, type HandlerResult, toHex } from '@w3bstream/protocol'
import Type, { type Static } from 'typebox'
import type { MessageRow } from '../../../database/database.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { List, paging, ShortName, toList } from '../schema.ts'

const ResultRow = Type.Object({
  appletID: Type.String(),
  handler: Type.String(),
  code: Type.Integer(),
  error: Type.String({ description: 'why it did not return; empty when it did' }),
  message: Type.String(),
  fuel: Type.String({ description: 'decimal' }),
  codeHash: Type.String({ description: 'SHA-256 of the module that ran, hexadecimal' }),
})

export const ReceiptRow = Type.Object({
  messageID: Type.String(),
  height: Type.String({ description: 'number of the batch' }),
  index: Type.Integer(),
  kind: Type.String(),
  status: Type.String(),
  eventType: Type.String(),
  eventID: Type.String(),
  publisherID: Type.String(),
  receivedAt: Type.Integer({ description: 'milliseconds' }),
  fuel: Type.String({ description: 'what all its handlers took together, decimal' }),
  errors: Type.Array(Type.String(), { description: 'codes of handlers that did not return' }),
  results: Type.Array(ResultRow, { description: 'one for each handler' }),
  effects: Type.Object(
    { first: Type.Integer(), count: Type.Integer() },
    { description: 'numbers of its effects among those of the batch' },
  ),
})

export function receiptRow(row: MessageRow & { height: bigint }): Static<typeof ReceiptRow> {
  const { results, effects } = decodeReceipt(row.receipt)
  return {
    messageID: toHex(row.id),
    height: row.height.toString(),
    index: row.index,
    kind: row.kind,
    status: row.status,
    eventType: row.eventType,
    eventID: row.eventId,
    publisherID: row.publisherId,
    receivedAt: row.receivedMs,
    fuel: results.reduce((sum, result) => sum + result.fuel, 0n).toString(),
    errors: results.map(({ error }) => error).filter((error) => error !== ''),
    results: results.map(resultRow),
    effects,
  }
}

function resultRow({
  appletId,
  handler,
  code,
  error,
  message,
  fuel,
  codeHash,
}: HandlerResult): Static<typeof ResultRow> {
  const hash = Buffer.from(codeHash).toString('hex')
  return { appletID: appletId, handler, code, error, message, fuel: fuel.toString(), codeHash: hash }
}

const text = Type.Optional(Type.String({ maxLength: 256 }))
const Filter = Type.Object({ publisherID: text, eventType: text, eventID: text, status: text, kind: text, ...paging })
const params = Type.Object({ p: ShortName })
const group = 'Project'

export function receiptRoutes({ deps, own }: RouteContext): Route[] {
  const list = async (key: Parameters<typeof deps.projects.reader>[0], query: Static<typeof Filter>, kind?: string) => {
    const { publisherID: publisherId, eventID, eventType, status, size, offset } = query
    const filter = { publisherId, eventType, eventId: eventID?.toLowerCase(), status, kind, size, offset }
    return (await deps.projects.reader(key)).listMessages(filter)
  }
  return [
    route({
      method: 'GET',
      path: '/receipt/x/:p/datalist',
      summary: 'Receipts of all messages, newest first',
      group,
      params,
      query: Filter,
      answer: List(ReceiptRow),
      handle: async ({ params, query, account }) => {
        const { data, total } = await list(own.project(account, params.p).key, query, query.kind)
        return toList({ data: data.map(receiptRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/event_log/x/:p/datalist',
      summary: 'Events of devices, newest first',
      group,
      params,
      query: Filter,
      answer: List(ReceiptRow),
      handle: async ({ params, query, account }) => {
        const { data, total } = await list(own.project(account, params.p).key, query, 'data')
        return toList({ data: data.map(receiptRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/receipt/x/:p/:messageID',
      summary: 'A receipt that can be checked offline',
      group,
      params: Type.Object({ p: ShortName, messageID: Type.String({ pattern: '^(0x)?[0-9a-fA-F]{64}$' }) }),
      answer: Type.Unknown(),
      handle: async ({ params, account }) => {
        const { key } = own.project(account, params.p)
        const receipt = await deps.exportReceipt(key, fromHex(params.messageID, 32))
        if (receipt === undefined) throw new ApiError('ReceiptNotFound', params.messageID)
        return receipt
      },
    }),
  ]
}
