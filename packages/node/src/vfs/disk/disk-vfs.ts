import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { access, mkdir, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { checkContent, checkName, contentName } from '../content-name.ts'
import { VfsError } from '../errors.ts'
import type { Vfs } from '../vfs.ts'

export interface DiskVfsOptions {
  /** Created with mode 0700. */
  readonly directory: string
  /** Bytes of one file. @default 64 MiB */
  readonly maxBytes?: number
  /** Reads only: what others are writing is left alone. @default false */
  readonly readOnly?: boolean
}

/**
 * Files on disk as `<first two digits>/<hash>`. A file is written beside its place, synced, and renamed into it, so that a
 * crash leaves the whole file or none; what a crash left half-written is removed at the next opening.
 */
export function openDiskVfs(options: DiskVfsOptions): Vfs {
  const { directory } = options
  const incoming = join(directory, 'incoming')
  mkdirSync(incoming, { recursive: true, mode: 0o700 })
  if (!options.readOnly) for (const name of readdirSync(incoming)) unlinkSync(join(incoming, name))
  return new DiskVfs(directory, options.maxBytes ?? 64 * 1024 * 1024)
}

class DiskVfs implements Vfs {
  readonly #directory: string
  readonly #maxBytes: number

  constructor(directory: string, maxBytes: number) {
    this.#directory = directory
    this.#maxBytes = maxBytes
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
    if (bytes.length > this.#maxBytes)
      throw new VfsError({ code: 'FILE_TOO_LARGE', bytes: bytes.length, limit: this.#maxBytes })
    const name = contentName(bytes)
    const path = this.#path(name)
    if (await isSound(path, name)) return name
    const shelf = join(path, '..')
    await mkdir(shelf, { recursive: true, mode: 0o700 })
    await syncDirectory(this.#directory)
    await writeThrough(join(this.#directory, 'incoming', randomUUID()), path, bytes, signal)
    await syncDirectory(shelf)
    return name
  }

  async get(hash: string): Promise<Uint8Array> {
    const bytes = await readFile(this.#path(hash)).catch((error: unknown) => throwMissing(error, hash))
    return checkContent(hash, bytes)
  }

  getSync(hash: string): Uint8Array {
    return checkContent(hash, readSync(this.#path(hash), hash))
  }

  async has(hash: string): Promise<boolean> {
    return access(this.#path(hash)).then(
      () => true,
      () => false,
    )
  }

  async remove(hash: string): Promise<void> {
    await rm(this.#path(hash), { force: true })
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory)
    return bavail * bsize
  }

  #path(hash: string): string {
    return join(this.#directory, checkName(hash).slice(0, 2), hash)
  }
}

/** Whether the file is there, whole; a damaged one is written again. */
async function isSound(path: string, name: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && contentName(await readFile(path)) === name
}

async function writeThrough(temporary: string, path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes, { signal })
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** A rename is durable when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function readSync(path: string, hash: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    return throwMissing(error, hash)
  }
}

function throwMissing(error: unknown, hash: string): never {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new VfsError({ code: 'FILE_NOT_FOUND', hash })
  throw error
}
