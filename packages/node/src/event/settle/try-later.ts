/** An effect that could not be carried out now and may be later. */
export class TryLater extends Error {
  /** How long to rest at least, milliseconds. */
  readonly afterMs: number

  constructor(detail: string, afterMs = 0) {
    super(detail)
    this.afterMs = afterMs
  }
}
