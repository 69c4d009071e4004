import { type Hex, toHex } from '@w3bstream/protocol'
import type { OutboxRow, ProjectReader } from '../../database/database.ts'
import { parseObject } from '../api-call/request.ts'

/** What an applet is told of a transaction that it sent by `/system/send_tx`. */
export type TransactionEnd = { readonly state: 'CONFIRMED' | 'FAILED' } | { readonly timeout: true }

/** Where a transaction stands in the outbox. */
export interface TransactionPlace {
  readonly height: bigint
  readonly effect: string
}

type Outbox = Pick<ProjectReader, 'outbox'>

/** The longest that a timer is set for: longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** Waits for the end of transactions; nothing is remembered that the outbox does not say too. */
export class TransactionEnds {
  readonly #waiting = new Map<string, Set<(end: TransactionEnd) => void>>()

  /** To be called when a transaction has come to its end. */
  ended(effectId: Uint8Array, state: 'CONFIRMED' | 'FAILED'): void {
    for (const tell of this.#waiting.get(toHex(effectId)) ?? []) tell({ state })
  }

  /**
   * The end of a transaction, or that it did not come in time.
   * @param untilMs time of the clock
   * @throws the signal's reason
   */
  async wait(outbox: Outbox, place: TransactionPlace, untilMs: number, signal: AbortSignal): Promise<TransactionEnd> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<TransactionEnd>()
    const waiting = this.#waiting.get(place.effect) ?? new Set()
    this.#waiting.set(place.effect, waiting.add(resolve))
    const late = () => resolve({ timeout: true })
    const timer = setTimeout(late, Math.min(Math.max(untilMs - Date.now(), 0), longestTimerMs)).unref()
    const stop = () => reject(signal.reason)
    // The signal may come while nobody awaits it yet.
    promise.catch(() => undefined)
    signal.addEventListener('abort', stop)
    try {
      // Asked when whoever tells of the end is listened to already: it cannot be missed in between.
      const state = await stateOf(outbox, place)
      if (state === 'CONFIRMED' || state === 'FAILED') return { state }
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#waiting.delete(place.effect)
    }
  }
}

async function stateOf(outbox: Outbox, { height, effect }: TransactionPlace): Promise<OutboxRow['state'] | undefined> {
  const { data } = await outbox.outbox({ height, kind: 'transaction', size: -1 })
  return data.find(({ id }) => toHex(id) === effect)?.state
}

interface Told {
  readonly transactionID: string
  /** Absent when it could not be signed, and `error` says why; or when nothing is known of it. */
  readonly effect?: Hex
  /** Of the transaction, where another call asks for its end. */
  readonly height?: string
  readonly untilMs?: number
  readonly error?: string
}

/** The body of an effect that promises the end of a transaction. */
export function readTold(body: Uint8Array): Told | undefined {
  return parseObject(body) as unknown as Told | undefined
}
