import { type ProjectKey, toHex } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { OutboxRow, ProjectStore } from '../database/database.ts'
import type { Service } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'
import { counter, type Metrics } from '../telemetry/metrics.ts'
import { AccountLane, type Journey, type LaneDeps } from './account-lane.ts'
import type { Dispatcher, SignedTransaction, TransactionOutcome } from './chain.ts'
import { HeadWatcher } from './head-watcher.ts'
import type { ChainAccess } from './open-chains.ts'
import { decodeLocal } from './outbox.ts'

export interface DispatcherOptions {
  /**
   * Transactions of one account that are followed at once; the others wait in the outbox.
   * @default 64, what common clients keep of one account in their pool
   */
  readonly maxInFlight: number
  /** How often a chain is asked for its newest block while something is on its way, milliseconds. @default 1000 */
  readonly pollIntervalMs: number
  /** A transaction in no block is handed to the chain again after this time, milliseconds. @default 60_000 */
  readonly resendMs: number
  /**
   * How long the chain may contradict itself before it is believed, milliseconds: a nonce used up without a receipt, a gap
   * before the lowest nonce. @default 15_000, longer than load-balanced endpoints lag behind each other
   */
  readonly graceMs: number
  /** Rest after a failure: doubles from `minMs` to `maxMs`, milliseconds. @default 500 and 30_000 */
  readonly retry: { readonly minMs: number; readonly maxMs: number }
}

export const defaultDispatcherOptions: DispatcherOptions = {
  maxInFlight: 64,
  pollIntervalMs: 1000,
  resendMs: 60_000,
  graceMs: 15_000,
  retry: { minMs: 500, maxMs: 30_000 },
}

/** The part of a project's store that holds its outbox. */
type Outbox = Pick<ProjectStore, 'outboxPending' | 'outboxUpdate'>

export interface DispatcherDeps {
  readonly chains: ChainAccess
  readonly outboxOf: (project: ProjectKey) => Promise<Outbox>
  /** Full name, for the metric. */
  readonly projectName: (project: ProjectKey) => string
  /** Called at the end of each transaction, at least once; called again later when it fails. */
  readonly onSettled: (project: ProjectKey, effectId: Uint8Array, outcome: TransactionOutcome) => Promise<void>
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Ends that are remembered, so that a row read from the outbox just before its update does not travel twice. */
const rememberedEnds = 4096

/**
 * Makes the dispatcher. Before `start` it is given all pending rows of all projects: their nonces are the ones that are not
 * free.
 */
export function createDispatcher(options: Partial<DispatcherOptions>, deps: DispatcherDeps): Dispatcher & Service {
  return new OutboxDispatcher({ ...defaultDispatcherOptions, ...options }, deps)
}

/** What an outbox row says of a journey. */
type Standing = Pick<Journey, 'project' | 'effectId' | 'state' | 'attempts' | 'detail'>

class OutboxDispatcher implements Dispatcher, Service {
  readonly name = 'dispatcher'
  readonly #options: DispatcherOptions
  readonly #deps: DispatcherDeps
  readonly #logger: Logger
  readonly #lanes = new Map<string, AccountLane>()
  readonly #watchers = new Map<bigint, HeadWatcher>()
  readonly #ended = new LRUCache<string, true>({ max: rememberedEnds })
  readonly #sends
  readonly #stop = new AbortController()
  readonly #loops: Promise<void>[] = []
  /** Projects that are gone; a last batch may still be committed while they are removed. */
  readonly #forgotten = new Set<ProjectKey>()
  #started = false

  constructor(options: DispatcherOptions, deps: DispatcherDeps) {
    this.#options = options
    this.#deps = deps
    this.#logger = deps.logger.child('dispatcher')
    const help = 'Transactions that were handed to a chain.'
    this.#sends = counter(deps.metrics, 'w3b_blockchain_tx_metrics', help, ['project', 'chainID'])
  }

