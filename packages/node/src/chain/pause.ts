/** A loop's rest between two rounds, which others can end. */
export class Pause {
  #wake: (() => void) | undefined
  #woken = false

  /** Ends the rest; when there is none, the next one ends at once. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /**
   * Rests until `wake`, until the time is over, or until the signal aborts.
   * @param ms no limit when undefined
   */
  async rest(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) await this.#sleep(ms, signal)
    this.#woken = false
  }

  async #sleep(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
    this.#wake = resolve
    const stop = () => resolve()
    signal.addEventListener('abort', stop)
    await promise
    signal.removeEventListener('abort', stop)
    clearTimeout(timer)
    this.#wake = undefined
  }
}
