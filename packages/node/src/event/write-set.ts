import type { Writer } from '@w3bstream/protocol'
import type { KvItem, KvRange, KvWrite, MaybePromise, ProjectTransaction } from '../database/database.ts'
import { compareText } from '../database/key-order.ts'

/** Keyed writes of one name space; null is a removal. */
type Space = Map<string, Uint8Array | null>

/** Bytes of what was read that are remembered, and what each costs beside its own. */
const maxRememberedBytes = 32 * 1024 * 1024
const rememberedOverhead = 128

/**
 * The key-value writes of a batch, in two layers: those of handlers that succeeded, and those of the handler that runs now,
 * which are dropped when it fails. Reads go through both, then to the store; what was read is remembered.
 */
export class WriteSet {
  readonly #written = new Map<string, Space>()
  readonly #read = new Map<string, Map<string, Uint8Array | undefined>>()
  #readBytes = 0
  #current: KvWrite[] = []
  #currentSpaces = new Map<string, Space>()

  get(transaction: ProjectTransaction, namespace: string, key: string): MaybePromise<Uint8Array | undefined> {
    const own = this.#currentSpaces.get(namespace)?.get(key)
    if (own !== undefined) return own ?? undefined
    const written = this.#written.get(namespace)?.get(key)
    if (written !== undefined) return written ?? undefined
    const known = this.#read.get(namespace)
    if (known?.has(key)) return known.get(key)
    const found = transaction.kvGet(namespace, key)
    return found instanceof Promise
      ? found.then((value) => this.#remember(namespace, key, value))
      : this.#remember(namespace, key, found)
  }

  /** Entries in the order of their keys, as the store would list them if everything were in it. */
  list(transaction: ProjectTransaction, namespace: string, range: KvRange): MaybePromise<readonly KvItem[]> {
    const pending: Space = new Map([
      ...(this.#written.get(namespace) ?? []),
      ...(this.#currentSpaces.get(namespace) ?? []),
    ])
    // Each pending removal may hide one entry of the store.
    const stored = transaction.kvList(namespace, { ...range, limit: range.limit + pending.size })
    return stored instanceof Promise
      ? stored.then((items) => overlay(items, pending, range))
      : overlay(stored, pending, range)
  }

  /** @param value null removes the key */
  put(namespace: string, key: string, value: Uint8Array | null): void {
    this.#current.push({ namespace, key, value })
    mapOf(this.#currentSpaces, namespace).set(key, value)
  }

  /** The running handler succeeded: its writes count, and enter the digest in their order. */
  keep(digest: Writer): void {
    if (this.#current.length === 0) return
    for (const { namespace, key, value } of this.#current) {
      if (value === null) digest.u8(digestTags.kvRemoval).text(namespace).text(key)
      else digest.u8(digestTags.kv).text(namespace).text(key).bytes(value)
      mapOf(this.#written, namespace).set(key, value)
    }
    this.#clear()
  }

  /** The running handler failed: nothing of it stays. */
  drop(): void {
    if (this.#current.length > 0) this.#clear()
  }

  /** The last value of every key that was written. */
  entries(): KvWrite[] {
    return [...this.#written].flatMap(([namespace, space]) =>
      [...space].map(([key, value]) => ({ namespace, key, value })),
    )
  }

  #clear(): void {
    this.#current = []
    this.#currentSpaces = new Map()
  }

  #remember(namespace: string, key: string, value: Uint8Array | undefined): Uint8Array | undefined {
    const bytes = key.length + (value?.length ?? 0) + rememberedOverhead
    // Beyond the bound the store is asked again: a guest that asks for ever new keys must not fill the memory.
    if (this.#readBytes + bytes > maxRememberedBytes) return value
    this.#readBytes += bytes
    mapOf(this.#read, namespace).set(key, value)
    return value
  }
}

function overlay(stored: readonly KvItem[], pending: Space, { prefix = '', after, limit }: KvRange): KvItem[] {
  const items = new Map<string, Uint8Array | null>(stored.map(({ key, value }) => [key, value]))
  for (const [key, value] of pending)
    if (key.startsWith(prefix) && (after === undefined || compareText(key, after) > 0)) items.set(key, value)
  return [...items]
    .filter((entry): entry is [string, Uint8Array] => entry[1] !== null)
    .sort(([a], [b]) => compareText(a, b))
    .slice(0, limit)
    .map(([key, value]) => ({ key, value }))
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
export const digestTags = { kv: 1, sql: 2, definition: 3, kvRemoval: 4 } as const
