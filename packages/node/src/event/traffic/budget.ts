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

/**
 * What is used up of one limit in the running period. Of devices it holds those that were seen in the period. A clock that
 * is put back begins no new period, or it would give out the same one twice.
 */
export class Budget {
  readonly limit: TrafficLimit
  readonly #durationMs: number
  #endMs = 0
  /** By device; of a limit for the project all under `''`. */
  #used = new Map<Sfid | '', number>()

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

  /** Why another event does not fit; undefined when it does. */
  refusal(publisherId: Sfid | '', nowMs: number): Refusal | undefined {
    const { scope, threshold, duration } = this.limit
    const key = this.#key(publisherId)
    if (key === undefined) return undefined
    this.#turn(nowMs)
    if ((this.#used.get(key) ?? 0) < threshold) return undefined
    return { scope, threshold, duration, retryAfterMs: this.#endMs - nowMs }
  }

  /** @param count of events, at once only after a start */
  add(publisherId: Sfid | '', nowMs: number, count = 1): void {
    const key = this.#key(publisherId)
    if (key === undefined) return
    this.#turn(nowMs)
    this.#used.set(key, (this.#used.get(key) ?? 0) + count)
  }

  /** An event that was counted at that time was not used after all. Of a period that is over nothing is given back. */
  giveBack(publisherId: Sfid | '', takenMs: number): void {
    const key = this.#key(publisherId)
    if (key === undefined || takenMs < this.#endMs - this.#durationMs) return
    this.#used.set(key, Math.max(0, (this.#used.get(key) ?? 0) - 1))
  }

  /** Events that no device sent count for the project only. */
  #key(publisherId: Sfid | ''): Sfid | '' | undefined {
    if (this.limit.scope === 'PROJECT') return ''
    return publisherId === '' ? undefined : publisherId
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#endMs) return
    this.#endMs = windowStart(this.limit.startMs, this.#durationMs, nowMs) + this.#durationMs
    this.#used = new Map()
  }
}
