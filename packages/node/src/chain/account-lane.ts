import type { ProjectKey } from '@w3bstream/protocol'
import type { EffectState } from '../database/database.ts'
import type { Logger } from '../telemetry/logger.ts'
import { backoffMs } from '../util/backoff.ts'
import type { SignedTransaction, TransactionOutcome } from './chain.ts'
import type { ChainClient } from './chain-client.ts'
import type { HeadWatcher } from './head-watcher.ts'
import type { ChainAccount, NonceAllocator } from './nonces.ts'
import { Pause } from './pause.ts'
import { findReceipt } from './receipt.ts'
import { send } from './send-answer.ts'

/** A transaction on its way. */
export interface Journey {
  readonly project: ProjectKey
  readonly effectId: Uint8Array
  readonly transaction: SignedTransaction
  state: EffectState
  attempts: number
  detail: string
  /** Whether it was ever handed to the chain, whatever that answered. */
  offered: boolean
  /** When the chain last took it, milliseconds; 0 when it is to be sent. */
  sentMs: number
  /** Since when its nonce is used up while the chain shows no receipt; 0 when that is not so. */
  missingMs: number
}

export interface LaneOptions {
  readonly maxInFlight: number
  readonly resendMs: number
  readonly graceMs: number
  readonly retry: { readonly minMs: number; readonly maxMs: number }
}

export interface LaneDeps {
  readonly client: ChainClient
  readonly watcher: HeadWatcher
  readonly nonces: NonceAllocator
  readonly logger: Logger
  /** Writes down where a journey stands. */
  record(journey: Journey): Promise<void>
  /** Hands on how a journey ended. */
  settle(journey: Journey, outcome: TransactionOutcome): Promise<void>
  /** A transaction was handed to the chain for the first time. */
  sent(journey: Journey): void
  /** Signs something that closes the gap before a transaction. */
  signFiller(waiting: SignedTransaction, nonce: number): Promise<SignedTransaction>
  /** There is room for what was left in this project's outbox. */
  refill(project: ProjectKey): Promise<void>
}

/** Receipts that are asked for at the same time. */
const parallelReceipts = 16
/** A longer gap is not closed: then the chain is not the one that the nonces came from. */
const maxGap = 64

/**
 * The transactions of one account on one chain. They are sent in the order of their nonces, because a chain's pool keeps
 * what comes early only so long, and followed until they are final. One round at a time: look at what is in blocks, close a
 * gap, send what is due.
 */
export class AccountLane {
  readonly account: ChainAccount
  readonly #options: LaneOptions
  readonly #deps: LaneDeps
  readonly #journeys = new Map<string, Journey>()
  readonly #left = new Set<ProjectKey>()
  readonly #pause = new Pause()
  #failures = 0
  /** Since when the lowest nonce waits for one that nobody sends. */
  #gap = { count: -1, sinceMs: 0 }

  constructor(account: ChainAccount, options: LaneOptions, deps: LaneDeps) {
    this.account = account
    this.#options = options
    this.#deps = deps
    deps.watcher.watch(this)
  }

  get idle(): boolean {
    return this.#journeys.size === 0
  }

