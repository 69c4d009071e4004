/** A look that comes later than this counts as one that came then, in distances between looks. */
const latest = 2

/**
 * How long one thing has been going on, as far as looking at it shows. Only looks that come about in time count in full: on a
 * machine that has no time for us, what is watched does not get on either, and nobody is to blame.
 */
export class SeenClock {
  readonly #everyMs: number
  #what: string | undefined
  #forMs = 0
  #lookedMs = 0

  /** @param everyMs distance between two looks */
  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** Counts what is seen now. @param nowMs for tests; of any clock that does not run backwards */
  look(what: string, nowMs = performance.now()): void {
    if (what === this.#what) this.#forMs += Math.min(nowMs - this.#lookedMs, latest * this.#everyMs)
    else this.#forMs = 0
    this.#what = what
    this.#lookedMs = nowMs
  }

  /** How long this has been seen without anything else, milliseconds. */
  seenForMs(what: string): number {
    return what === this.#what ? this.#forMs : 0
  }

  /** It is over. */
  reset(): void {
    this.#what = undefined
  }
}
