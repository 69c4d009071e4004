import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { leafHash, merkleRoot, type ProjectKey, toHex, Writer } from '@w3bstream/protocol'
import { syncDirectory } from '../../util/sync-directory.ts'
import type { StateExport } from '../database.ts'
import { writeEntry } from './entry-codec.ts'
import { chunkBytes, encodeSnapshotHeader, headerBytes, type SnapshotHeader, snapshotDigest } from './header.ts'
import { snapshotName } from './snapshot-name.ts'

export interface WrittenSnapshot {
  readonly file: string
  readonly header: SnapshotHeader
}

export interface WriteOptions {
  /** Ends the writing between two chunks; nothing stays then. */
  readonly signal?: AbortSignal
}

/** How files are called that are not whole yet. */
const partialPrefix = '.partial-'
/** A file that has not grown for so long is no longer being written, milliseconds. */
const abandonedMs = 3_600_000

/**
 * Writes a state into a directory as `<height>-<digest>.w3bsnap`. The file appears whole or not at all; at any time one chunk
 * and one entry are in memory. Between chunks the event loop goes on.
 */
export async function writeSnapshot(
  directory: string,
  project: ProjectKey,
  state: StateExport,
  { signal }: WriteOptions = {},
): Promise<WrittenSnapshot> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const partial = join(directory, `${partialPrefix}${randomBytes(8).toString('hex')}`)
  const handle = await open(partial, 'wx', 0o600)
  try {
    const { height, batchHash, stateDigest, timeMs } = state.tip
    const content = await writeContent(handle, state, signal)
    const header = { project, height, batchHash, stateDigest, timeMs, ...content }
    await handle.write(encodeSnapshotHeader(header), 0, headerBytes, 0)
    await handle.sync()
    const file = join(directory, snapshotName(height, toHex(snapshotDigest(header))))
    await rename(partial, file)
    await syncDirectory(directory)
    return { file, header }
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

/** Removes what writers left behind that ended before they could. */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(partialPrefix)) continue
    const file = join(directory, name)
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (mtimeMs < Date.now() - abandonedMs) await rm(file, { force: true })
  }
}

/** Content behind the place of the header, then the leaf hashes of its chunks, so that each can be fetched and checked alone. */
async function writeContent(
  handle: FileHandle,
  state: StateExport,
  signal: AbortSignal | undefined,
): Promise<Pick<SnapshotHeader, 'contentBytes' | 'root'>> {
  const leaves: Uint8Array[] = []
  let position = headerBytes
  const put = async (bytes: Uint8Array): Promise<void> => {
    await handle.write(bytes, 0, bytes.length, position)
    position += bytes.length
  }
  for await (const chunk of chunksOf(state)) {
    signal?.throwIfAborted()
    leaves.push(leafHash(chunk))
    await put(chunk)
  }
  const contentBytes = position - headerBytes
  for (const leaf of leaves) await put(leaf)
  return { contentBytes, root: merkleRoot(leaves) }
}

/** The entries one behind the other, cut into pieces of equal length. Each is overwritten by the next. */
async function* chunksOf({ entries }: StateExport): AsyncGenerator<Uint8Array> {
  const writer = new Writer(2 * chunkBytes)
  for await (const entry of entries) {
    writeEntry(writer, entry)
    if (writer.length < chunkBytes) continue
    const full = writer.length - (writer.length % chunkBytes)
    for (let start = 0; start < full; start += chunkBytes) yield writer.view().subarray(start, start + chunkBytes)
    const rest = writer.view().slice(full)
    writer.clear().raw(rest)
  }
  if (writer.length > 0) yield writer.view()
}
