import { LRUCache } from 'lru-cache'
import { ApiError } from '../endpoint/api-error.ts'
import type { AccountsOptions } from './account.ts'

/** Counters kept at most; the oldest give way, and an attacker who fills them is still counted by address. */
const maxCounters = 10_000

/** Slows down those who guess: counts failed logins per account and address, and per address. */
export class LoginAttempts {
  readonly #limits: AccountsOptions['attempts']
  readonly #now: () => number
  readonly #failures = new LRUCache<string, { count: number; untilMs: number }>({ max: maxCounters })

  constructor(limits: AccountsOptions['attempts'], now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** @throws ApiError TooManyAttempts */
  check(account: string, address: string): void {
    const { perAccount, perAddress } = this.#limits
    this.#checkOne(this.#accountKey(account, address), perAccount)
    this.#checkOne(`a ${address}`, perAddress)
  }

  failed(account: string, address: string): void {
    this.#count(this.#accountKey(account, address))
    this.#count(`a ${address}`)
  }

  succeeded(account: string, address: string): void {
    this.#failures.delete(this.#accountKey(account, address))
  }

  #accountKey(account: string, address: string): string {
    return `b ${address} ${account.slice(0, 128).toLowerCase()}`
  }

  #checkOne(key: string, limit: number): void {
    const entry = this.#failures.get(key)
    const leftMs = (entry?.untilMs ?? 0) - this.#now()
    if (entry && leftMs > 0 && entry.count >= limit)
      throw new ApiError('TooManyAttempts', 'too many failed logins; wait before the next', { retryAfterMs: leftMs })
  }

  #count(key: string): void {
    const entry = this.#failures.get(key)
    if (entry && entry.untilMs > this.#now()) entry.count++
    else this.#failures.set(key, { count: 1, untilMs: this.#now() + this.#limits.windowMs })
  }
}
