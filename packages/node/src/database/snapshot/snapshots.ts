import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { equalBytes, type ProjectKey, toHex } from '@w3bstream/protocol'
import type { Database, StateEntry, StateExport } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { inCanonicalOrder } from './canonical-order.ts'
import { type SnapshotHeader, snapshotDigest } from './header.ts'
import { SnapshotFile } from './read-snapshot.ts'
import { parseSnapshotName } from './snapshot-name.ts'
import { removeAbandoned, type WriteOptions, type WrittenSnapshot, writeSnapshot } from './write-snapshot.ts'

/** A snapshot by the name of its file; what is in it was not looked at. */
export interface ListedSnapshot {
  readonly file: string
  readonly height: bigint
  /** Hexadecimal, with prefix. */
  readonly digest: string
  readonly bytes: number
}

export function snapshotsDirectory(dataDir: string): string {
  return join(dataDir, 'snapshots')
}

/** The snapshots of a node: a directory for each project. */
export class Snapshots {
  readonly #directory: string
  readonly #database: Pick<Database, 'exportState' | 'importState'>

  constructor(directory: string, database: Pick<Database, 'exportState' | 'importState'>) {
    this.#directory = directory
    this.#database = database
  }

  /** Writes the last committed state down, beside the writer. */
  async create(project: ProjectKey): Promise<WrittenSnapshot> {
    const state = await this.#database.exportState(project)
    try {
      return await this.write(project, state)
    } finally {
      await state.close()
    }
  }

  /**
   * Writes a state down that somebody holds still; it is not closed.
   * @param options.keep how many of the project's snapshots stay, this one included; the lowest are removed. @default all
   */
  async write(
    project: ProjectKey,
    state: StateExport,
    { keep, ...options }: WriteOptions & { readonly keep?: number } = {},
  ): Promise<WrittenSnapshot> {
    const directory = this.#of(project)
    const written = await writeSnapshot(directory, project, state, options)
    await removeAbandoned(directory)
    for (const { file } of (await this.list(project)).slice(keep ?? Number.POSITIVE_INFINITY))
      await rm(file, { force: true })
    return written
  }

  /** Highest first. */
  async list(project: ProjectKey): Promise<ListedSnapshot[]> {
    const directory = this.#of(project)
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const found = names.flatMap((name) => {
      const parsed = parseSnapshotName(name)
      return parsed ? [{ ...parsed, file: join(directory, name) }] : []
    })
    const sized = await Promise.all(found.map(async (one) => ({ ...one, bytes: (await stat(one.file)).size })))
    return sized.sort((a, b) => Number(b.height - a.height))
  }

  /** The highest snapshot at or below a height. */
  async nearest(project: ProjectKey, height: bigint): Promise<ListedSnapshot | undefined> {
    return (await this.list(project)).find((snapshot) => snapshot.height <= height)
  }

  /**
   * Makes the project's store of a snapshot, into another database than that of this object when one is given.
   * @throws DatabaseError STORE_NOT_EMPTY, SNAPSHOT_INVALID, STATE_INVALID
   */
  async restore(
    project: ProjectKey,
    file: string,
    into: Pick<Database, 'importState'> = this.#database,
  ): Promise<SnapshotHeader> {
    const snapshot = await openNamed(file)
    try {
      await into.importState(project, matching(snapshot, file))
      return snapshot.header
    } finally {
      await snapshot.close()
    }
  }

  #of(project: ProjectKey): string {
    return join(this.#directory, project)
  }
}

export interface VerifiedSnapshot {
  readonly header: SnapshotHeader
  readonly digest: string
  readonly chunks: number
  readonly entries: number
}

/**
 * Reads all of a snapshot: every hash from the chunks up to the name of the file, and every entry in its form and place.
 * @throws DatabaseError SNAPSHOT_INVALID, STATE_INVALID
 */
export async function verifySnapshot(file: string): Promise<VerifiedSnapshot> {
  const snapshot = await openNamed(file)
  try {
    const { header, chunks } = snapshot
    let entries = 0
    for await (const _ of inCanonicalOrder(header.project, matching(snapshot, file))) entries++
    return { header, digest: toHex(snapshotDigest(header)), chunks, entries }
  } finally {
    await snapshot.close()
  }
}

/** Opens a file whose name, when it has the form of a snapshot's, must be its own. */
async function openNamed(file: string): Promise<SnapshotFile> {
  const snapshot = await SnapshotFile.open(file)
  const named = parseSnapshotName(basename(file))
  if (!named || named.digest === toHex(snapshotDigest(snapshot.header))) return snapshot
  await snapshot.close()
  throw new DatabaseError({ code: 'SNAPSHOT_INVALID', file, detail: 'the digest is not that of its name' })
}

/** The entries, the tip compared with the header. */
async function* matching(snapshot: SnapshotFile, file: string): AsyncGenerator<StateEntry> {
  const { height, batchHash, stateDigest, timeMs } = snapshot.header
  for await (const entry of snapshot.entries()) {
    if (entry.type === 'tip') {
      const { batch } = entry
      const same =
        batch.height === height &&
        batch.timeMs === timeMs &&
        equalBytes(batch.hash, batchHash) &&
        equalBytes(batch.stateDigest, stateDigest)
      if (!same)
        throw new DatabaseError({ code: 'SNAPSHOT_INVALID', file, detail: 'the header tells of another state' })
    }
    yield entry
  }
}
