import type { ProjectKey } from '@w3bstream/protocol'

/** What a turn counts at least, milliseconds: projects that need next to nothing still take turns. */
const leastMs = 0.01

/**
 * Whose batch a thread runs next: the project's that has had least of the thread so far, by time divided by weight. A
 * project that had nothing to do begins where the others stand, so that rest is not saved up. This is start-time fair
 * queueing (Goyal, Vin, Cheng 1996), with the time of a batch counted when it is known.
 */
export class Turns {
  readonly #defer: (work: () => void) => void
  /** Projects that want a turn, in the order in which they asked. */
  readonly #candidates = new Map<ProjectKey, () => void>()
  /** Weighted time that each project had. */
  readonly #passes = new Map<ProjectKey, number>()
  /** Where the project stood that had the last turn. */
  #front = 0
  #deferred = false

  /** @param defer runs work when everything at hand has been looked at. @default setImmediate */
  constructor(defer: (work: () => void) => void = setImmediate) {
    this.#defer = defer
  }

  /** Resolves when it is the project's turn. To be asked again only after that. */
  next(project: ProjectKey): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#passes.set(project, this.#standing(project))
    this.#candidates.set(project, resolve)
    this.#schedule()
    return promise
  }

  /** Counts what a project's turn took of the thread, milliseconds. */
  used(project: ProjectKey, ms: number, weight: number): void {
    this.#passes.set(project, this.#standing(project) + Math.max(leastMs, ms) / weight)
  }

  forget(project: ProjectKey): void {
    this.#passes.delete(project)
  }

  #standing(project: ProjectKey): number {
    return Math.max(this.#front, this.#passes.get(project) ?? 0)
  }

  /**
   * One turn begins in each turn of the event loop. A batch that waits for nothing ends in it; one that waits for a chain
   * leaves the thread to the next.
   */
  #schedule(): void {
    if (this.#deferred) return
    this.#deferred = true
    this.#defer(() => {
      this.#deferred = false
      this.#grant()
    })
  }

  #grant(): void {
    let chosen: ProjectKey | undefined
    for (const project of this.#candidates.keys())
      if (chosen === undefined || this.#passes.get(project)! < this.#passes.get(chosen)!) chosen = project
    if (chosen === undefined) return
    const begin = this.#candidates.get(chosen)!
    this.#candidates.delete(chosen)
    this.#front = this.#passes.get(chosen)!
    begin()
    if (this.#candidates.size > 0) this.#schedule()
  }
}
