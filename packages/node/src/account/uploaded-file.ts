import type { Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Page, Paged } from '../database/database.ts'
import { ApiError } from '../endpoint/api-error.ts'

/** A file that an account uploaded to deploy it with a project. Whoever knows a hash only cannot have the file by it. */
export interface UploadedFile {
  /** SHA-256, hexadecimal: its name in the VFS. */
  readonly hash: string
  readonly sizeBytes: number
  /** As the last upload called it. */
  readonly fileName: string
  readonly uploadedMs: number
}

export interface UploadedFiles {
  /** Registers a file that is in the VFS. Again: takes the new name and time. */
  put(accountId: Sfid, file: Omit<UploadedFile, 'uploadedMs'>): UploadedFile
  /** Latest first. */
  list(accountId: Sfid, page: Page): Paged<UploadedFile>
  /** @throws ApiError FileNotFound */
  get(accountId: Sfid, hash: string): UploadedFile
  /** Projects that deploy it keep it. @throws ApiError FileNotFound */
  release(accountId: Sfid, hash: string): void
  /** Every file with each of its owners. */
  owned(): { hash: string; accountId: Sfid }[]
}

interface Row {
  hash: string
  size_bytes: number
  file_name: string
  uploaded_ms: number
}

export class UploadedFileStore implements UploadedFiles {
  readonly #db: ControlDatabase
  readonly #now: () => number

  constructor(db: ControlDatabase, now: () => number) {
    this.#db = db
    this.#now = now
  }

  put(accountId: Sfid, { hash, sizeBytes, fileName }: Omit<UploadedFile, 'uploadedMs'>): UploadedFile {
    this.#db
      .prepare('INSERT OR REPLACE INTO uploaded_file VALUES (?, ?, ?, ?, ?)')
      .run(accountId, hash, sizeBytes, fileName, this.#now())
    return this.get(accountId, hash)
  }

  list(accountId: Sfid, { size = 10, offset = 0 }: Page): Paged<UploadedFile> {
    const rows = this.#db
      .prepare('SELECT * FROM uploaded_file WHERE account_id = ? ORDER BY uploaded_ms DESC, hash LIMIT ? OFFSET ?')
      .all(accountId, size, offset) as unknown as Row[]
    const count = this.#db.prepare('SELECT count(*) AS total FROM uploaded_file WHERE account_id = ?').get(accountId)
    return { data: rows.map(fromRow), total: Number(count?.total) }
  }

  get(accountId: Sfid, hash: string): UploadedFile {
    const row = this.#db.prepare('SELECT * FROM uploaded_file WHERE account_id = ? AND hash = ?').get(accountId, hash)
    if (!row) throw new ApiError('FileNotFound', hash)
    return fromRow(row as unknown as Row)
  }

  release(accountId: Sfid, hash: string): void {
    this.get(accountId, hash)
    this.#db.prepare('DELETE FROM uploaded_file WHERE account_id = ? AND hash = ?').run(accountId, hash)
  }

  owned(): { hash: string; accountId: Sfid }[] {
    return this.#db
      .prepare('SELECT hash, account_id FROM uploaded_file')
      .all()
      .map((row) => ({ hash: String(row.hash), accountId: String(row.account_id) }))
  }
}

function fromRow({ hash, size_bytes, file_name, uploaded_ms }: Row): UploadedFile {
  return { hash, sizeBytes: size_bytes, fileName: file_name, uploadedMs: uploaded_ms }
}
