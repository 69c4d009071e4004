import type { Progress } from '../../host/progress.ts'

/**
 * What a worker is doing, in memory that it shares with the main thread: whether a guest runs, for which project, which
 * handler of which message, and since when. The worker writes; the watchdog reads, and ends a worker whose guest has run too long.
 */
const words = { running: 0, slot: 1, message: 2, ordinal: 3 } as const
/** Values of the word `running`. */
const states = { idle: 0, running: 1, condemned: 2 } as const
const bytes = 24
const startOffset = 16

export function createProgressMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes)
}

/** The worker's side. */
export class ProgressWriter {
  readonly #words: Int32Array
  readonly #started: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, 4)
    this.#started = new Float64Array(memory, startOffset, 1)
  }

  /** Progress of the project that has this slot. */
  of(slot: number): Progress {
    return {
      enter: (messageIndex, ordinal, ranMs = 0) => this.#enter(slot, messageIndex, ordinal, ranMs),
      leave: () => this.#leave(),
      pause: () => {
        const ranMs = now() - this.#started[0]!
        this.#leave()
        return ranMs
      },
    }
  }

  #enter(slot: number, messageIndex: number, ordinal: number, ranMs: number): void {
    this.#words[words.slot] = slot
    this.#words[words.message] = messageIndex
    this.#words[words.ordinal] = ordinal
    this.#started[0] = now() - ranMs
    // The atomic store comes last: whoever sees it set sees the rest.
    Atomics.store(this.#words, words.running, states.running)
  }

  /** A guest that comes back condemned waits for the end of its thread: its batch, to be repeated, must not be committed. */
  #leave(): void {
    const { running, condemned, idle } = states
    while (Atomics.compareExchange(this.#words, words.running, running, idle) === condemned)
      Atomics.wait(this.#words, words.running, condemned)
  }
}

/** Milliseconds on a clock that all threads share and nobody sets back. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

/** A guest that runs. */
export interface Running {
  readonly slot: number
  readonly messageIndex: number
  readonly ordinal: number
  readonly forMs: number
}

/** The main thread's side: what runs now, if anything. */
export function readProgress(memory: SharedArrayBuffer): Running | undefined {
  const view = new Int32Array(memory, 0, 4)
  if (Atomics.load(view, words.running) === states.idle) return undefined
  const started = new Float64Array(memory, startOffset, 1)[0]!
  return {
    slot: view[words.slot]!,
    messageIndex: view[words.message]!,
    ordinal: view[words.ordinal]!,
    forMs: now() - started,
  }
}

/**
 * Condemns the guest that runs if it has run too long; from then on its thread commits nothing.
 * @returns what was condemned; nothing when no guest runs too long, or when it was condemned before
 */
export function condemn(memory: SharedArrayBuffer, tooLong: (running: Running) => boolean): Running | undefined {
  const seen = readProgress(memory)
  if (!seen || !tooLong(seen)) return undefined
  const view = new Int32Array(memory, 0, 4)
  if (Atomics.compareExchange(view, words.running, states.running, states.condemned) !== states.running)
    return undefined
  const condemned = readProgress(memory)!
  if (tooLong(condemned)) return condemned
  // Another guest has begun since it was looked at.
  Atomics.store(view, words.running, states.running)
  Atomics.notify(view, words.running)
  return undefined
}
