import { sha256 } from '#sha256'
import { Reader, Writer } from './bytes/codec.ts'
import { ProtocolError } from './error.ts'

/** A chain's head as the batch fixes it, so that chain reads are alike on every member. */
export interface ChainHead {
  readonly chainId: bigint
  readonly number: bigint
  readonly hash: Uint8Array
}

/** What consensus decides. Everything an applet may observe of the world follows from it. */
export interface BatchHeader {
  /** The project's own id. */
  readonly project: Uint8Array
  /** Number of the membership under which it was decided. */
  readonly epoch: bigint
  /** Number of the batch in the project's history, from 1. */
  readonly height: bigint
  /** Hash of the batch before; zeros at height 1. */
  readonly previous: Uint8Array
  /** The project's clock during this batch, milliseconds; never runs backwards. */
  readonly timeMs: number
  /** Address of the member that proposed it. */
  readonly proposer: Uint8Array
  /** Root of the tree over message ids. */
  readonly messagesRoot: Uint8Array
  readonly messageCount: number
  readonly chainHeads: readonly ChainHead[]
}

const domain = new TextEncoder().encode('w3bstream/batch/v1')
const version = 1

export function encodeBatchHeader(header: BatchHeader): Uint8Array {
  const writer = new Writer(256)
    .u8(version)
    .raw(header.project)
    .u64(header.epoch)
    .u64(header.height)
    .raw(header.previous)
    .uint(header.timeMs)
    .raw(header.proposer)
    .raw(header.messagesRoot)
    .uint(header.messageCount)
    .uint(header.chainHeads.length)
  for (const head of header.chainHeads) writer.u64(head.chainId).u64(head.number).raw(head.hash)
  return writer.finish()
}

/** @throws ProtocolError */
export function decodeBatchHeader(bytes: Uint8Array): BatchHeader {
  const reader = new Reader(bytes)
  const found = reader.u8()
  if (found !== version)
    throw new ProtocolError({ code: 'CODEC_VALUE', field: 'version', value: `${found}`, wanted: `${version}` })
  const header = {
    project: reader.raw(32),
    epoch: reader.u64(),
    height: reader.u64(),
    previous: reader.raw(32),
    timeMs: reader.uint(),
    proposer: reader.raw(20),
    messagesRoot: reader.raw(32),
    messageCount: reader.uint(),
    chainHeads: readHeads(reader),
  }
  reader.end()
  return header
}

function readHeads(reader: Reader): ChainHead[] {
  const count = reader.uint()
  if (count > 64) throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'chainHeads', size: count, limit: 64 })
  return Array.from({ length: count }, () => ({ chainId: reader.u64(), number: reader.u64(), hash: reader.raw(32) }))
}

/** The batch's hash, by which the next one and the certificate refer to it. */
export function batchHash(header: BatchHeader): Uint8Array {
  return sha256(domain, encodeBatchHeader(header))
}
