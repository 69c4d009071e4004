import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

/** How long files must be left alone before they count as saved, milliseconds: editors write in several steps. */
const settleMs = 75

/** Files that are written all the time are told of nevertheless, after this long, milliseconds. */
const latestMs = 1000

/** Directories that are watched at most; systems give out a limited number of watches. */
const maxDirectories = 1000

/**
 * Tells which files in certain directories were written, made, or put in the place of others. Directories are watched, not
 * files: editors save by renaming, and a watch on the old file would see nothing any more.
 */
export class FileWatch {
  readonly #changed: (files: ReadonlySet<string>) => void
  readonly #counts: (file: string) => boolean
  readonly #watchers = new Map<string, FSWatcher>()
  #files = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #firstAt = 0

  /** @param counts which files are told of, and waited for to be left alone. @default all */
  constructor(changed: (files: ReadonlySet<string>) => void, counts: (file: string) => boolean = () => true) {
    this.#changed = changed
    this.#counts = counts
  }

  /** Watches these directories and no others. One that does not exist is passed over. */
  set(directories: Iterable<string>): void {
    const wanted = new Set([...directories].slice(0, maxDirectories))
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue
      watcher.close()
      this.#watchers.delete(directory)
    }
    for (const directory of wanted) if (!this.#watchers.has(directory)) this.#open(directory)
  }

  /** Number of directories. */
  get size(): number {
    return this.#watchers.size
  }

  close(): void {
    clearTimeout(this.#timer)
    this.set([])
  }

  #open(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: true }, (_, name) => this.#note(directory, name))
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(directory)
      })
      this.#watchers.set(directory, watcher)
    } catch {
      // Not there (any more): the next deployment looks again.
    }
  }

  #note(directory: string, name: string | null): void {
    const file = name === null ? directory : join(directory, name)
    if (name !== null && !this.#counts(file)) return
    if (this.#files.size === 0) this.#firstAt = performance.now()
    this.#files.add(file)
    clearTimeout(this.#timer)
    const waitMs = Math.max(0, Math.min(settleMs, this.#firstAt + latestMs - performance.now()))
    this.#timer = setTimeout(() => {
      const files = this.#files
      this.#files = new Set()
      this.#changed(files)
    }, waitMs)
  }
}
