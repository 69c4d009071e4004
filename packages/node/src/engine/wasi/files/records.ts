import type { MaybePromise } from '../../engine.ts'

/**
 * Files and directories as keyed bytes, which is how a store keeps them.
 *
 * | space | key | value |
 * |---|---|---|
 * | `entry` | number of the directory, `/`, name | {@link encodeEntry} |
 * | `content` | number of the file | its bytes; absent when there are none |
 * | `total` | empty | {@link encodeTotals} |
 *
 * Renaming moves an entry and nothing else, whatever it names.
 */
export type RecordSpace = 'entry' | 'content' | 'total'

export interface FileRecords {
  get(space: RecordSpace, key: string): MaybePromise<Uint8Array | undefined>
  /** Entries whose key begins so, in the order of their keys' UTF-8 bytes. */
  entries(prefix: string, limit: number): MaybePromise<readonly { key: string; value: Uint8Array }[]>
  /** @param value null removes the key; the bytes are not changed afterwards */
  put(space: RecordSpace, key: string, value: Uint8Array | null): void
  /** Announces bytes that will be put. @throws HostFault Limit */
  hold(bytes: number): void
}

/** The number of the directory that everything lies below. */
export const rootNumber = 1

export interface EntryRecord {
  readonly kind: 'file' | 'directory'
  /** Names the file for as long as it exists; given in the order of creation. */
  readonly number: number
  /** Bytes. */
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint
}

const entryBytes = 25

export function encodeEntry({ kind, number, size, modifiedNs }: EntryRecord): Uint8Array {
  const bytes = Buffer.alloc(entryBytes)
  bytes.writeUInt8(kind === 'directory' ? 1 : 0)
  bytes.writeBigUInt64BE(BigInt(number), 1)
  bytes.writeBigUInt64BE(BigInt(size), 9)
  bytes.writeBigUInt64BE(modifiedNs, 17)
  return bytes
}

export function decodeEntry(bytes: Uint8Array): EntryRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, entryBytes)
  return {
    kind: view.getUint8(0) === 1 ? 'directory' : 'file',
    number: Number(view.getBigUint64(1)),
    size: Number(view.getBigUint64(9)),
    modifiedNs: view.getBigUint64(17),
  }
}

/** What a tree holds. */
export interface Totals {
  nextNumber: number
  /** Files and directories, without the root. */
  files: number
  bytes: number
}

export function encodeTotals({ nextNumber, files, bytes }: Totals): Uint8Array {
  const encoded = Buffer.alloc(24)
  for (const [index, value] of [nextNumber, files, bytes].entries()) encoded.writeBigUInt64BE(BigInt(value), index * 8)
  return encoded
}

export function decodeTotals(encoded: Uint8Array | undefined): Totals {
  if (encoded === undefined) return { nextNumber: rootNumber + 1, files: 0, bytes: 0 }
  const view = new DataView(encoded.buffer, encoded.byteOffset, 24)
  const [nextNumber = 0, files = 0, bytes = 0] = [0, 8, 16].map((at) => Number(view.getBigUint64(at)))
  return { nextNumber, files, bytes }
}
