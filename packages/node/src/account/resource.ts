import type { Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Page, Paged } from '../database/database.ts'
import { ApiError } from '../endpoint/api-error.ts'
import { randomSfid } from './random-id.ts'

/** An uploaded module, as one of its owners sees it. Equal files are one resource; each account has its own name for it. */
export interface Resource {
  readonly resourceId: Sfid
  /** SHA-256, hexadecimal: the file's name in the VFS. */
  readonly codeHash: string
  readonly md5: string
  readonly sizeBytes: number
  readonly fileName: string
  readonly comment: string
  readonly uploadedMs: number
  readonly expiresMs?: number
  readonly createdMs: number
  readonly updatedMs: number
}

export interface ResourceFilter extends Page {
  readonly resourceIds?: readonly Sfid[]
  readonly fileNames?: readonly string[]
  readonly fileNameLike?: string
  readonly md5?: string
  readonly uploadedAfterMs?: number
  readonly uploadedBeforeMs?: number
  readonly expiresAfterMs?: number
  readonly expiresBeforeMs?: number
}

export interface Resources {
  /** Registers a file that is in the VFS, and this account as an owner. Again: takes the new file name. */
  put(accountId: Sfid, file: { codeHash: string; md5: string; sizeBytes: number; fileName: string }): Resource
  list(accountId: Sfid, filter: ResourceFilter): Paged<Resource>
  /** @throws ApiError ResourceNotFound; NoResourcePermission when others own it */
  get(accountId: Sfid, resourceId: Sfid): Resource
  /**
   * Ends an account's ownership. The file itself stays: receipts of the past name it, and applets may still run it.
   * @throws ApiError ResourceNotFound, NoResourcePermission
   */
  release(accountId: Sfid, resourceId: Sfid): void
  /** Every module that somebody owns, with each of its owners. */
  owned(): { hash: string; accountId: Sfid }[]
}

interface Row {
  resource_id: string
  code_hash: string
  md5: string
  size_bytes: number
  file_name: string
  comment: string
  uploaded_ms: number
  expires_ms: number | null
  created_ms: number
  updated_ms: number
}

const owned = `SELECT r.resource_id, r.code_hash, r.md5, r.size_bytes, o.file_name, o.comment, o.uploaded_ms, o.expires_ms,
  r.created_ms, r.updated_ms FROM resource r JOIN resource_ownership o ON o.resource_id = r.resource_id WHERE o.account_id = ?`

export class ResourceStore implements Resources {
  readonly #db: ControlDatabase
  readonly #now: () => number

  constructor(db: ControlDatabase, now: () => number) {
    this.#db = db
    this.#now = now
  }

  put(accountId: Sfid, file: { codeHash: string; md5: string; sizeBytes: number; fileName: string }): Resource {
    const now = this.#now()
    const { codeHash, md5, sizeBytes, fileName } = file
    this.#db
      .prepare('INSERT OR IGNORE INTO resource VALUES (?, ?, ?, ?, ?, ?)')
      .run(randomSfid(), codeHash, md5, sizeBytes, now, now)
    const row = this.#db.prepare('SELECT resource_id FROM resource WHERE code_hash = ?').get(codeHash)
    const resourceId = String(row?.resource_id)
    this.#db
      .prepare(
        `INSERT INTO resource_ownership VALUES (?, ?, ?, NULL, ?, '')
         ON CONFLICT DO UPDATE SET uploaded_ms = excluded.uploaded_ms, file_name = excluded.file_name`,
      )
      .run(resourceId, accountId, now, fileName)
    return this.get(accountId, resourceId)
  }

  list(accountId: Sfid, filter: ResourceFilter): Paged<Resource> {
    const rows = this.#db.prepare(`${owned} ORDER BY o.uploaded_ms, r.resource_id`).all(accountId) as unknown as Row[]
    const { size = 10, offset = 0 } = filter
    const kept = rows.map(fromRow).filter((resource) => matches(resource, filter))
    return { data: kept.slice(offset, size < 0 ? undefined : offset + size), total: kept.length }
  }

  get(accountId: Sfid, resourceId: Sfid): Resource {
    const row = this.#db.prepare(`${owned} AND r.resource_id = ?`).get(accountId, resourceId)
    if (row) return fromRow(row as unknown as Row)
    const known = this.#db.prepare('SELECT 1 FROM resource WHERE resource_id = ?').get(resourceId)
    throw new ApiError(known ? 'NoResourcePermission' : 'ResourceNotFound', resourceId)
  }

  release(accountId: Sfid, resourceId: Sfid): void {
    this.get(accountId, resourceId)
    this.#db
      .prepare('DELETE FROM resource_ownership WHERE resource_id = ? AND account_id = ?')
      .run(resourceId, accountId)
  }

  owned(): { hash: string; accountId: Sfid }[] {
    return this.#db
      .prepare('SELECT code_hash, account_id FROM resource JOIN resource_ownership USING (resource_id)')
      .all()
      .map((row) => ({ hash: String(row.code_hash), accountId: String(row.account_id) }))
  }
}

function matches(resource: Resource, filter: ResourceFilter): boolean {
  const { resourceIds, fileNames, fileNameLike, md5 } = filter
  return (
    (!resourceIds?.length || resourceIds.includes(resource.resourceId)) &&
    (!fileNames?.length || fileNames.includes(resource.fileName)) &&
    (!fileNameLike || resource.fileName.includes(fileNameLike)) &&
    (!md5 || resource.md5 === md5.toLowerCase()) &&
    within(resource.uploadedMs, filter.uploadedAfterMs, filter.uploadedBeforeMs) &&
    within(resource.expiresMs, filter.expiresAfterMs, filter.expiresBeforeMs)
  )
}

function within(ms: number | undefined, after: number | undefined, before: number | undefined): boolean {
  if (after === undefined && before === undefined) return true
  return ms !== undefined && ms >= (after ?? 0) && ms <= (before ?? Number.POSITIVE_INFINITY)
}

function fromRow(row: Row): Resource {
  return {
    resourceId: row.resource_id,
    codeHash: row.code_hash,
    md5: row.md5,
    sizeBytes: row.size_bytes,
    fileName: row.file_name,
    comment: row.comment,
    uploadedMs: row.uploaded_ms,
    expiresMs: row.expires_ms ?? undefined,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  }
}
