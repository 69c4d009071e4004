import { readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigError } from './errors.ts'

/** How long two nodes that start at the same moment may keep each other from the lock before one has it, milliseconds. */
const contestMs = 500

/** SQLite's code for a file that is locked by somebody else. */
const sqliteBusy = 5

/** Locks of this process: a handle that were collected as garbage would give its lock back. */
const held = new Set<DatabaseSync>()

/**
 * Takes a data directory for this process; two nodes on one would corrupt each other's history. The lock is SQLite's on the
 * empty file `lock.db`: the kernel keeps it per file, whatever process or container opens it, and releases it when the
 * process ends, however it does. `node.pid` beside it says who that is, for the message only.
 * @returns gives the directory back
 * @throws ConfigError when another node has it, or when it cannot be written
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const owner = join(directory, 'node.pid')
  const lock = takeLock(join(directory, 'lock.db'))
  if (lock === 'busy') throw refused(directory, `that no other node uses (${await ownerOf(owner)} does)`)
  if (lock instanceof Error) throw refused(directory, `where the node can write (${lock.message})`)
  held.add(lock)
  const unlock = async () => {
    // First the name: afterwards it may be the next owner's.
    await rm(owner, { force: true })
    held.delete(lock)
    if (lock.isOpen) lock.close()
  }
  try {
    await writeFile(owner, `${process.pid} on ${hostname()}\n`, { mode: 0o600 })
  } catch (error) {
    await unlock()
    throw error
  }
  return unlock
}

function takeLock(file: string): DatabaseSync | 'busy' | Error {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { timeout: contestMs })
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db?.close()
    return (error as { errcode?: number }).errcode === sqliteBusy ? 'busy' : (error as Error)
  }
}

async function ownerOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return /^\d{1,10} on [\w.-]{1,255}$/.test(text.trim()) ? `process ${text.trim()}` : 'another process'
}

function refused(directory: string, what: string): ConfigError {
  return new ConfigError([{ field: 'dataDir', value: directory, wanted: `a directory ${what}` }])
}
