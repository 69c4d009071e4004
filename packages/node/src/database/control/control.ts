import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from '../errors.ts'
import { storageFault } from '../sql/sqlite-fault.ts'
import { controlMigrations } from './migrations.ts'

/**
 * The node's own file: accounts, access keys, the registry of projects, the index of device tokens, operators without their
 * keys. Written by the main thread only, each write on disk when it returns. Nothing here decides how a project's messages
 * are executed.
 */
export type ControlDatabase = DatabaseSync

/** What an error of the control file says about the file: DISK_FULL, STORE_CORRUPT. Undefined for any other error. */
export function controlFault(error: unknown): DatabaseError | undefined {
  return storageFault(error)
}

/**
 * Opens the control file, creates or migrates it.
 * @param file path, or `:memory:` for tests
 * @throws DatabaseError SCHEMA_NEWER when a later version of this program wrote it
 */
export function openControl(file: string): ControlDatabase {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000')
  migrate(db, file)
  if (file !== ':memory:') chmodSync(file, 0o600)
  return db
}

/**
 * Opens the control file for reading, beside the node that has it.
 * @throws DatabaseError STORE_NOT_FOUND
 */
export function openControlReader(file: string): ControlDatabase {
  if (!existsSync(file)) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project: file })
  return new DatabaseSync(file, { readOnly: true, timeout: 5000 })
}

function migrate(db: DatabaseSync, file: string): void {
  const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (found > controlMigrations.length)
    throw new DatabaseError({ code: 'SCHEMA_NEWER', file, found, known: controlMigrations.length })
  for (let version = found; version < controlMigrations.length; version++)
    db.exec(`BEGIN; ${controlMigrations[version]}; PRAGMA user_version = ${version + 1}; COMMIT`)
}
