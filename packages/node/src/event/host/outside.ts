import { HostFault } from '../../engine/engine.ts'
import { maxAnswerBytes, maxFailureText, Witness } from '../witness.ts'
import type { CurrentCall } from './current-call.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { Progress } from './progress.ts'

/** Questions of handlers to the world outside, and the witness of what was answered. */
export class Outside {
  readonly witness = new Witness()
  readonly #held: HeldBytes
  readonly #progress: Progress

  constructor(needs: { held: HeldBytes; progress: Progress }) {
    this.#held = needs.held
    this.#progress = needs.progress
  }

  /**
   * Asks; the thread is free meanwhile, and what was answered is written down.
   * @throws HostFault Chain with the failure's text as replay will read it; Limit
   */
  async ask<T>(
    kind: 'sign' | 'call',
    { messageIndex, ordinal }: CurrentCall,
    question: () => Promise<T>,
    encode: (answer: T) => Uint8Array,
  ): Promise<T> {
    this.#held.hold(0)
    const ranMs = this.#progress.pause()
    try {
      const answer = await question()
      const encoded = encode(answer)
      if (encoded.length > maxAnswerBytes) throw new Error(`an answer of ${encoded.length} bytes is too large`)
      this.#record(kind, messageIndex, true, encoded)
      return answer
    } catch (error) {
      const text = failureText(error)
      this.#record(kind, messageIndex, false, new TextEncoder().encode(text))
      throw new HostFault('Chain', text, { cause: error })
    } finally {
      this.#progress.enter(messageIndex, ordinal, ranMs)
    }
  }

  /** The witness keeps an answer whatever becomes of the handler. */
  #record(kind: 'sign' | 'call', messageIndex: number, answered: boolean, answer: Uint8Array): void {
    this.#held.addLasting(answer.length + entryOverhead)
    this.witness.record({ messageIndex, kind, answered, answer })
  }
}

/** Bytes of a witness entry beside the answer, at most. */
const entryOverhead = 16

/** Bounded, and the same after it was encoded and decoded: the guest and its receipt may see it. */
function failureText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, maxFailureText).toWellFormed()
}
