import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredFile } from '../vfs.ts'

/** Names of the directories that hold files: the first two digits of their names. */
const shelves = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))
const namePattern = /^([0-9a-f]{64})(?:\.([A-Za-z0-9_-]+))?$/

/** What lies on one shelf: files in the order of their names, and derived ones whose original is gone. */
export interface Shelf {
  readonly files: readonly StoredFile[]
  /** Paths. */
  readonly orphans: readonly string[]
}

/** Reads the shelves one after the other, from the one that `after` would lie on. */
export async function* readShelves(directory: string, after = ''): AsyncGenerator<Shelf> {
  for (const shelf of shelves) if (shelf >= after.slice(0, 2)) yield readShelf(join(directory, shelf))
}

async function readShelf(path: string): Promise<Shelf> {
  const names = await readdir(path).catch(whenMissing<string[]>([]))
  const files = new Map<string, { bytes: number; derivedBytes: number; putMs: number }>()
  const orphans: string[] = []
  // A file's own name is sorted before those of what was derived from it.
  for (const entry of names.sort()) {
    const [, hash, derived] = namePattern.exec(entry) ?? []
    const found = hash && (await stat(join(path, entry)).catch(whenMissing(undefined)))
    if (!found) continue
    if (derived === undefined) files.set(hash, { bytes: found.size, derivedBytes: 0, putMs: found.mtimeMs })
    else {
      const original = files.get(hash)
      if (original) original.derivedBytes += found.size
      else orphans.push(join(path, entry))
    }
  }
  return { files: [...files].map(([hash, file]) => ({ hash, ...file })), orphans }
}

/** What is removed while it is looked at is as good as never there. */
export function whenMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value
    throw error
  }
}
