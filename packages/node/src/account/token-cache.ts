import { hash } from 'node:crypto'
import type { Sfid } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { AccountIdentity } from '../endpoint/endpoint.ts'
import type { AccessKey } from './access-key.ts'
import type { AccountRole } from './account.ts'
import { permits } from './privileges.ts'

/** Tokens verified lately; a look-up instead of an HMAC and two reads of the database. */
const maxTokens = 10_000

/** An account's identity while a token of it is good. */
export class TokenIdentity implements AccountIdentity {
  readonly type = 'account'
  readonly accountId: Sfid
  readonly role: AccountRole
  readonly accessKey?: string
  readonly key?: AccessKey
  readonly #expiresMs: number
  readonly #now: () => number
  #revoked = false

  constructor(token: { accountId: Sfid; role: AccountRole; key?: AccessKey; expiresMs: number }, now: () => number) {
    this.accountId = token.accountId
    this.role = token.role
    this.key = token.key
    this.accessKey = token.key?.name
    this.#expiresMs = token.expiresMs
    this.#now = now
  }

  get valid(): boolean {
    return !this.#revoked && this.#now() < this.#expiresMs
  }

  permits(group: string, access: 'READONLY' | 'READ_WRITE'): boolean {
    return this.key === undefined || permits(this.key.privileges, group, access)
  }

  revoke(): void {
    this.#revoked = true
  }
}

/** Keyed by hash, so that the memory holds no tokens. */
export class TokenCache {
  readonly #tokens = new LRUCache<string, TokenIdentity>({ max: maxTokens })
  /** All identities of an account that somebody may still hold, the evicted ones too. */
  readonly #held = new Map<Sfid, Set<WeakRef<TokenIdentity>>>()

  get(token: string): TokenIdentity | undefined {
    const identity = this.#tokens.get(hash('sha256', token, 'base64'))
    return identity?.valid ? identity : undefined
  }

  set(token: string, identity: TokenIdentity): void {
    this.#tokens.set(hash('sha256', token, 'base64'), identity)
    const held = this.#held.get(identity.accountId) ?? new Set()
    for (const reference of held) if (!reference.deref()?.valid) held.delete(reference)
    this.#held.set(identity.accountId, held.add(new WeakRef(identity)))
  }

  /** Ends all identities of an account; those still good are made again at their next use. */
  revoke(accountId: Sfid): void {
    for (const reference of this.#held.get(accountId) ?? []) reference.deref()?.revoke()
    this.#held.delete(accountId)
  }
}
