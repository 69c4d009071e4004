import { checkDerivedName, checkName, contentName } from '../content-name.ts'
import { VfsError } from '../errors.ts'
import type { StoredFile, Vfs, VfsUsage } from '../vfs.ts'

export interface MemoryVfsOptions {
  /** Bytes it holds at most. @default 256 MiB */
  readonly limitBytes?: number
  /** Bytes of one file. @default 64 MiB */
  readonly maxBytes?: number
  /** Milliseconds since 1970. @default the system's */
  readonly now?: () => number
}

/** Files in memory, for tests and for nodes that keep nothing. */
export function openMemoryVfs(options: MemoryVfsOptions = {}): Vfs {
  const { limitBytes = 256 * 1024 * 1024, maxBytes = 64 * 1024 * 1024, now = Date.now } = options
  return new MemoryVfs({ limitBytes, maxBytes, now })
}

interface Entry {
  readonly bytes: Uint8Array
  readonly derived: Map<string, Uint8Array>
  putMs: number
}

class MemoryVfs implements Vfs {
  readonly #files = new Map<string, Entry>()
  readonly #options: Required<MemoryVfsOptions>
  #bytes = 0

  constructor(options: Required<MemoryVfsOptions>) {
    this.#options = options
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const name = contentName(bytes)
    const putMs = this.#options.now()
    const known = this.#files.get(name)
    if (known) known.putMs = putMs
    else {
      this.#reserve(bytes.length)
      this.#files.set(name, { bytes: bytes.slice(), derived: new Map(), putMs })
    }
    return name
  }

  async get(hash: string): Promise<Uint8Array> {
    return this.getSync(hash)
  }

  getSync(hash: string): Uint8Array {
    return this.#entry(hash).bytes.slice()
  }

  async has(hash: string): Promise<boolean> {
    return this.#files.has(checkName(hash))
  }

  async remove(hash: string, untouchedSinceMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const entry = this.#files.get(checkName(hash))
    if (!entry || entry.putMs >= untouchedSinceMs) return false
    this.#bytes -= entry.bytes.length + sizeOf(entry.derived)
    return this.#files.delete(hash)
  }

  async putDerived(hash: string, name: string, bytes: Uint8Array): Promise<void> {
    const { derived } = this.#entry(hash)
    this.#reserve(bytes.length, derived.get(checkDerivedName(name))?.length)
    derived.set(name, bytes.slice())
  }

  getDerivedSync(hash: string, name: string): Uint8Array | undefined {
    return this.#files.get(checkName(hash))?.derived.get(checkDerivedName(name))?.slice()
  }

  async *list(after = ''): AsyncGenerator<StoredFile> {
    for (const hash of [...this.#files.keys()].filter((name) => name > after).sort()) {
      const entry = this.#files.get(hash)
      if (entry) yield { hash, bytes: entry.bytes.length, derivedBytes: sizeOf(entry.derived), putMs: entry.putMs }
    }
  }

  async usage(): Promise<VfsUsage> {
    return { files: this.#files.size, bytes: this.#bytes, limitBytes: this.#options.limitBytes }
  }

  async freeBytes(): Promise<number> {
    return this.#options.limitBytes - this.#bytes
  }

  #entry(hash: string): Entry {
    const entry = this.#files.get(checkName(hash))
    if (!entry) throw new VfsError({ code: 'FILE_NOT_FOUND', hash })
    return entry
  }

  /** @param replaced bytes that go when these come */
  #reserve(bytes: number, replaced = 0): void {
    const { limitBytes: limit, maxBytes } = this.#options
    if (bytes > maxBytes) throw new VfsError({ code: 'FILE_TOO_LARGE', bytes, limit: maxBytes })
    if (this.#bytes - replaced + bytes > limit) throw new VfsError({ code: 'VFS_FULL', bytes, limit })
    this.#bytes += bytes - replaced
  }
}

function sizeOf(derived: ReadonlyMap<string, Uint8Array>): number {
  let size = 0
  for (const bytes of derived.values()) size += bytes.length
  return size
}
