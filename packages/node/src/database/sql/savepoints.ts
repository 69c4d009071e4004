import type { DatabaseSync } from 'node:sqlite'

/**
 * Nested marks of a transaction, made in the file only when something is written after them: most handlers write to the
 * worker's write set alone and need none.
 */
export class Savepoints {
  readonly #db: DatabaseSync
  #marks = 0
  #made = 0

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  mark(): void {
    this.#marks++
  }

  /** Called before every write. */
  materialise(): void {
    for (; this.#made < this.#marks; this.#made++) this.#db.exec(`SAVEPOINT mark_${this.#made}`)
  }

  /** Undoes what was written since the innermost mark and removes it. Whether anything had been written. */
  rollback(): boolean {
    const name = this.#pop()
    if (name) this.#db.exec(`ROLLBACK TO ${name}; RELEASE ${name}`)
    return name !== undefined
  }

  /** Removes the innermost mark and keeps what was written since. */
  release(): void {
    const name = this.#pop()
    if (name) this.#db.exec(`RELEASE ${name}`)
  }

  #pop(): string | undefined {
    if (this.#marks === 0) throw new RangeError('no savepoint is open')
    this.#marks--
    if (this.#made <= this.#marks) return undefined
    this.#made--
    return `mark_${this.#made}`
  }
}
