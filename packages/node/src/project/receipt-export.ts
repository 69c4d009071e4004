import {
  decodeEffectBody,
  decodeMessage,
  decodeReceipt,
  leafHash,
  merklePath,
  type ProjectKey,
  type ReceiptFile,
  type ReceiptTransaction,
  summarize,
  toHex,
} from '@w3bstream/protocol'
import { localHash } from '../chain/chain.ts'
import type { OutboxRow, ProjectReader } from '../database/database.ts'

/**
 * The receipt of a message as a file that anybody can check offline (`protocol/receipt-file.ts`).
 * @returns nothing when the project has no such message
 */
export async function exportReceipt(
  reader: ProjectReader,
  project: ProjectKey,
  messageId: Uint8Array,
): Promise<ReceiptFile | undefined> {
  const row = await reader.messageById(messageId)
  if (!row) return undefined
  const [batch, rows, outbox] = await Promise.all([
    reader.batch(row.height),
    reader.messages(row.height),
    reader.outbox({ height: row.height, kind: 'transaction', size: -1 }),
  ])
  if (!batch) return undefined
  const ids = rows.map((other) => other.id)
  const receipts = rows.map((other) => leafHash(other.receipt))
  const message = decodeMessage(row.message)
  const receipt = decodeReceipt(row.receipt)
  return {
    format: 'w3bstream-receipt/1',
    project,
    message: toHex(row.message),
    receipt: toHex(row.receipt),
    header: toHex(batch.header),
    paths: { message: merklePath(ids, row.index).map(toHex), receipt: merklePath(receipts, row.index).map(toHex) },
    ...(batch.certificate.length > 0 ? { certificate: toHex(batch.certificate) } : {}),
    summary: summarize(message, receipt),
    transactions: outbox.data.filter((effect) => effect.messageIndex === row.index).map(transactionOf),
  }
}

function transactionOf(row: OutboxRow): ReceiptTransaction {
  const body = decodeEffectBody(row.body)
  return {
    effectId: toHex(row.id),
    chainId: body.kind === 'transaction' ? body.chainId.toString() : '0',
    hash: localHash(row.local) ?? '',
    state: row.state,
    ...(row.detail ? { detail: row.detail } : {}),
  }
}
