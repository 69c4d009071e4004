import type { SignedTransaction } from '../../chain/chain.ts'
import { decodeLocal } from '../../chain/outbox.ts'
import type { ExecutorServices } from '../executor/executor.ts'
import type { WitnessEntry } from '../witness.ts'

/**
 * The world outside as a batch's witness remembers it: each question gets the answer, or the failure, that was recorded in
 * its turn. Nobody else is asked.
 */
export class WitnessServices implements ExecutorServices {
  #answers: readonly WitnessEntry[] = []
  #next = 0

  /** Takes the witness of the batch that is executed next. */
  load(entries: readonly WitnessEntry[]): void {
    this.#answers = entries.filter(({ kind }) => kind !== 'stopped')
    this.#next = 0
  }

  async sign(): Promise<SignedTransaction> {
    return decodeLocal(new TextDecoder().decode(this.#answer('sign')))
  }

  async call(): Promise<Uint8Array> {
    return this.#answer('call')
  }

  /** Nothing was taken from an account here. */
  release(): void {}

  #answer(kind: 'sign' | 'call'): Uint8Array {
    const entry = this.#answers[this.#next++]
    if (entry?.kind !== kind) throw new Error(`the witness has no answer to this ${kind}`)
    if (!entry.answered) throw new Error(new TextDecoder().decode(entry.answer))
    return entry.answer
  }
}
