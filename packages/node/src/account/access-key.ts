import { hash, randomInt } from 'node:crypto'
import type { Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Page, Paged } from '../database/database.ts'
import { ApiError } from '../endpoint/api-error.ts'
import { completePrivileges, type Permission, type Privileges, parsePrivileges } from './privileges.ts'

/** A key of an account, without its secret. */
export interface AccessKey {
  readonly accountId: Sfid
  readonly name: string
  readonly description: string
  readonly privileges: Privileges
  readonly expiresMs?: number
  readonly lastUsedMs?: number
}

export interface AccessKeyInput {
  /** 0: never. */
  readonly expirationDays?: number
  readonly description?: string
  readonly privileges?: readonly { readonly name: string; readonly perm: Permission }[]
}

export interface AccessKeyFilter extends Page {
  readonly names?: readonly string[]
  readonly expiresFromMs?: number
  readonly expiresToMs?: number
}

export interface AccessKeys {
  /** `token` is shown once and not kept. @throws ApiError AccessKeyNameConflict */
  create(accountId: Sfid, name: string, input: AccessKeyInput): { key: AccessKey; token: string }
  /** What the input leaves out stays. @throws ApiError AccessKeyNotFound */
  update(accountId: Sfid, name: string, input: AccessKeyInput): AccessKey
  /** @throws ApiError AccessKeyNotFound */
  remove(accountId: Sfid, name: string): void
  /** @throws ApiError AccessKeyNotFound */
  get(accountId: Sfid, name: string): AccessKey
  list(accountId: Sfid, filter: AccessKeyFilter): Paged<AccessKey>
}

interface Row {
  account_id: string
  name: string
  privileges: string
  description: string
  expires_ms: number | null
  last_used_ms: number | null
}

const dayMs = 86_400_000
const columns = 'account_id, name, privileges, description, expires_ms, last_used_ms'
const visible = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+-./:;<=>?@[]^{|}~'

/** The store of access keys. A key's text is kept as SHA-256 only: with 12 random characters a faster hash is enough. */
export class AccessKeyStore implements AccessKeys {
  readonly #db: ControlDatabase
  readonly #now: () => number
  /** Told when a key changed, so that tokens in use are looked at again. */
  readonly #changed: (accountId: Sfid) => void
  readonly #used = new Map<string, { accountId: Sfid; name: string; ms: number }>()

  constructor(db: ControlDatabase, now: () => number, changed: (accountId: Sfid) => void) {
    this.#db = db
    this.#now = now
    this.#changed = changed
  }

  create(accountId: Sfid, name: string, input: AccessKeyInput): { key: AccessKey; token: string } {
    const now = this.#now()
    const token = newToken(now)
    const { changes } = this.#db
      .prepare(
        `INSERT OR IGNORE INTO access_key (account_id, name, token_hash, privileges, description, expires_ms, created_ms, updated_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        accountId,
        name,
        tokenHash(token),
        JSON.stringify(completePrivileges(input.privileges ?? [])),
        input.description ?? '',
        this.#expiry(input.expirationDays),
        now,
        now,
      )
    if (changes === 0) throw new ApiError('AccessKeyNameConflict', name)
    return { key: this.get(accountId, name), token }
  }

  update(accountId: Sfid, name: string, input: AccessKeyInput): AccessKey {
    const old = this.get(accountId, name)
    const privileges = input.privileges ? completePrivileges(input.privileges) : old.privileges
    const expires = input.expirationDays === undefined ? (old.expiresMs ?? null) : this.#expiry(input.expirationDays)
    this.#db
      .prepare(
        'UPDATE access_key SET privileges = ?, description = ?, expires_ms = ?, updated_ms = ? WHERE account_id = ? AND name = ?',
      )
      .run(JSON.stringify(privileges), input.description ?? old.description, expires, this.#now(), accountId, name)
    this.#changed(accountId)
    return this.get(accountId, name)
  }

  remove(accountId: Sfid, name: string): void {
    const { changes } = this.#db
      .prepare('DELETE FROM access_key WHERE account_id = ? AND name = ?')
      .run(accountId, name)
    if (changes === 0) throw new ApiError('AccessKeyNotFound', name)
    this.#changed(accountId)
  }

  get(accountId: Sfid, name: string): AccessKey {
    const row = this.#db
      .prepare(`SELECT ${columns} FROM access_key WHERE account_id = ? AND name = ?`)
      .get(accountId, name)
    if (!row) throw new ApiError('AccessKeyNotFound', name)
    return this.#fromRow(row as unknown as Row)
  }

  list(accountId: Sfid, filter: AccessKeyFilter): Paged<AccessKey> {
    const rows = this.#db
      .prepare(`SELECT ${columns} FROM access_key WHERE account_id = ? ORDER BY created_ms, name`)
      .all(accountId) as unknown as Row[]
    const { names, expiresFromMs = 0, expiresToMs = Number.POSITIVE_INFINITY, size = 10, offset = 0 } = filter
    const ranged = filter.expiresFromMs !== undefined || filter.expiresToMs !== undefined
    const kept = rows
      .map((row) => this.#fromRow(row))
      .filter((key) => !names?.length || names.includes(key.name))
      .filter(
        ({ expiresMs }) =>
          !ranged || (expiresMs !== undefined && expiresMs >= expiresFromMs && expiresMs <= expiresToMs),
      )
    return { data: kept.slice(offset, size < 0 ? undefined : offset + size), total: kept.length }
  }

  /** The key of this text, if there is one. */
  find(token: string): AccessKey | undefined {
    const row = this.#db.prepare(`SELECT ${columns} FROM access_key WHERE token_hash = ?`).get(tokenHash(token))
    return row && this.#fromRow(row as unknown as Row)
  }

  /** Notes a use; {@link flush} writes it. */
  used({ accountId, name }: AccessKey): void {
    this.#used.set(`${accountId} ${name}`, { accountId, name, ms: this.#now() })
  }

  /** Writes the times of use since the last flush, in one transaction. */
  flush(): void {
    if (this.#used.size === 0) return
    const update = this.#db.prepare('UPDATE access_key SET last_used_ms = ? WHERE account_id = ? AND name = ?')
    this.#db.exec('BEGIN')
    for (const { accountId, name, ms } of this.#used.values()) update.run(ms, accountId, name)
    this.#db.exec('COMMIT')
    this.#used.clear()
  }

  #expiry(days: number | undefined): number | null {
    return days ? this.#now() + days * dayMs : null
  }

  #fromRow(row: Row): AccessKey {
    const { account_id: accountId, name } = row
    return {
      accountId,
      name,
      description: row.description,
      privileges: parsePrivileges(row.privileges),
      expiresMs: row.expires_ms ?? undefined,
      lastUsedMs: this.#used.get(`${accountId} ${name}`)?.ms ?? row.last_used_ms ?? undefined,
    }
  }
}

/** Whether a text has the form of an access key: `w3b_`, then base64url of `1_<unix seconds>_<random>`. */
export function isAccessKey(token: string): boolean {
  if (!/^w3b_[A-Za-z0-9_-]{16,200}$/.test(token)) return false
  const body = token.slice(4)
  const bytes = Buffer.from(body, 'base64url')
  return bytes.toString('base64url') === body && /^1_\d{1,12}_[\x21-\x7e]{12,}$/.test(bytes.toString('latin1'))
}

function newToken(nowMs: number): string {
  const random = Array.from({ length: 12 }, () => visible[randomInt(visible.length)]).join('')
  return `w3b_${Buffer.from(`1_${Math.floor(nowMs / 1000)}_${random}`).toString('base64url')}`
}

function tokenHash(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}
