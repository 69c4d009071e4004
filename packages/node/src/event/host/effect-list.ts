import { type EffectBody, effectId, type Hex } from '@w3bstream/protocol'
import { encodeLocal, type SignedTransaction } from '../../chain/chain.ts'
import type { OutboxEntry } from '../../database/database.ts'

interface Pending {
  readonly body: EffectBody
  readonly signed?: SignedTransaction
}

/** The effects of a batch: those of calls that succeeded, and those of the call that runs now. */
export class EffectList {
  readonly entries: OutboxEntry[] = []
  readonly #project: Uint8Array
  readonly #height: bigint
  #pending: Pending[] = []

  constructor(project: Uint8Array, height: bigint) {
    this.#project = project
    this.#height = height
  }

  /** How many the call has asked for. */
  get pending(): number {
    return this.#pending.length
  }

  /** The number that the next effect of the call gets when the call succeeds. */
  get next(): number {
    return this.entries.length + this.#pending.length
  }

  /** An effect of the call that runs now. */
  push(body: EffectBody, signed?: SignedTransaction): void {
    this.#pending.push({ body, ...(signed && { signed }) })
  }

  /** An effect that counts at once. */
  add(messageIndex: number, body: EffectBody, signed?: SignedTransaction): void {
    const index = this.entries.length
    const effect = { id: effectId(this.#project, this.#height, index), index, messageIndex, body }
    this.entries.push({ effect, local: signed ? encodeLocal(signed) : '' })
  }

  /** The call succeeded. */
  keep(messageIndex: number): void {
    for (const { body, signed } of this.#pending) this.add(messageIndex, body, signed)
    this.#pending = []
  }

  /** The call failed. @param release gives back what a signed transaction has taken from its account */
  drop(release: (signed: SignedTransaction) => void): void {
    for (const { signed } of this.#pending) if (signed) release(signed)
    this.#pending = []
  }
}

export function transactionBody(signed: SignedTransaction): EffectBody {
  const { chainId, chainName, to, value, data, operator } = signed
  return { kind: 'transaction', chainId, chainName, to: to.toLowerCase() as Hex, value, data, operator }
}
