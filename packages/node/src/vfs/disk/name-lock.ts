/** Lets one task at a time work on a name; others wait in the order they came. */
export class NameLock {
  readonly #last = new Map<string, Promise<void>>()

  async hold<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const done = Promise.withResolvers<void>()
    this.#last.set(name, done.promise)
    try {
      await before
      return await task()
    } finally {
      if (this.#last.get(name) === done.promise) this.#last.delete(name)
      done.resolve()
    }
  }
}
