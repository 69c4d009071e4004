import type { ChainClient } from './chain-client.ts'
import { ChainError } from './errors.ts'

/** What a transaction offers for its gas, wei. */
export type Fees =
  | { readonly type: 'eip1559'; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 'legacy'; readonly gasPrice: bigint }

/** Fees move with blocks, and blocks take a second or more: asking once a second serves any number of transactions. */
const freshMs = 1000

/** What a chain asks for, asked anew when the last answer is a second old. */
export class FeeOracle {
  readonly #client: ChainClient
  readonly #cap: bigint | undefined
  #latest: { readonly askedMs: number; readonly fees: Promise<Fees> } | undefined

  /** @param cap the most that is offered per gas, wei */
  constructor(client: ChainClient, cap: bigint | undefined) {
    this.#client = client
    this.#cap = cap
  }

  /** @throws ChainError CHAIN_UNREACHABLE, TX_FEE_CAP */
  fees(): Promise<Fees> {
    const now = Date.now()
    if (this.#latest && now - this.#latest.askedMs < freshMs) return this.#latest.fees
    const latest = { askedMs: now, fees: this.#ask() }
    this.#latest = latest
    latest.fees.catch(() => {
      if (this.#latest === latest) this.#latest = undefined
    })
    return latest.fees
  }

  #ask(): Promise<Fees> {
    return this.#client.use(async (client) => {
      const { baseFeePerGas } = await client.getBlock({ blockTag: 'latest' })
      if (typeof baseFeePerGas !== 'bigint') {
        const gasPrice = await client.getGasPrice()
        this.#capped(gasPrice)
        return { type: 'legacy', gasPrice }
      }
      this.#capped(baseFeePerGas)
      const priority = await client.estimateMaxPriorityFeePerGas()
      // Twice the base fee stays valid through six full blocks in a row (each raises it by an eighth: 1.125^6 = 2.03).
      const wanted = baseFeePerGas * 2n + priority
      const maxFeePerGas = this.#cap !== undefined && wanted > this.#cap ? this.#cap : wanted
      return { type: 'eip1559', maxFeePerGas, maxPriorityFeePerGas: priority < maxFeePerGas ? priority : maxFeePerGas }
    })
  }

  #capped(feePerGas: bigint): void {
    if (this.#cap === undefined || feePerGas <= this.#cap) return
    const chain = this.#client.config.name
    throw new ChainError({ code: 'TX_FEE_CAP', chain, feePerGas: `${feePerGas}`, cap: `${this.#cap}` })
  }
}
