import { hash as digest, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { access, mkdir, readdir, readFile, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../../util/sync-directory.ts'
import { checkContent, checkDerivedName, checkName, contentName } from '../content-name.ts'
import { VfsError } from '../errors.ts'
import type { StoredFile, Vfs, VfsUsage } from '../vfs.ts'
import { NameLock } from './name-lock.ts'
import { readShelves, whenMissing } from './shelf.ts'
import { writeWhole } from './write-file.ts'

export interface DiskVfsOptions {
  /** Created with mode 0700. */
  readonly directory: string
  /** Bytes of one file. @default 64 MiB */
  readonly maxBytes?: number
  /** Bytes of all files. @default 16 GiB */
  readonly limitBytes?: number
  /** Reads only: what others are writing is left alone. @default false */
  readonly readOnly?: boolean
}

/** SHA-256 in front of derived bytes. */
const checksumBytes = 32

/**
 * Files on disk as `<first two digits>/<hash>`, derived ones as `<hash>.<name>` beside them. A file is written beside its
 * place, synced, and renamed into it, so that a crash leaves the whole file or none; what a crash left half-written is
 * removed at the next opening. One process writes; others may read, and keep derived bytes.
 */
export function openDiskVfs(options: DiskVfsOptions): Vfs {
  const { directory } = options
  const incoming = join(directory, 'incoming')
  mkdirSync(incoming, { recursive: true, mode: 0o700 })
  if (!options.readOnly) for (const name of readdirSync(incoming)) unlinkSync(join(incoming, name))
  return new DiskVfs(directory, options.maxBytes ?? 64 * 1024 * 1024, options.limitBytes ?? 16 * 1024 ** 3)
}

class DiskVfs implements Vfs {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #limitBytes: number
  readonly #lock = new NameLock()
  /** What is stored; counted when first asked for, then kept up to date. */
  #counted: Promise<{ files: number; bytes: number }> | undefined

  constructor(directory: string, maxBytes: number, limitBytes: number) {
    this.#directory = directory
    this.#maxBytes = maxBytes
    this.#limitBytes = limitBytes
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const name = contentName(bytes)
    return this.#lock.hold(name, async () => {
      const path = this.#path(name)
      const known = await examine(path, name)
      if (known?.sound) {
        await utimes(path, new Date(), new Date())
        return name
      }
      await this.#keep(bytes.length, async () => {
        const shelf = join(path, '..')
        await mkdir(shelf, { recursive: true, mode: 0o700 })
        await syncDirectory(this.#directory)
        await writeWhole(path, bytes, { temporary: this.#temporary(), sync: true, signal })
        await syncDirectory(shelf)
      })
      const counted = await this.#count()
      if (known) counted.bytes -= known.bytes
      else counted.files++
      return name
    })
  }

  async get(hash: string): Promise<Uint8Array> {
    const bytes = await readFile(this.#path(hash)).catch((error: unknown) => throwMissing(error, hash))
    return checkContent(hash, bytes)
  }

  getSync(hash: string): Uint8Array {
    try {
      return checkContent(hash, readFileSync(this.#path(hash)))
    } catch (error) {
      return throwMissing(error, hash)
    }
  }

  async has(hash: string): Promise<boolean> {
    return access(this.#path(hash)).then(
      () => true,
      () => false,
    )
  }

  async remove(hash: string, untouchedSinceMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const path = this.#path(hash)
    return this.#lock.hold(hash, async () => {
      const found = await stat(path).catch(whenMissing(undefined))
      if (!found || found.mtimeMs >= untouchedSinceMs) return false
      const counted = await this.#count()
      // The original goes last: what a crash leaves is found again by its name.
      const shelf = join(path, '..')
      for (const entry of await readdir(shelf))
        if (entry.startsWith(`${hash}.`)) counted.bytes -= await removeFile(join(shelf, entry))
      counted.bytes -= await removeFile(path)
      counted.files--
      return true
    })
  }

  async putDerived(hash: string, name: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.#path(hash)}.${checkDerivedName(name)}`
    await this.#lock.hold(hash, async () => {
      if (!(await this.has(hash))) throw new VfsError({ code: 'FILE_NOT_FOUND', hash })
      const replaced = (await stat(path).catch(whenMissing(undefined)))?.size ?? 0
      const checked = Buffer.concat([digest('sha256', bytes, 'buffer'), bytes])
      // Not synced: a write that a crash cut off fails its checksum, and the bytes are made again.
      await this.#keep(checked.length, () => writeWhole(path, checked, { temporary: this.#temporary(), sync: false }))
      ;(await this.#count()).bytes -= replaced
    })
  }

  getDerivedSync(hash: string, name: string): Uint8Array | undefined {
    const path = `${this.#path(hash)}.${checkDerivedName(name)}`
    let checked: Buffer
    try {
      checked = readFileSync(path)
    } catch (error) {
      return whenMissing(undefined)(error)
    }
    const bytes = checked.subarray(checksumBytes)
    return digest('sha256', bytes, 'buffer').equals(checked.subarray(0, checksumBytes)) ? bytes : undefined
  }

  async *list(after = ''): AsyncGenerator<StoredFile> {
    for await (const { files } of readShelves(this.#directory, after))
      for (const file of files) if (file.hash > after) yield file
  }

  async usage(): Promise<VfsUsage> {
    const { files, bytes } = await this.#count()
    return { files, bytes, limitBytes: this.#limitBytes }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory)
    return Math.min(bavail * bsize, Math.max(0, this.#limitBytes - (await this.#count()).bytes))
  }

  /** Writes bytes that count against the limit from before they are written. @throws VfsError FILE_TOO_LARGE, VFS_FULL */
  async #keep(bytes: number, write: () => Promise<void>): Promise<void> {
    if (bytes > this.#maxBytes) throw new VfsError({ code: 'FILE_TOO_LARGE', bytes, limit: this.#maxBytes })
    const counted = await this.#count()
    if (counted.bytes + bytes > this.#limitBytes)
      throw new VfsError({ code: 'VFS_FULL', bytes, limit: this.#limitBytes })
    counted.bytes += bytes
    try {
      await write()
    } catch (error) {
      counted.bytes -= bytes
      throw error
    }
  }

  #count(): Promise<{ files: number; bytes: number }> {
    this.#counted ??= this.#countAll().catch((error: unknown) => {
      this.#counted = undefined
      throw error
    })
    return this.#counted
  }

  /** Counts, and clears away derived files whose original is gone. */
  async #countAll(): Promise<{ files: number; bytes: number }> {
    const total = { files: 0, bytes: 0 }
    for await (const { files, orphans } of readShelves(this.#directory)) {
      for (const orphan of orphans) await removeFile(orphan)
      total.files += files.length
      for (const { bytes, derivedBytes } of files) total.bytes += bytes + derivedBytes
    }
    return total
  }

  #path(hash: string): string {
    return join(this.#directory, checkName(hash).slice(0, 2), hash)
  }

  #temporary(): string {
    return join(this.#directory, 'incoming', randomUUID())
  }
}

/** A damaged file is written again. */
async function examine(path: string, name: string): Promise<{ sound: boolean; bytes: number } | undefined> {
  const bytes = await readFile(path).catch(whenMissing(undefined))
  return bytes && { sound: contentName(bytes) === name, bytes: bytes.length }
}

/** @returns how many bytes it had */
async function removeFile(path: string): Promise<number> {
  const found = await stat(path).catch(whenMissing(undefined))
  await rm(path, { force: true })
  return found?.size ?? 0
}

function throwMissing(error: unknown, hash: string): never {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new VfsError({ code: 'FILE_NOT_FOUND', hash })
  throw error
}
