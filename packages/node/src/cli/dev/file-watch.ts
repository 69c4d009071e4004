import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

/** How long files must be left alone before they count as saved, milliseconds: editors write in several steps. */
const settleMs = 25

/** Directories that are watched at most; systems give out a limited number of watches. */
const maxDirectories = 1000

/**
 * Tells which files in certain directories were written, made, or put in the place of others. Directories are watched, not
 * files: editors save by renaming, and a watch on the old file would see nothing any more.
 */
export class FileWatch {
  readonly #changed: (files: ReadonlySet<string>) => void
  readonly #watchers = new Map<string, FSWatcher>()
  #files = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(changed: (files: ReadonlySet<string>) => void) {
    this.#changed = changed
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
    this.#files.add(name === null ? directory : join(directory, name))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const files = this.#files
      this.#files = new Set()
      this.#changed(files)
    }, settleMs)
  }
}
