/** Who holds a place, as far as it matters for who has to leave. */
export interface Holder {
  /** Whether it has something to do. */
  readonly busy: boolean
  /** When it last had. */
  readonly usedMs: number
}

/**
 * The bound on projects that are open at once. Who finds no place waits in turn, and the one unused longest is asked to
 * leave; when all are busy, the one that has been there longest.
 */
export class Places<H extends Holder> {
  readonly #limit: number
  readonly #leave: (holder: H) => void
  /** In the order in which they came. */
  readonly #holders = new Set<H>()
  readonly #leaving = new Set<H>()
  readonly #waiting: { holder: H; enter: () => void }[] = []

  /** @param leave asks a holder to leave; it does so by {@link free}, when it can */
  constructor(limit: number, leave: (holder: H) => void) {
    this.#limit = limit
    this.#leave = leave
  }

  get taken(): number {
    return this.#holders.size
  }

  /** Resolves when the holder has a place. */
  take(holder: H): Promise<void> {
    if (this.#holders.size < this.#limit) {
      this.#holders.add(holder)
      return Promise.resolve()
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ holder, enter: resolve })
    this.#makeRoom()
    return promise
  }

  free(holder: H): void {
    this.#leaving.delete(holder)
    if (!this.#holders.delete(holder)) return
    const next = this.#waiting.shift()
    if (!next) return
    this.#holders.add(next.holder)
    next.enter()
    this.#makeRoom()
  }

  #makeRoom(): void {
    while (this.#leaving.size < Math.min(this.#waiting.length, this.#holders.size)) {
      const holder = this.#dispensable()
      this.#leaving.add(holder)
      this.#leave(holder)
    }
  }

  #dispensable(): H {
    const staying = [...this.#holders].filter((holder) => !this.#leaving.has(holder))
    const idle = staying.filter(({ busy }) => !busy)
    if (idle.length === 0) return staying[0]!
    return idle.reduce((best, one) => (one.usedMs < best.usedMs ? one : best))
  }
}
