import type { Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import { ApiError } from '../endpoint/api-error.ts'
import type { Account, AccountRole, AccountState } from './account.ts'
import { randomSfid } from './random-id.ts'

export type IdentityType = 'USERNAME' | 'ETHADDRESS'

/** The tables of accounts, their identities and password hashes. */
export class AccountStore {
  readonly #db: ControlDatabase
  readonly #now: () => number

  constructor(db: ControlDatabase, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /** @throws ApiError AccountIdentityConflict */
  create(account: {
    role: AccountRole
    source: Account['source']
    identity: { type: IdentityType; id: string }
    passwordHash?: string
  }): Account {
    const accountId = randomSfid()
    const now = this.#now()
    const { role, source, identity, passwordHash } = account
    if (this.byIdentity(identity.type, identity.id)) throw new ApiError('AccountIdentityConflict', identity.id)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#db
        .prepare('INSERT INTO account VALUES (?, ?, ?, ?, ?, ?)')
        .run(accountId, role, 'ENABLED', source, now, now)
      this.#db.prepare('INSERT INTO account_identity VALUES (?, ?, ?)').run(identity.type, identity.id, accountId)
      if (passwordHash) this.setPassword(accountId, passwordHash)
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
    return { accountId, role, state: 'ENABLED', source, createdMs: now, updatedMs: now }
  }

  byId(accountId: Sfid): Account | undefined {
    const row = this.#db.prepare('SELECT * FROM account WHERE account_id = ?').get(accountId)
    return row && fromRow(row)
  }

  byIdentity(type: IdentityType, id: string): Account | undefined {
    const row = this.#db
      .prepare(
        'SELECT a.* FROM account a JOIN account_identity i USING (account_id) WHERE i.type = ? AND i.identity_id = ?',
      )
      .get(type, id)
    return row && fromRow(row)
  }

  identity(accountId: Sfid, type: IdentityType): string | undefined {
    const row = this.#db
      .prepare('SELECT identity_id FROM account_identity WHERE account_id = ? AND type = ?')
      .get(accountId, type)
    return row && String(row.identity_id)
  }

  passwordHash(accountId: Sfid): string | undefined {
    const row = this.#db.prepare('SELECT hash FROM account_password WHERE account_id = ?').get(accountId)
    return row && String(row.hash)
  }

  setPassword(accountId: Sfid, hash: string): void {
    this.#db
      .prepare(
        `INSERT INTO account_password VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET hash = excluded.hash, updated_ms = excluded.updated_ms`,
      )
      .run(accountId, hash, this.#now())
  }

  /** @throws ApiError AccountNotFound */
  setState(accountId: Sfid, state: AccountState): void {
    const { changes } = this.#db
      .prepare('UPDATE account SET state = ?, updated_ms = ? WHERE account_id = ?')
      .run(state, this.#now(), accountId)
    if (changes === 0) throw new ApiError('AccountNotFound', accountId)
  }
}

function fromRow(row: Record<string, unknown>): Account {
  return {
    accountId: String(row.account_id),
    role: row.role as AccountRole,
    state: row.state as AccountState,
    source: row.source as Account['source'],
    createdMs: Number(row.created_ms),
    updatedMs: Number(row.updated_ms),
  }
}
