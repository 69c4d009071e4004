import { type Message, type Receipt, Writer, writeReceipt } from '@w3bstream/protocol'
import type { MessageRow } from '../../database/database.ts'
import { type DecidedBatch, packedPart } from '../executor/executor.ts'

/** Bytes of the usual receipt: one handler, no effects. */
const receiptBytes = 192

/** Encodes the receipts one behind the other, and puts each message's row together. */
export function receiptRows(
  { messages: packed, ends: messageEnds }: DecidedBatch,
  messages: readonly Message[],
  decoded: readonly Receipt[],
): { rows: MessageRow[]; receipts: Uint8Array; ends: Uint32Array } {
  const writer = new Writer(receiptBytes * messages.length)
  const ends = new Uint32Array(messages.length)
  for (const [index, receipt] of decoded.entries()) ends[index] = writeReceipt(writer, receipt).length
  const receipts = writer.finish()
  const rows = messages.map((message, index): MessageRow => {
    const { messageId, status } = decoded[index]!
    const { receivedMs, kind, publisherId, eventType, eventId } = message
    return {
      index,
      id: messageId,
      message: packedPart(packed, messageEnds, index),
      receivedMs,
      kind,
      publisherId,
      eventType,
      eventId,
      status,
      receipt: packedPart(receipts, ends, index),
    }
  })
  return { rows, receipts, ends }
}
