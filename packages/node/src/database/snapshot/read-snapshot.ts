import { type FileHandle, open } from 'node:fs/promises'
import { equalBytes, leafHash, merkleRoot } from '@w3bstream/protocol'
import type { StateEntry } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { decodeEntry, maxEntryBytes } from './entry-codec.ts'
import { chunkBytes, chunkCount, decodeSnapshotHeader, headerBytes, type SnapshotHeader } from './header.ts'

/** An open snapshot file. Every chunk is checked against the root before any of it is used. */
export class SnapshotFile {
  readonly header: SnapshotHeader
  readonly #file: string
  readonly #handle: FileHandle
  readonly #leaves: readonly Uint8Array[]

  private constructor(file: string, handle: FileHandle, header: SnapshotHeader, leaves: readonly Uint8Array[]) {
    this.#file = file
    this.#handle = handle
    this.header = header
    this.#leaves = leaves
  }

  /** @throws DatabaseError SNAPSHOT_INVALID when header, length or root are wrong */
  static async open(file: string): Promise<SnapshotFile> {
    const handle = await open(file, 'r')
    try {
      const header = decodeHeader(file, await readAt(file, handle, 0, headerBytes))
      const count = chunkCount(header.contentBytes)
      const { size } = await handle.stat()
      if (size !== headerBytes + header.contentBytes + 32 * count) invalid(file, `a length of ${size} bytes`)
      const packed = await readAt(file, handle, headerBytes + header.contentBytes, 32 * count)
      const leaves = Array.from({ length: count }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
      if (!equalBytes(merkleRoot(leaves), header.root)) invalid(file, 'the chunks are not those of the root')
      return new SnapshotFile(file, handle, header, leaves)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get chunks(): number {
    return this.#leaves.length
  }

  /** @throws DatabaseError SNAPSHOT_INVALID when the bytes are not those of the root */
  async chunk(index: number): Promise<Uint8Array> {
    const start = index * chunkBytes
    const length = Math.min(chunkBytes, this.header.contentBytes - start)
    const bytes = await readAt(this.#file, this.#handle, headerBytes + start, length)
    if (!equalBytes(leafHash(bytes), this.#leaves[index]!)) invalid(this.#file, `chunk ${index} was altered`)
    return bytes
  }

  /** All entries; at any time one chunk and one entry are in memory. @throws DatabaseError SNAPSHOT_INVALID */
  async *entries(): AsyncGenerator<StateEntry> {
    let rest: Uint8Array = new Uint8Array(0)
    for (let i = 0; i < this.chunks; i++) {
      rest = Buffer.concat([rest, await this.chunk(i)])
      let at = 0
      for (let end = this.#endOfEntry(rest, at); end !== undefined; end = this.#endOfEntry(rest, at)) {
        yield this.#decode(rest.subarray(end.start, end.end))
        at = end.end
      }
      rest = rest.subarray(at)
    }
    if (rest.length > 0) invalid(this.#file, 'the last entry is cut')
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** Where the entry at a place begins and ends behind its length; undefined when not all of it is there yet. */
  #endOfEntry(bytes: Uint8Array, at: number): { start: number; end: number } | undefined {
    let length = 0
    for (let i = 0; i < 8; i++) {
      const byte = bytes[at + i]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * 0x80 ** i
      if (byte >= 0x80) continue
      if (length > maxEntryBytes || (byte === 0 && i > 0)) break
      const start = at + i + 1
      return start + length <= bytes.length ? { start, end: start + length } : undefined
    }
    return invalid(this.#file, 'the length of an entry is out of range')
  }

  #decode(body: Uint8Array): StateEntry {
    try {
      return decodeEntry(body)
    } catch (cause) {
      throw new DatabaseError(
        { code: 'SNAPSHOT_INVALID', file: this.#file, detail: 'an entry that cannot be read' },
        { cause },
      )
    }
  }
}

function decodeHeader(file: string, bytes: Uint8Array): SnapshotHeader {
  try {
    return decodeSnapshotHeader(bytes)
  } catch (cause) {
    throw new DatabaseError({ code: 'SNAPSHOT_INVALID', file, detail: 'no header of a snapshot' }, { cause })
  }
}

async function readAt(file: string, handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) invalid(file, 'the file is cut')
    filled += bytesRead
  }
  return bytes
}

function invalid(file: string, detail: string): never {
  throw new DatabaseError({ code: 'SNAPSHOT_INVALID', file, detail })
}
