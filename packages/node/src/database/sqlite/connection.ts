import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ProjectKey } from '@w3bstream/protocol'
import { DatabaseError } from '../errors.ts'
import { guarded } from '../sql/sqlite-fault.ts'
import { projectMigrations } from './schema.ts'

export interface ConnectionOptions {
  /** Page cache of one connection, KiB. @default 8192: holds the inner pages of tables of some ten million rows */
  readonly cacheKib: number
  /** How long a connection waits for another one's lock, milliseconds. @default 5000 */
  readonly busyTimeoutMs: number
  /** Pages of 4 KiB that the file may have; 0 for no limit. @default 0 */
  readonly maxPages: number
  /** Whether a commit is on disk when it returns; false for copies that may be lost with the machine. @default true */
  readonly durable: boolean
}

export const defaultConnectionOptions: ConnectionOptions = {
  cacheKib: 8192,
  busyTimeoutMs: 5000,
  maxPages: 0,
  durable: true,
}

/**
 * Opens the writer's connection to a project's file; creates the file or brings it to this version.
 * @throws DatabaseError SCHEMA_NEWER, STORE_CORRUPT, DISK_FULL
 */
export function openWriter(file: string, options: ConnectionOptions): DatabaseSync {
  const created = file !== ':memory:' && !existsSync(file)
  if (created) createPrivately(file)
  return openChecked(
    () => new DatabaseSync(file, { timeout: options.busyTimeoutMs }),
    (db) => {
      // FULL, because NORMAL does not sync at a commit in WAL mode, and an acknowledgement means durable.
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.durable ? 'FULL' : 'OFF'}`)
      configure(db, options)
      migrate(db, file)
      // Statistics that somebody made would let the plans of statements differ from member to member.
      db.exec('DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4')
      if (options.maxPages > 0) db.exec(`PRAGMA max_page_count = ${options.maxPages}`)
      if (created) syncDirectory(dirname(file))
    },
  )
}

/**
 * Opens a connection that can only read, beside the writer.
 * @throws DatabaseError STORE_NOT_FOUND, SCHEMA_NEWER, STORE_CORRUPT
 */
export function openReadOnly(file: string, project: ProjectKey, options: ConnectionOptions): DatabaseSync {
  if (!existsSync(file)) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project })
  return openChecked(
    () => new DatabaseSync(file, { readOnly: true, timeout: options.busyTimeoutMs }),
    (db) => {
      configure(db, options)
      const found = versionOf(db)
      if (found > projectMigrations.length) refuseNewer(file, found)
      if (found === 0) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project })
    },
  )
}

function openChecked(open: () => DatabaseSync, prepare: (db: DatabaseSync) => void): DatabaseSync {
  const db = guarded(open)
  try {
    guarded(() => prepare(db))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync, options: ConnectionOptions): void {
  // What a statement sorts or gathers beyond the cache goes to a file: in memory, one join of an applet could take all there is.
  db.exec(`PRAGMA cache_size = -${options.cacheKib}; PRAGMA temp_store = FILE; PRAGMA foreign_keys = ON`)
}

function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

/** Makes the new file's name survive a power failure; SQLite does this for its journals only. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function migrate(db: DatabaseSync, file: string): void {
  const found = versionOf(db)
  if (found > projectMigrations.length) refuseNewer(file, found)
  for (let version = found; version < projectMigrations.length; version++)
    db.exec(`BEGIN IMMEDIATE; ${projectMigrations[version]}; PRAGMA user_version = ${version + 1}; COMMIT`)
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

function refuseNewer(file: string, found: number): never {
  throw new DatabaseError({ code: 'SCHEMA_NEWER', file, found, known: projectMigrations.length })
}