  /** Takes a journey; when there are too many, the one with the highest nonce is left to the outbox. */
  add(journey: Journey): void {
    const { hash } = journey.transaction
    if (this.#journeys.has(hash)) return
    this.#journeys.set(hash, journey)
    if (this.#journeys.size > this.#options.maxInFlight) {
      const highest = this.#inOrder().at(-1)!
      this.#journeys.delete(highest.transaction.hash)
      this.#left.add(highest.project)
    }
    this.wake()
    this.#deps.watcher.wake()
  }

  /** @returns hashes of those that the chain may have got */
  forget(project: ProjectKey): string[] {
    this.#left.delete(project)
    const gone = [...this.#journeys.values()].filter((journey) => journey.project === project)
    for (const { transaction } of gone) this.#journeys.delete(transaction.hash)
    return gone.filter(({ offered }) => offered).map(({ transaction }) => transaction.hash)
  }

  wake(): void {
    this.#pause.wake()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failed = !(await this.#tryRound())
      // While the chain is away, new work does not make it answer sooner: only time ends this rest.
      if (failed) await new Pause().rest(backoffMs(this.#failures, this.#options.retry), signal)
      else await this.#pause.rest(this.idle ? undefined : this.#options.graceMs / 2, signal)
    }
  }

  /** @returns whether the chain took part */
  async #tryRound(): Promise<boolean> {
    try {
      await this.#round()
      this.#failures = 0
      return true
    } catch (error) {
      this.#failures++
      const { chainId, address } = this.account
      this.#deps.logger.debug('a round of sending failed', { chainId, address, failures: this.#failures }, error)
      await this.#noteFailure(error instanceof Error ? error.message : String(error))
      return false
    }
  }

  async #round(): Promise<void> {
    if (!this.idle) {
      const count = await this.#deps.client.use((client) =>
        client.getTransactionCount({ address: this.account.address, blockTag: 'latest' }),
      )
      await this.#follow(count)
      await this.#closeGap(count)
      await this.#sendDue(count)
    }
    if (this.#journeys.size <= this.#options.maxInFlight / 2) await this.#refill()
  }

  async #refill(): Promise<void> {
    for (const project of [...this.#left]) {
      // Before the reading: what is left out again while it is read must be remembered.
      this.#left.delete(project)
      try {
        await this.#deps.refill(project)
      } catch (error) {
        this.#left.add(project)
        throw error
      }
    }
  }

  /** @param count how many nonces the chain has used up */
  async #follow(count: number): Promise<void> {
    const used = this.#inOrder().filter((journey) => journey.transaction.nonce < count)
    const { head } = this.#deps.watcher
    if (head !== undefined)
      for (let i = 0; i < used.length; i += parallelReceipts)
        await Promise.all(used.slice(i, i + parallelReceipts).map((journey) => this.#lookUp(journey, head)))
    for (const journey of this.#inOrder()) if (journey.transaction.nonce >= count) await this.#stillWaiting(journey)
  }

  async #lookUp(journey: Journey, head: bigint): Promise<void> {
    const receipt = await findReceipt(this.#deps.client, journey.transaction.hash)
    if (!receipt) return this.#missing(journey)
    journey.missingMs = 0
    const { blockNumber } = receipt
    const { hash } = journey.transaction
    const wanted = this.#deps.client.config.confirmations ?? 1
    const depth = Number(head - blockNumber) + 1
    if (depth < wanted) return this.#move(journey, 'IN_BLOCK', `${Math.max(depth, 0)} of ${wanted} confirmations`)
    if (receipt.succeeded) await this.#finish(journey, { state: 'CONFIRMED', hash, blockNumber })
    else await this.#finish(journey, { state: 'FAILED', hash, blockNumber, detail: 'reverted' })
  }

  /** Its nonce is used up and it has no receipt: the endpoint lags behind itself, or another transaction took the nonce. */
  async #missing(journey: Journey): Promise<void> {
    journey.missingMs ||= Date.now()
    if (Date.now() - journey.missingMs < this.#options.graceMs) return
    const { hash, nonce } = journey.transaction
    this.#deps.nonces.resync(this.account)
    const detail = `nonce ${nonce} was used by another transaction`
    if (await this.#finish(journey, { state: 'FAILED', hash, detail })) this.#deps.nonces.settle(this.account, nonce)
  }

  /** Not in a block, or no more after a reorganisation; sent again when the chain may have dropped it. */
  async #stillWaiting(journey: Journey): Promise<void> {
    journey.missingMs = 0
    if (journey.state === 'IN_BLOCK') {
      journey.sentMs = 0
      await this.#move(journey, 'PENDING', 'its block was replaced')
    } else if (journey.sentMs > 0 && Date.now() - journey.sentMs >= this.#options.resendMs) journey.sentMs = 0
  }

  /**
   * Nonces that nobody holds, below all that is on its way, are used for transfers of nothing: they were signed for handlers
   * that never committed, and what was signed after them would wait for ever.
   */
  async #closeGap(count: number): Promise<void> {
    const lowest = this.#inOrder()[0]?.transaction
    if (!lowest || lowest.nonce <= count) {
      this.#gap = { count: -1, sinceMs: 0 }
      return
    }
    if (this.#gap.count !== count) this.#gap = { count, sinceMs: Date.now() }
    if (Date.now() - this.#gap.sinceMs < this.#options.graceMs) return
    const { chainId, address } = this.account
    const gap = { chainId, address, from: count, to: lowest.nonce - 1 }
    if (lowest.nonce - count > maxGap) return this.#deps.logger.warn('nonces are missing on the chain', gap)
    this.#deps.logger.info('closing a gap of nonces', gap)
    for (let nonce = count; nonce < lowest.nonce; nonce++) await this.#fill(lowest, nonce)
  }

  async #fill(waiting: SignedTransaction, nonce: number): Promise<void> {
    const { nonces, client, signFiller } = this.#deps
    if (!nonces.takeExactly(this.account, nonce)) return
    try {
      const answer = await send(client, await signFiller(waiting, nonce))
      if (answer.type === 'sent' || answer.type === 'nonce used') nonces.settle(this.account, nonce)
    } finally {
      // Gives back only what was not settled; the chain is asked again because somebody else may hold the nonce.
      nonces.release(this.account, nonce)
      nonces.resync(this.account)
    }
  }

  async #sendDue(count: number): Promise<void> {
    for (const journey of this.#inOrder()) {
      if (journey.sentMs > 0 || journey.transaction.nonce < count) continue
      journey.offered = true
      const answer = await send(this.#deps.client, journey.transaction)
      if (answer.type === 'never') {
        await this.#refused(journey, answer.detail)
        continue
      }
      if (answer.type === 'later') throw new Error(answer.detail)
      journey.sentMs = Date.now()
      journey.attempts++
      if (journey.state === 'INIT') this.#deps.sent(journey)
      await this.#move(journey, 'PENDING', '')
    }
  }

  /** The chain will never take it, so its nonce is free for another one. */
  async #refused(journey: Journey, detail: string): Promise<void> {
    const { hash, nonce } = journey.transaction
    if (await this.#finish(journey, { state: 'FAILED', hash, detail })) this.#deps.nonces.abandon(this.account, nonce)
  }

  async #move(journey: Journey, state: EffectState, detail: string): Promise<void> {
    if (journey.state === state && journey.detail === detail) return
    journey.state = state
    journey.detail = detail
    await this.#deps.record(journey)
  }

  /** Says on the transaction that waits first why it waits. */
  async #noteFailure(detail: string): Promise<void> {
    const first = this.#inOrder().find((journey) => journey.sentMs === 0)
    if (!first) return
    first.attempts++
    first.detail = detail.slice(0, 500)
    await this.#deps.record(first)
  }

  /** @returns false when the end could not be handed on, and will be at a later round */
  async #finish(journey: Journey, outcome: TransactionOutcome): Promise<boolean> {
    try {
      await this.#deps.settle(journey, outcome)
    } catch (error) {
      this.#deps.logger.warn('the end of a transaction could not be handed on', { hash: outcome.hash }, error)
      return false
    }
    this.#journeys.delete(journey.transaction.hash)
    if (outcome.blockNumber !== undefined) this.#deps.nonces.settle(this.account, journey.transaction.nonce)
    return true
  }

  #inOrder(): Journey[] {
    return [...this.#journeys.values()].sort((a, b) => a.transaction.nonce - b.transaction.nonce)
  }
}
