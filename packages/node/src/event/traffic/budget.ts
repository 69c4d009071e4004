import type { Sfid } from '@w3bstream/protocol'
import type { TrafficLimit } from '../../project/definition.ts'
import { parseDuration } from '../../util/go-duration.ts'
import { windowStart } from '../../util/traffic-window.ts'

/** Why an event is not taken. */
export interface Refusal {
  readonly scope: TrafficLimit['scope']
  readonly threshold: number
  readonly duration: string
  /** How long until the next period, milliseconds. */
  readonly retryAfterMs: number
}

/** Events of one sender in one period. Of a period that is over nobody asks any more. */
export interface Tally {
  count: number
}

/**
 * What is used up of one limit in the running period. Of devices it holds those that were seen in the period. A clock that
 * is put back begins no new period, or it would give out the same one twice.
 */
export class Budget {
  readonly limit: TrafficLimit
  readonly #durationMs: number
  #endMs = 0
  #project: Tally = { count: 0 }
  #devices = new Map<Sfid, Tally>()

  constructor(limit: TrafficLimit) {
    this.limit = limit
    this.#durationMs = parseDuration(limit.duration)!
  }

  /** From when on events count, milliseconds. What came before the limit does not. */
  countsFrom(nowMs: number): number {
    return Math.max(windowStart(this.limit.startMs, this.#durationMs, nowMs), this.limit.createdMs)
  }

  /** Whether the period that was counted last is over. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.#endMs
  }

  /** Where the events of a sender are counted in this period; undefined when the limit is not about them. */
  tally(publisherId: Sfid | '', nowMs: number): Tally | undefined {
    if (nowMs >= this.#endMs) this.#turn(nowMs)
    if (this.limit.scope === 'PROJECT') return this.#project
    // Events that no device sent count for the project only.
    if (publisherId === '') return undefined
    const known = this.#devices.get(publisherId)
    if (known) return known
    const tally = { count: 0 }
    this.#devices.set(publisherId, tally)
    return tally
  }

  /** Why another event does not fit; undefined when it does. */
  refusal(tally: Tally | undefined, nowMs: number): Refusal | undefined {
    const { scope, threshold, duration } = this.limit
    if (!tally || tally.count < threshold) return undefined
    return { scope, threshold, duration, retryAfterMs: this.#endMs - nowMs }
  }

  #turn(nowMs: number): void {
    this.#endMs = windowStart(this.limit.startMs, this.#durationMs, nowMs) + this.#durationMs
    this.#project = { count: 0 }
    this.#devices = new Map()
  }
}
