import TinyQueue from 'tinyqueue'

interface Entry {
  readonly key: string
  readonly atMs: number
}

/** Keys with due times, earliest first. Setting a key again moves it. */
export class DueQueue {
  readonly #due = new Map<string, number>()
  /** Holds for every key an entry that is not later than its due time, and outdated ones, which are passed over. */
  #heap = new TinyQueue<Entry>([], byTime)

  get size(): number {
    return this.#due.size
  }

  /** All keys, in no order. */
  keys(): IterableIterator<string> {
    return this.#due.keys()
  }

  get(key: string): number | undefined {
    return this.#due.get(key)
  }

  set(key: string, atMs: number): void {
    const before = this.#due.get(key)
    this.#due.set(key, atMs)
    // The entry of a key that moves back stays where it is, and is put right when its turn comes.
    if (before === undefined || atMs < before) this.#push({ key, atMs })
  }

  delete(key: string): void {
    this.#due.delete(key)
  }

  /** When the first key is due; undefined when there is none. */
  nextMs(): number | undefined {
    return this.#first()?.atMs
  }

  /** Takes the first key that is due. */
  take(nowMs: number): Entry | undefined {
    const first = this.#first()
    if (!first || first.atMs > nowMs) return undefined
    this.#heap.pop()
    this.#due.delete(first.key)
    return first
  }

  #first(): Entry | undefined {
    for (let entry = this.#heap.peek(); entry; entry = this.#heap.peek()) {
      const atMs = this.#due.get(entry.key)
      if (atMs === entry.atMs) return entry
      this.#heap.pop()
      if (atMs !== undefined && atMs > entry.atMs) this.#heap.push({ key: entry.key, atMs })
    }
    return undefined
  }

  #push(entry: Entry): void {
    this.#heap.push(entry)
    if (this.#heap.length > 2 * this.#due.size + 64)
      this.#heap = new TinyQueue(
        [...this.#due].map(([key, atMs]) => ({ key, atMs })),
        byTime,
      )
  }
}

function byTime(a: Entry, b: Entry): number {
  return a.atMs - b.atMs
}
