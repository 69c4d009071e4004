import type { Writer } from '@w3bstream/protocol'
import type { MaybePromise, ProjectTransaction } from '../database/database.ts'

/** Key-value writes of one applet's name space. */
type Space = Map<string, Uint8Array>

/**
 * The key-value writes of a batch, in two layers: those of handlers that succeeded, and those of the handler that runs now,
 * which are dropped when it fails. Reads go through both, then to the store; what was read is remembered.
 */
export class WriteSet {
  readonly #written = new Map<string, Space>()
  readonly #read = new Map<string, Map<string, Uint8Array | undefined>>()
  #current: { namespace: string; key: string; value: Uint8Array }[] = []
  #currentIndex = new Map<string, Uint8Array>()

  get(transaction: ProjectTransaction, namespace: string, key: string): MaybePromise<Uint8Array | undefined> {
    const own = this.#currentIndex.get(`${namespace}\0${key}`)
    if (own) return own
    const written = this.#written.get(namespace)?.get(key)
    if (written) return written
    const known = this.#read.get(namespace)
    if (known?.has(key)) return known.get(key)
    const found = transaction.kvGet(namespace, key)
    return found instanceof Promise
      ? found.then((value) => this.#remember(namespace, key, value))
      : this.#remember(namespace, key, found)
  }

  put(namespace: string, key: string, value: Uint8Array): void {
    this.#current.push({ namespace, key, value })
    this.#currentIndex.set(`${namespace}\0${key}`, value)
  }

  /** The running handler succeeded: its writes count, and enter the digest in their order. */
  keep(digest: Writer): void {
    if (this.#current.length === 0) return
    for (const { namespace, key, value } of this.#current) {
      digest.u8(digestTags.kv).text(namespace).text(key).bytes(value)
      mapOf(this.#written, namespace).set(key, value)
    }
    this.#clear()
  }

  /** The running handler failed: nothing of it stays. */
  drop(): void {
    if (this.#current.length > 0) this.#clear()
  }

  /** The last value of every key that was written. */
  entries(): { namespace: string; key: string; value: Uint8Array }[] {
    return [...this.#written].flatMap(([namespace, space]) =>
      [...space].map(([key, value]) => ({ namespace, key, value })),
    )
  }

  #clear(): void {
    this.#current = []
    this.#currentIndex = new Map()
  }

  #remember(namespace: string, key: string, value: Uint8Array | undefined): Uint8Array | undefined {
    mapOf(this.#read, namespace).set(key, value)
    return value
  }
}

/** The inner map of a name space, made when there is none. */
function mapOf<V>(maps: Map<string, Map<string, V>>, namespace: string): Map<string, V> {
  const known = maps.get(namespace)
  if (known) return known
  const made = new Map<string, V>()
  maps.set(namespace, made)
  return made
}

/** First byte of each entry of the state digest. */
export const digestTags = { kv: 1, sql: 2, definition: 3 } as const
