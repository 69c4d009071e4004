/** What can be written out at the end of a turn. */
export interface Flushable {
  flush(): void
}

/**
 * Writes once per turn of the event loop and connection: a commit acknowledges many messages at once, and one write for
 * all PUBACKs of a connection is what keeps them cheap.
 */
export class Flusher {
  #dirty: Flushable[] = []

  schedule(target: Flushable): void {
    if (this.#dirty.push(target) === 1) setImmediate(this.#run)
  }

  readonly #run = (): void => {
    const dirty = this.#dirty
    this.#dirty = []
    for (const target of dirty) target.flush()
  }
}
