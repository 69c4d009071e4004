import { ClientError } from './errors.ts'

export interface LimiterOptions {
  readonly concurrency: number
  readonly maxQueued: number
}

interface Waiter {
  readonly start: () => void
}

/** Lets a number of tasks run at once, a number wait in order, and tells the rest that it is full. */
export class Limiter {
  readonly #options: LimiterOptions
  readonly #queue = new Set<Waiter>()
  /** Those for whom there was no room even to wait. */
  readonly #outside = new Set<Waiter>()
  #running = 0

  constructor(options: LimiterOptions) {
    this.#options = options
  }

  /** Tasks that run or wait. */
  get size(): number {
    return this.#running + this.#queue.size
  }

  /**
   * @param whenFull 'wait' resolves later, 'reject' throws
   * @throws ClientError QUEUE_FULL, the signal's reason, or what the task throws
   */
  async run<T>(task: () => Promise<T>, whenFull: 'wait' | 'reject', signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const { concurrency, maxQueued } = this.#options
    if (this.#running < concurrency) this.#running++
    else if (this.#queue.size < maxQueued) await this.#wait(this.#queue, signal)
    else if (whenFull === 'reject') throw new ClientError({ code: 'QUEUE_FULL', limit: maxQueued })
    else await this.#wait(this.#outside, signal)
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  /** Resolves in possession of a running slot. */
  #wait(line: Set<Waiter>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#queue.delete(waiter)
        this.#outside.delete(waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        start: () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal.addEventListener('abort', abort, { once: true })
      line.add(waiter)
    })
  }

  /** Hands the slot of a finished task to the next in line. */
  #next(): void {
    const next = first(this.#queue) ?? first(this.#outside)
    if (!next) {
      this.#running--
      return
    }
    this.#queue.delete(next)
    this.#outside.delete(next)
    const promoted = first(this.#outside)
    if (promoted && this.#queue.size < this.#options.maxQueued) {
      this.#outside.delete(promoted)
      this.#queue.add(promoted)
    }
    next.start()
  }
}

function first(line: Set<Waiter>): Waiter | undefined {
  return line.values().next().value
}
