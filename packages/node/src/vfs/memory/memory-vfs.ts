import { checkName, contentName } from '../content-name.ts'
import { VfsError } from '../errors.ts'
import type { Vfs } from '../vfs.ts'

export interface MemoryVfsOptions {
  /** Bytes it holds at most. @default 256 MiB */
  readonly maxBytes?: number
}

/** Files in memory, for tests and for nodes that keep nothing. */
export function openMemoryVfs(options: MemoryVfsOptions = {}): Vfs {
  return new MemoryVfs(options.maxBytes ?? 256 * 1024 * 1024)
}

class MemoryVfs implements Vfs {
  readonly #files = new Map<string, Uint8Array>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const name = contentName(bytes)
    if (this.#files.has(name)) return name
    if (this.#bytes + bytes.length > this.#maxBytes)
      throw new VfsError({ code: 'VFS_FULL', bytes: bytes.length, limit: this.#maxBytes })
    this.#files.set(name, bytes.slice())
    this.#bytes += bytes.length
    return name
  }

  async get(hash: string): Promise<Uint8Array> {
    return this.getSync(hash)
  }

  getSync(hash: string): Uint8Array {
    const bytes = this.#files.get(checkName(hash))
    if (!bytes) throw new VfsError({ code: 'FILE_NOT_FOUND', hash })
    return bytes.slice()
  }

  async has(hash: string): Promise<boolean> {
    return this.#files.has(checkName(hash))
  }

  async remove(hash: string): Promise<void> {
    this.#bytes -= this.#files.get(checkName(hash))?.length ?? 0
    this.#files.delete(hash)
  }

  async freeBytes(): Promise<number> {
    return this.#maxBytes - this.#bytes
  }
}
