import { Reader, Writer } from './bytes/codec.ts'
import { ProtocolError } from './error.ts'
import type { Sfid } from './ids.ts'

/**
 * What became of a message. `ok`: every handler returned; `failed`: at least one did not; `unrouted`: no strategy wanted
 * it; `duplicate`: its idempotency key was seen, the results are those of the first; `applied` and `refused`: a change of
 * the configuration, or an answer from outside, took effect or did not.
 */
export const receiptStatuses = ['ok', 'failed', 'unrouted', 'duplicate', 'applied', 'refused'] as const
export type ReceiptStatus = (typeof receiptStatuses)[number]

/** One handler's run. */
export interface HandlerResult {
  readonly appletId: Sfid
  readonly instanceId: Sfid
  readonly handler: string
  /** SHA-256 of the module that ran; zeros when none did. */
  readonly codeHash: Uint8Array
  /** What it returned, or −1. */
  readonly code: number
  /** Why it did not return; `''` when it did. A code of `docs/errors.md`. */
  readonly error: string
  /** The engine's words on it, for people. */
  readonly message: string
  readonly fuel: bigint
}

export interface Receipt {
  readonly messageId: Uint8Array
  readonly height: bigint
  readonly index: number
  readonly status: ReceiptStatus
  /** The member that vouches for the sender; zeros when the device signed. */
  readonly vouchedBy: Uint8Array
  readonly results: readonly HandlerResult[]
  /** Number of the first effect of this message in the batch, and how many follow. */
  readonly effects: { readonly first: number; readonly count: number }
  /** JSON: the result of a change, or the id of the message that this one repeats. */
  readonly detail: string
}

const version = 1
const idBytes = 32
const heightBytes = 8

/** The canonical bytes, which are the leaf's content in the batch's tree of receipts. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  return writeReceipt(new Writer(256), receipt).finish()
}

export function writeReceipt(writer: Writer, receipt: Receipt): Writer {
  writer
    .u8(version)
    .raw(receipt.messageId)
    .u64(receipt.height)
    .uint(receipt.index)
    .u8(receiptStatuses.indexOf(receipt.status))
    .raw(receipt.vouchedBy)
    .uint(receipt.effects.first)
    .uint(receipt.effects.count)
    .text(receipt.detail)
    .uint(receipt.results.length)
  for (const result of receipt.results)
    writer
      .text(result.appletId)
      .text(result.instanceId)
      .text(result.handler)
      .raw(result.codeHash)
      .i32(result.code)
      .text(result.error)
      .text(result.message)
      .u64(result.fuel)
  return writer
}

/** The status alone, without decoding the rest. @throws ProtocolError when it cannot be read */
export function receiptStatus(bytes: Uint8Array): ReceiptStatus {
  const reader = new Reader(bytes)
  expectTag('version', reader.u8(), version)
  reader.raw(idBytes + heightBytes)
  reader.uint()
  return readStatus(reader.u8())
}

/** @throws ProtocolError on anything but one canonical receipt */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const reader = new Reader(bytes)
  expectTag('version', reader.u8(), version)
  const head = {
    messageId: reader.raw(idBytes),
    height: reader.u64(),
    index: reader.uint(),
    status: readStatus(reader.u8()),
    vouchedBy: reader.raw(20),
    effects: { first: reader.uint(), count: reader.uint() },
    detail: reader.text('detail', 16 * 1024 * 1024),
  }
  const count = reader.uint()
  if (count > 4096) throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'results', size: count, limit: 4096 })
  const results = Array.from({ length: count }, () => readResult(reader))
  reader.end()
  return { ...head, results }
}

function readResult(reader: Reader): HandlerResult {
  return {
    appletId: reader.text('appletId', 20),
    instanceId: reader.text('instanceId', 20),
    handler: reader.text('handler', 4096),
    codeHash: reader.raw(32),
    code: reader.i32(),
    error: reader.text('error', 256),
    message: reader.text('message', 65536),
    fuel: reader.u64(),
  }
}

function readStatus(tag: number): ReceiptStatus {
  const status = receiptStatuses[tag]
  if (status) return status
  throw new ProtocolError({ code: 'CODEC_VALUE', field: 'status', value: `${tag}`, wanted: '0 … 5' })
}

function expectTag(field: string, found: number, wanted: number): void {
  if (found !== wanted) throw new ProtocolError({ code: 'CODEC_VALUE', field, value: `${found}`, wanted: `${wanted}` })
}
