import { randomInt } from 'node:crypto'

/** Random numbers that can be had again: the seed is printed, and taken from `W3BSTREAM_TEST_SEED` when that is set. */
export class Random {
  readonly seed: number
  #state: number

  constructor(name: string) {
    this.seed = Number(process.env.W3BSTREAM_TEST_SEED ?? randomInt(2 ** 31))
    this.#state = this.seed
    console.info(`${name}: W3BSTREAM_TEST_SEED=${this.seed}`)
  }

  /** From `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1))
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
