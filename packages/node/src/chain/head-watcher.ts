import type { Logger } from '../telemetry/logger.ts'
import { backoffMs } from '../util/backoff.ts'
import type { ChainClient } from './chain-client.ts'
import { Pause } from './pause.ts'

/** Asks a chain for its newest block, once for all accounts, and only while one of them waits for something. */
export class HeadWatcher {
  readonly #client: ChainClient
  readonly #options: { readonly pollIntervalMs: number; readonly retry: { minMs: number; maxMs: number } }
  readonly #logger: Logger
  readonly #pause = new Pause()
  readonly #accounts = new Set<{ readonly idle: boolean; wake(): void }>()
  #head: bigint | undefined
  #failures = 0

  constructor(
    client: ChainClient,
    options: { readonly pollIntervalMs: number; readonly retry: { minMs: number; maxMs: number } },
    logger: Logger,
  ) {
    this.#client = client
    this.#options = options
    this.#logger = logger
  }

  /** Number of the newest block that was seen; undefined before the first answer. */
  get head(): bigint | undefined {
    return this.#head
  }

  /** This one is woken at each new block. */
  watch(account: { readonly idle: boolean; wake(): void }): void {
    this.#accounts.add(account)
  }

  /** An account has something to wait for. */
  wake(): void {
    this.#pause.wake()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const idle = [...this.#accounts].every((account) => account.idle)
      await this.#pause.rest(idle ? undefined : await this.#poll(), signal)
    }
  }

  /** @returns how long to rest */
  async #poll(): Promise<number> {
    const chain = this.#client.config.name
    try {
      const head = await this.#client.use((client) => client.getBlockNumber())
      if (this.#failures > 0) this.#logger.info('chain answers again', { chain, head })
      this.#failures = 0
      if (head !== this.#head) {
        this.#head = head
        for (const account of this.#accounts) account.wake()
      }
      return this.#options.pollIntervalMs
    } catch (error) {
      if (this.#failures++ === 0) this.#logger.warn('chain does not answer', { chain }, error)
      return backoffMs(this.#failures, this.#options.retry)
    }
  }
}
