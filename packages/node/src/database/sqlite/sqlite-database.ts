import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectKey } from '@w3bstream/protocol'
import type { Database, ProjectReader, ProjectStore, StateEntry, StateExport } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { type ConnectionOptions, defaultConnectionOptions, openReadOnly, openWriter } from './connection.ts'
import { SqliteReader } from './reader.ts'
import { exportState, importState } from './state.ts'
import { SqliteStore } from './store.ts'

export interface SqliteOptions extends Partial<ConnectionOptions> {
  /** Where the files of the projects are, one each. Created when missing. */
  readonly directory: string
  /** How long changes outside of a batch wait for a commit to ride on, milliseconds. @default 50 */
  readonly lateWriteMs?: number
}

/** The embedded backend: one SQLite file per project, in WAL mode, each commit synced. */
export function openSqliteDatabase(options: SqliteOptions): Database {
  return new SqliteDatabase(options)
}

class SqliteDatabase implements Database {
  readonly kind = 'sqlite'
  readonly #options: SqliteOptions
  readonly #connection: ConnectionOptions

  constructor(options: SqliteOptions) {
    this.#options = options
    const { cacheKib, busyTimeoutMs, maxPages, durable } = { ...defaultConnectionOptions, ...options }
    this.#connection = { cacheKib, busyTimeoutMs, maxPages, durable }
  }

  openProject(project: ProjectKey): ProjectStore {
    const file = this.#file(project)
    return new SqliteStore({
      db: openWriter(file, this.#connection),
      openBeside: () => openReadOnly(file, project, this.#connection),
      lateWriteMs: this.#options.lateWriteMs ?? 50,
    })
  }

  openReader(project: ProjectKey): ProjectReader {
    return new SqliteReader(openReadOnly(this.#file(project), project, this.#connection))
  }

  exportState(project: ProjectKey): StateExport {
    return exportState(project, openReadOnly(this.#file(project), project, this.#connection))
  }

  async importState(project: ProjectKey, entries: Iterable<StateEntry> | AsyncIterable<StateEntry>): Promise<void> {
    const db = openWriter(this.#file(project), this.#connection)
    try {
      await importState(project, db, entries)
    } finally {
      db.close()
    }
  }

  dropProject(project: ProjectKey): void {
    const file = this.#file(project)
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  }

  /** @throws DatabaseError STORE_NOT_FOUND for what is not a project's id, so that no other file can be named */
  #file(project: ProjectKey): string {
    if (!/^0x[0-9a-f]{64}$/.test(project)) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project })
    return join(this.#options.directory, `${project.slice(2)}.db`)
  }
}
