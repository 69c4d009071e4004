import type { PublicClient } from 'viem'
import type { ChainConfig } from './chain.ts'
import { ChainError, type ChainFault } from './errors.ts'
import { rpcFailure } from './rpc-failure.ts'

/**
 * One chain's endpoint. The client library is loaded at the first use, so that a node that sends no transactions starts
 * without it (40 MB), and the endpoint is asked for its chain id before anything else: a transaction signed with another
 * chain's nonces would be lost.
 */
export class ChainClient {
  readonly config: ChainConfig
  readonly #timeoutMs: number
  #opening: Promise<PublicClient> | undefined

  /** @param timeoutMs how long one call may take in all, retries included */
  constructor(config: ChainConfig, timeoutMs: number) {
    this.config = config
    this.#timeoutMs = timeoutMs
  }

  /**
   * Runs requests against the endpoint, within the time limit.
   * @param refused the fault that a refusal by the chain stands for
   * @throws ChainError CHAIN_UNREACHABLE, CHAIN_MISMATCH, or that fault
   */
  async use<T>(
    run: (client: PublicClient) => Promise<T>,
    refused: (detail: string) => ChainFault = (detail) => this.#unreachable(detail),
  ): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new ChainError(this.#unreachable(`no answer within ${this.#timeoutMs} ms`))),
      this.#timeoutMs,
    )
    try {
      return await Promise.race([this.#open().then(run), late])
    } catch (error) {
      if (error instanceof ChainError) throw error
      const failure = rpcFailure(error)
      throw new ChainError(failure.type === 'refused' ? refused(failure.detail) : this.#unreachable(failure.detail))
    } finally {
      clearTimeout(timer)
    }
  }

  /** Opened once; a failure is forgotten, so that the next use tries again. */
  #open(): Promise<PublicClient> {
    if (!this.#opening) {
      const opening = this.#connect()
      this.#opening = opening
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined
      })
    }
    return this.#opening
  }

  async #connect(): Promise<PublicClient> {
    const { createPublicClient, http } = await import('viem')
    const transport = http(this.config.endpoint, { timeout: this.#timeoutMs, retryCount: 1, retryDelay: 100 })
    // `ccipRead` would let a contract make the node fetch any URL; the cache would answer with old block numbers.
    const client: PublicClient = createPublicClient({ transport, cacheTime: 0, ccipRead: false })
    const found = await client.getChainId()
    if (found !== this.config.chainID)
      throw new ChainError({ code: 'CHAIN_MISMATCH', chain: this.config.name, wanted: this.config.chainID, found })
    return client
  }

  #unreachable(detail: string): ChainFault {
    return { code: 'CHAIN_UNREACHABLE', chain: this.config.name, detail }
  }
}
