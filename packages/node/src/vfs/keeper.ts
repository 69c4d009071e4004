import type { StoredFile, Vfs, VfsUsage } from './vfs.ts'

/** What a file is kept for, in words for people: `applet weather/alarm`. By its hash. */
export type References = ReadonlyMap<string, readonly string[]>

export interface CollectOptions {
  /** Removes nothing. @default false */
  readonly dryRun?: boolean
  /** Files that were put less than so long ago stay, milliseconds: something may be about to refer to them. */
  readonly graceMs?: number
  readonly signal?: AbortSignal
}

/** What a collection found. */
export interface Collection {
  /** Files that were removed, or would be. */
  readonly files: number
  /** Their bytes, with what was derived from them. */
  readonly bytes: number
  /** The first of them. */
  readonly removed: readonly StoredFile[]
  /** Files that nothing refers to, too young to be removed. */
  readonly young: number
  /** What is left. */
  readonly usage: VfsUsage
}

export interface KeeperOptions {
  /** @default a day: a deployment has long been made or given up */
  readonly graceMs?: number
}

export interface KeeperDeps {
  readonly vfs: Vfs
  /** Everything that is referred to now. What it throws ends a collection before anything is removed. */
  references(signal?: AbortSignal): Promise<References>
  readonly now?: () => number
}

/** Removed files that a report names; it counts all. */
const named = 1000

/** Knows what the files of a VFS are kept for, and removes those that are kept for nothing. */
export class VfsKeeper {
  readonly #deps: KeeperDeps
  readonly #graceMs: number
  #last: Promise<unknown> = Promise.resolve()

  constructor(deps: KeeperDeps, options: KeeperOptions = {}) {
    this.#deps = deps
    this.#graceMs = options.graceMs ?? 24 * 3_600_000
  }

  references(): Promise<References> {
    return this.#deps.references()
  }

  /**
   * Removes what nothing refers to, one collection after the other. It may be ended at any file and run again. Uploads go
   * on meanwhile: a file that is put, new or again, is young, and `remove` looks at its age once more.
   */
  collect(options: CollectOptions = {}): Promise<Collection> {
    const collection = this.#last.then(() => this.#collect(options))
    this.#last = collection.catch(() => undefined)
    return collection
  }

  async #collect({ dryRun = false, graceMs = this.#graceMs, signal }: CollectOptions): Promise<Collection> {
    const { vfs, now = Date.now } = this.#deps
    const before = now() - graceMs
    const references = await this.#deps.references(signal)
    const found = { files: 0, bytes: 0, removed: [] as StoredFile[], young: 0 }
    for await (const file of vfs.list()) {
      signal?.throwIfAborted()
      if (references.has(file.hash)) continue
      const goes = file.putMs < before && (dryRun || (await vfs.remove(file.hash, before)))
      if (!goes) {
        found.young++
        continue
      }
      found.files++
      found.bytes += file.bytes + file.derivedBytes
      if (found.removed.length < named) found.removed.push(file)
    }
    return { ...found, usage: await vfs.usage() }
  }
}
