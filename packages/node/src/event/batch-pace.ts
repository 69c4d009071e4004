/** Messages of the first batches, before anything is known of the handlers. */
const firstMessages = 16
/** How fast batches grow at most, from one full batch to the next. */
const mostGrowth = 4

/**
 * How many messages the next batch of a project may have, so that a turn of the project stays near a wanted time: cheap
 * handlers share a commit among as many messages as the node allows, dear ones leave the thread to others soon.
 */
export class BatchPace {
  readonly #mostMessages: number
  readonly #turnMs: number
  #messages: number

  constructor(options: { mostMessages: number; turnMs: number }) {
    this.#mostMessages = options.mostMessages
    this.#turnMs = options.turnMs
    this.#messages = Math.min(firstMessages, options.mostMessages)
  }

  get messages(): number {
    return this.#messages
  }

  /** Learns from a batch. A small batch that was quick says nothing of larger ones: what a commit costs is shared. */
  ran(messages: number, tookMs: number): void {
    const fitting = Math.max(1, Math.floor((messages * this.#turnMs) / Math.max(tookMs, 0.001)))
    if (tookMs > this.#turnMs) this.#messages = Math.min(this.#messages, fitting)
    else if (messages >= this.#messages)
      this.#messages = Math.min(fitting, this.#messages * mostGrowth, this.#mostMessages)
  }
}
