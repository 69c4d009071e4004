import type { Hex } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Logger } from '../telemetry/logger.ts'

/** An account on a chain. `address` in lower case. */
export interface ChainAccount {
  readonly chainId: bigint
  readonly address: Hex
}

/** A nonce below `next` is in exactly one of the sets, or was used up on the chain. */
interface Ledger {
  next: number
  /** Given back: used first, the lowest before the others. */
  readonly free: Set<number>
  /** Signed by a handler of this process whose batch is not committed yet. */
  readonly taken: Set<number>
  /** Free or taken when the last process ended: which of them were committed, the outboxes tell. */
  readonly leftover: Set<number>
  /** In an outbox, not final. */
  readonly committed: Set<number>
  /** Whether the chain's own count was taken in since the outboxes were read. */
  ready: boolean
  asking: Promise<void> | undefined
}

/**
 * Hands out the nonces of every account that this node signs for. A nonce is taken when a handler signs, and is then either
 * committed (its transaction is in an outbox) or released. The ledger is on disk before a nonce is handed out, so after a
 * crash none is used twice, and those whose handlers never came to a commit are used again.
 */
export class NonceAllocator {
  readonly #control: ControlDatabase
  readonly #logger: Logger
  readonly #ledgers = new Map<string, Ledger>()
  #recovered = false

  constructor(control: ControlDatabase, logger: Logger) {
    this.#control = control
    this.#logger = logger
  }

  /** To be called once, when `commit` was told of everything that the outboxes hold: the rest of what was taken is free. */
  recovered(): void {
    this.#recovered = true
  }

  /**
   * Takes in what the chain counts, at the account's first use. Callers at the same time share one question.
   * @param pendingCount the account's number of transactions, those in the chain's pool included
   */
  async prepare(account: ChainAccount, pendingCount: () => Promise<number>): Promise<void> {
    const ledger = this.#ledger(account)
    if (ledger.ready) return
    ledger.asking ??= pendingCount()
      .then((count) => this.#takeIn(account, ledger, count))
      .finally(() => {
        ledger.asking = undefined
      })
    await ledger.asking
  }

  /** The next nonce, on disk as taken. `prepare` comes before. */
  take(account: ChainAccount): number {
    const ledger = this.#ledger(account)
    const nonce = ledger.free.size > 0 ? Math.min(...ledger.free) : ledger.next++
    ledger.free.delete(nonce)
    ledger.taken.add(nonce)
    this.#write(account, ledger)
    return nonce
  }

  /**
   * Takes a certain nonce that nobody holds, to close a gap before transactions that wait behind it.
   * @returns false when it is held after all
   */
  takeExactly(account: ChainAccount, nonce: number): boolean {
    const ledger = this.#ledger(account)
    if (ledger.taken.has(nonce) || ledger.committed.has(nonce) || ledger.leftover.has(nonce)) return false
    ledger.free.delete(nonce)
    ledger.taken.add(nonce)
    ledger.next = Math.max(ledger.next, nonce + 1)
    this.#write(account, ledger)
    return true
  }

  /** Gives a taken nonce back. One that is not taken, because it was committed or given back already, stays as it is. */
  release(account: ChainAccount, nonce: number): void {
    const ledger = this.#ledger(account)
    if (!ledger.taken.delete(nonce)) return
    ledger.free.add(nonce)
    this.#write(account, ledger)
  }

  /** Notes that these nonces' transactions are in outboxes. */
  commit(entries: readonly { readonly account: ChainAccount; readonly nonce: number }[]): void {
    const touched = new Map<string, ChainAccount>()
    for (const { account, nonce } of entries) {
      const ledger = this.#ledger(account)
      if (ledger.committed.has(nonce)) continue
      ledger.committed.add(nonce)
      for (const set of [ledger.taken, ledger.leftover, ledger.free]) set.delete(nonce)
      ledger.next = Math.max(ledger.next, nonce + 1)
      touched.set(keyOf(account), account)
    }
    if (touched.size === 0) return
    this.#control.exec('BEGIN')
    for (const account of touched.values()) this.#write(account, this.#ledger(account))
    this.#control.exec('COMMIT')
  }

  /** Forgets a nonce that the chain has used up. */
  settle(account: ChainAccount, nonce: number): void {
    const ledger = this.#ledger(account)
    ledger.committed.delete(nonce)
    if (ledger.taken.delete(nonce)) this.#write(account, ledger)
  }

  /** Frees a committed nonce whose transaction no chain will ever take. */
  abandon(account: ChainAccount, nonce: number): void {
    const ledger = this.#ledger(account)
    if (!ledger.committed.delete(nonce)) return
    ledger.free.add(nonce)
    this.#write(account, ledger)
  }

  /** Has the chain asked again: another user of the key was seen. */
  resync(account: ChainAccount): void {
    this.#ledger(account).ready = false
  }

  #takeIn(account: ChainAccount, ledger: Ledger, count: number): void {
    // Before the outboxes were read nothing is known to be free; numbers go on from the highest that anybody used.
    if (this.#recovered) {
      for (const nonce of ledger.leftover) ledger.free.add(nonce)
      ledger.leftover.clear()
      for (const nonce of ledger.free) if (nonce < count) ledger.free.delete(nonce)
      if (ledger.next > count && ledger.committed.size === 0 && ledger.taken.size === 0)
        this.#goBack(account, ledger, count)
      ledger.ready = true
    }
    ledger.next = Math.max(ledger.next, count)
    this.#write(account, ledger)
  }

  /** Nothing of ours is on its way, and still the chain counts less than was used: it began anew, as development chains do. */
  #goBack(account: ChainAccount, ledger: Ledger, count: number): void {
    const freed = ledger.free.size
    if (ledger.next - freed > count) {
      const { chainId, address } = account
      this.#logger.warn('the chain counts fewer transactions than were sent', {
        chainId,
        address,
        sent: ledger.next,
        count,
      })
    }
    ledger.free.clear()
    ledger.next = count
  }

  #ledger(account: ChainAccount): Ledger {
    const key = keyOf(account)
    const known = this.#ledgers.get(key)
    if (known) return known
    const row = this.#control
      .prepare('SELECT next, free FROM chain_nonce WHERE chain_id = ? AND address = ?')
      .get(`${account.chainId}`, account.address) as { next: number; free: string } | undefined
    const ledger: Ledger = {
      next: row?.next ?? 0,
      free: new Set(),
      taken: new Set(),
      leftover: new Set(row ? (JSON.parse(row.free) as number[]) : []),
      committed: new Set(),
      ready: false,
      asking: undefined,
    }
    this.#ledgers.set(key, ledger)
    return ledger
  }

  /** `free` holds whatever below `next` is not known to be committed. */
  #write(account: ChainAccount, ledger: Ledger): void {
    const undecided = [...ledger.free, ...ledger.taken, ...ledger.leftover].sort((a, b) => a - b)
    this.#control
      .prepare('INSERT OR REPLACE INTO chain_nonce VALUES (?, ?, ?, ?)')
      .run(`${account.chainId}`, account.address, ledger.next, JSON.stringify(undecided))
  }
}

function keyOf(account: ChainAccount): string {
  return `${account.chainId}:${account.address}`
}
