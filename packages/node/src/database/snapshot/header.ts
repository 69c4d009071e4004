import { fromHex, type ProjectKey, ProtocolError, Reader, sha256, toHex, Writer } from '@w3bstream/protocol'

/** What a snapshot is of, and the root over its content. `docs/spec/snapshot.md`. */
export interface SnapshotHeader {
  readonly project: ProjectKey
  readonly height: bigint
  readonly batchHash: Uint8Array
  readonly stateDigest: Uint8Array
  /** The project's clock, milliseconds. */
  readonly timeMs: number
  /** Bytes of the content. */
  readonly contentBytes: number
  /** Root of the SHA-256 tree over the content's chunks. */
  readonly root: Uint8Array
}

/** Content of one chunk, bytes; the last one has less. Small enough to be sent in one piece, large enough that hashing decides the speed. */
export const chunkBytes = 256 * 1024

const magic = new TextEncoder().encode('w3bsnap\n')
const version = 1
const domain = new TextEncoder().encode('w3bstream/snapshot/v1')

/** Every header has this length. */
export const headerBytes = magic.length + 1 + 32 + 8 + 32 + 32 + 8 + 8 + 32

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  return new Writer(headerBytes)
    .raw(magic)
    .u8(version)
    .raw(fromHex(header.project, 32))
    .u64(header.height)
    .raw(header.batchHash)
    .raw(header.stateDigest)
    .u64(BigInt(header.timeMs))
    .u64(BigInt(header.contentBytes))
    .raw(header.root)
    .finish()
}

/** @throws ProtocolError */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader {
  const reader = new Reader(bytes)
  const begin = Buffer.from(reader.raw(magic.length)).toString('latin1')
  const found = reader.u8()
  if (begin !== 'w3bsnap\n' || found !== version)
    throw new ProtocolError({
      code: 'CODEC_VALUE',
      field: 'version',
      value: `${found}`,
      wanted: `a snapshot of version ${version}`,
    })
  const header = {
    project: toHex(reader.raw(32)),
    height: reader.u64(),
    batchHash: reader.raw(32),
    stateDigest: reader.raw(32),
    timeMs: Number(reader.u64()),
    contentBytes: Number(reader.u64()),
    root: reader.raw(32),
  }
  reader.end()
  return header
}

/** The snapshot's name: all of it follows from these 32 bytes. */
export function snapshotDigest(header: SnapshotHeader): Uint8Array {
  return sha256(domain, encodeSnapshotHeader(header))
}

export function chunkCount(contentBytes: number): number {
  return Math.ceil(contentBytes / chunkBytes)
}