  async start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    this.#deps.chains.nonces.recovered()
    for (const runner of [...this.#watchers.values(), ...this.#lanes.values()]) this.#run(runner)
  }

  async stop(signal?: AbortSignal): Promise<void> {
    this.#stop.abort()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const giveUp = () => resolve()
    signal?.addEventListener('abort', giveUp)
    if (signal?.aborted) giveUp()
    await Promise.race([Promise.all(this.#loops), late])
    signal?.removeEventListener('abort', giveUp)
  }

  enqueue(project: ProjectKey, rows: readonly OutboxRow[]): void {
    const journeys = rows.flatMap((row) => {
      try {
        return this.#journey(project, row) ?? []
      } catch (error) {
        this.#unreadable(project, row, error)
        return []
      }
    })
    if (this.#forgotten.has(project)) {
      for (const { transaction } of journeys)
        this.#deps.chains.nonces.release(accountOf(transaction), transaction.nonce)
      return
    }
    this.#deps.chains.nonces.commit(
      journeys.map(({ transaction }) => ({ account: accountOf(transaction), nonce: transaction.nonce })),
    )
    for (const journey of journeys) this.#lane(journey)?.add(journey)
  }

  async forget(project: ProjectKey): Promise<void> {
    this.#forgotten.add(project)
    const offered = new Set([...this.#lanes.values()].flatMap((lane) => lane.forget(project)))
    const { nonces } = this.#deps.chains
    for (const { state, transaction } of await this.#ownPending(project)) {
      // What was never handed to a chain cannot use its nonce up. The row may not say yet that it was.
      if (state === 'INIT' && !offered.has(transaction.hash)) nonces.abandon(accountOf(transaction), transaction.nonce)
      else nonces.settle(accountOf(transaction), transaction.nonce)
    }
  }

  /**
   * Transactions of a project that is to be forgotten. One whose store was never made, is gone already or is damaged must
   * still be removable.
   */
  async #ownPending(project: ProjectKey): Promise<{ state: OutboxRow['state']; transaction: SignedTransaction }[]> {
    try {
      const rows = await (await this.#deps.outboxOf(project)).outboxPending()
      return rows
        .filter((row) => row.kind === 'transaction' && row.local !== '')
        .map(({ state, local }) => ({ state, transaction: decodeLocal(local) }))
    } catch (error) {
      this.#logger.info('the outbox of a removed project cannot be read', { project }, error)
      return []
    }
  }

  /** @throws ChainError OUTBOX_CORRUPT */
  #journey(project: ProjectKey, row: OutboxRow): Journey | undefined {
    if (row.kind !== 'transaction' || row.state === 'CONFIRMED' || row.state === 'FAILED') return undefined
    if (this.#ended.has(toHex(row.id))) return undefined
    const { id: effectId, state, attempts, detail } = row
    const transaction = decodeLocal(row.local)
    const offered = state !== 'INIT'
    return { project, effectId, transaction, state, attempts, detail, offered, sentMs: 0, missingMs: 0 }
  }

  /** A damaged row ends as failed: whoever waits for it is told. */
  #unreadable(project: ProjectKey, row: OutboxRow, error: unknown): void {
    this.#logger.error('a row of the outbox cannot be read', { project, effect: toHex(row.id) }, error)
    const detail = error instanceof Error ? error.message : String(error)
    const end = { project, effectId: row.id, state: row.state, attempts: row.attempts, detail }
    this.#settle(end, { state: 'FAILED', hash: '0x', detail }).catch((failure) =>
      this.#logger.warn('the end of a transaction could not be handed on', { project }, failure),
    )
  }

  /** The lane of a transaction's account; undefined when the chain is no longer in the table: the row then waits for it. */
  #lane(journey: Journey): AccountLane | undefined {
    const { transaction, project } = journey
    const account = accountOf(transaction)
    const key = `${account.chainId}:${account.address}`
    const known = this.#lanes.get(key)
    if (known) return known
    try {
      const lane = new AccountLane(account, this.#options, this.#laneDeps(transaction))
      this.#lanes.set(key, lane)
      if (this.#started) this.#run(lane)
      return lane
    } catch (error) {
      this.#logger.error('a transaction waits for its chain', { project, chain: transaction.chainName }, error)
      void this.#record({ ...journey, detail: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }

  #laneDeps(transaction: SignedTransaction): LaneDeps {
    const { chains } = this.#deps
    return {
      client: chains.client(transaction),
      watcher: this.#watcher(transaction),
      nonces: chains.nonces,
      logger: this.#logger,
      record: (journey) => this.#record(journey),
      settle: (journey, outcome) => this.#settle(journey, outcome),
      sent: ({ project, transaction: { chainId } }) =>
        this.#sends.inc({ project: this.#deps.projectName(project), chainID: `${chainId}` }),
      signFiller: (waiting, nonce) => chains.signFiller(waiting, nonce),
      refill: async (project) => this.enqueue(project, await (await this.#deps.outboxOf(project)).outboxPending()),
    }
  }

  #watcher(transaction: SignedTransaction): HeadWatcher {
    const known = this.#watchers.get(transaction.chainId)
    if (known) return known
    const watcher = new HeadWatcher(this.#deps.chains.client(transaction), this.#options, this.#logger)
    this.#watchers.set(transaction.chainId, watcher)
    if (this.#started) this.#run(watcher)
    return watcher
  }

  #run(runner: { run(signal: AbortSignal): Promise<void> }): void {
    this.#loops.push(runner.run(this.#stop.signal))
  }

  /** What cannot be written down now is found again on the chain after a restart. */
  async #record({ project, effectId: id, state, attempts, detail }: Standing): Promise<void> {
    try {
      const outbox = await this.#deps.outboxOf(project)
      await outbox.outboxUpdate([{ id, state, attempts, detail }])
    } catch (error) {
      this.#logger.warn('the outbox could not be updated', { project, effect: toHex(id) }, error)
    }
  }

  /** Told first and written second: after a crash in between it is told again, never forgotten. */
  async #settle(journey: Standing, outcome: TransactionOutcome): Promise<void> {
    await this.#deps.onSettled(journey.project, journey.effectId, outcome)
    this.#ended.set(toHex(journey.effectId), true)
    await this.#record({ ...journey, state: outcome.state, detail: outcome.detail ?? '' })
    this.#logger.debug('transaction ended', { project: journey.project, hash: outcome.hash, state: outcome.state })
  }
}

function accountOf({ chainId, from: address }: SignedTransaction): {
  chainId: bigint
  address: SignedTransaction['from']
} {
  return { chainId, address }
}
