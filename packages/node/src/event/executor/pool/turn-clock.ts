/** How long the guests of one project have had a thread without an end of their batch, as far as looking at it shows. */
export class TurnClock {
  #slot: number | undefined
  #sinceMs = 0

  /** The project that has the thread, by its number for the watchdog. */
  get slot(): number | undefined {
    return this.#slot
  }

  /**
   * @param slot whose guest runs at this moment; none between two guests
   * @returns how long its turn has been, milliseconds
   */
  look(slot: number | undefined): number {
    const nowMs = performance.now()
    if (slot !== undefined && slot !== this.#slot) {
      this.#slot = slot
      this.#sinceMs = nowMs
    }
    return this.#slot === undefined ? 0 : nowMs - this.#sinceMs
  }

  /** A batch has ended. */
  reset(): void {
    this.#slot = undefined
  }
}
