import { Reader, Writer } from '@w3bstream/protocol'
import type { KvItem, KvRange, MaybePromise } from '../../database/database.ts'
import { keptOverhead } from './limits.ts'

/** Durable keyed state, whose writes are part of the batch. */
export interface FlowStore {
  get(namespace: string, key: string): MaybePromise<Uint8Array | undefined>
  list(namespace: string, range: KvRange): MaybePromise<readonly KvItem[]>
  /** @param value null removes the key */
  put(namespace: string, key: string, value: Uint8Array | null): void
}

/** What a flow keeps altogether, and what became of elements. */
export interface Totals {
  /** Open windows, each group counted. */
  windows: number
  bytes: number
  /** Elements that came when their windows were closed. */
  late: number
  /** Elements that found no room. */
  dropped: number
  /** Not later than the time at which the next window is due, milliseconds; 0 when none is open. */
  dueMs: number
  /** Number for the next list of elements. */
  nextList: number
  /** Number for the next element, of all lists. */
  nextElement: number
}

/** Where a window is kept: by the time that decides when it is closed, then by its group. */
export interface Place {
  readonly orderMs: number
  /** Key of the group, where each has windows of its own. */
  readonly partition: string
  /** Beginning: a time, or the number of an element. */
  readonly start: number
}

/** An open window. */
export interface Bucket {
  readonly startMs: number
  readonly endMs: number
  readonly count: number
  /** What it counts in {@link Totals.bytes}. */
  readonly bytes: number
  /** Lists of its elements; several after sessions have become one. */
  readonly lists: readonly { readonly id: number; readonly length: number }[]
  /** What REDUCE has accumulated. */
  readonly accumulator?: Uint8Array
}

export interface KeptElement {
  readonly group: string
  readonly payload: Uint8Array
  /** Its number among all, for lists that have become one. */
  readonly sequence: number
}

const totalsKey = 'totals'
/** How the keys of open windows begin. */
export const windowPrefix = 'b/'
const textLimit = 4096
const bytesLimit = 16 * 1024 * 1024

/** The rows of one generation of a flow. Reads what is written through it; {@link save} writes the totals. */
export class FlowState {
  readonly totals: Totals
  readonly #store: FlowStore
  readonly #namespace: string

  private constructor(store: FlowStore, namespace: string, totals: Totals) {
    this.#store = store
    this.#namespace = namespace
    this.totals = totals
  }

  static async open(store: FlowStore, namespace: string): Promise<FlowState> {
    return new FlowState(store, namespace, readTotals(await store.get(namespace, totalsKey)))
  }

  save(): void {
    const { windows, bytes, late, dropped, dueMs, nextList, nextElement } = this.totals
    const writer = new Writer(64).uint(windows).uint(bytes).uint(late).uint(dropped).uint(dueMs)
    writer.uint(nextList).uint(nextElement)
    this.#store.put(this.#namespace, totalsKey, writer.finish())
  }

  async bucket(place: Place): Promise<Bucket | undefined> {
    const found = await this.#store.get(this.#namespace, placeKey(place))
    return found && readBucket(found)
  }

  /** Writes a window, in the place of what it was before. */
  put(place: Place, bucket: Bucket, before: Bucket | undefined): void {
    this.#store.put(this.#namespace, placeKey(place), writeBucket(bucket))
    this.totals.windows += before ? 0 : 1
    this.totals.bytes += bucket.bytes - (before?.bytes ?? 0)
  }

  /** Takes a window out; its elements stay. */
  remove(place: Place, { bytes }: Bucket): void {
    this.#store.put(this.#namespace, placeKey(place), null)
    this.totals.windows--
    this.totals.bytes -= bytes
  }

  /** The windows that come first, by time, then group. */
  async first(limit: number): Promise<{ place: Place; bucket: Bucket }[]> {
    return (await this.#store.list(this.#namespace, { prefix: windowPrefix, limit })).map(keptWindow)
  }

  /** A window is due then: {@link Totals.dueMs} is not later. */
  noteDue(atMs: number): void {
    this.totals.dueMs = this.totals.dueMs === 0 ? atMs : Math.min(this.totals.dueMs, atMs)
  }

  putElement(list: number, index: number, { group, payload, sequence }: KeptElement): void {
    const writer = new Writer(payload.length + group.length + 24).uint(sequence).text(group).bytes(payload)
    this.#store.put(this.#namespace, elementKey(list, index), writer.finish())
  }

  /** Takes all elements of a window out, in the order of the history. */
  async takeElements({ lists }: Bucket): Promise<KeptElement[]> {
    const elements: KeptElement[] = []
    for (const { id, length } of lists)
      for (let index = 0; index < length; index++) {
        const key = elementKey(id, index)
        elements.push(readElement((await this.#store.get(this.#namespace, key))!))
        this.#store.put(this.#namespace, key, null)
      }
    return lists.length > 1 ? elements.sort((a, b) => a.sequence - b.sequence) : elements
  }

  /** What is known of the windows of one group, JSON. */
  async partition<T>(partition: string): Promise<T | undefined> {
    const found = await this.#store.get(this.#namespace, partitionKey(partition))
    return found && (JSON.parse(new TextDecoder().decode(found)) as T)
  }

  putPartition(partition: string, value: object | null): void {
    const bytes = value && new TextEncoder().encode(JSON.stringify(value))
    this.#store.put(this.#namespace, partitionKey(partition), bytes)
  }
}

/** An open window of its row. */
export function keptWindow({ key, value }: Pick<KvItem, 'key' | 'value'>): { place: Place; bucket: Bucket } {
  return { place: readPlace(key), bucket: readBucket(value) }
}

/** What one more kept thing counts. */
export function keptBytes(payload: Uint8Array): number {
  return payload.length + keptOverhead
}

export function readTotals(bytes: Uint8Array | undefined): Totals {
  if (!bytes) return { windows: 0, bytes: 0, late: 0, dropped: 0, dueMs: 0, nextList: 0, nextElement: 0 }
  const reader = new Reader(bytes)
  return {
    windows: reader.uint(),
    bytes: reader.uint(),
    late: reader.uint(),
    dropped: reader.uint(),
    dueMs: reader.uint(),
    nextList: reader.uint(),
    nextElement: reader.uint(),
  }
}

/** Numbers of 16 digits, and hexadecimal text, sort as what they stand for. */
function digits(value: number): string {
  return String(value).padStart(16, '0')
}

function placeKey({ orderMs, partition, start }: Place): string {
  return `${windowPrefix}${digits(orderMs)}/${Buffer.from(partition).toString('hex')}/${digits(start)}`
}

function readPlace(key: string): Place {
  const [, order = '', partition = '', start = ''] = key.split('/')
  return { orderMs: Number(order), partition: Buffer.from(partition, 'hex').toString(), start: Number(start) }
}

function partitionKey(partition: string): string {
  return `p/${Buffer.from(partition).toString('hex')}`
}

function elementKey(list: number, index: number): string {
  return `e/${digits(list)}/${digits(index)}`
}

function writeBucket({ startMs, endMs, count, bytes, lists, accumulator }: Bucket): Uint8Array {
  const writer = new Writer(48 + (accumulator?.length ?? 0)).uint(startMs).uint(endMs).uint(count).uint(bytes)
  writer.uint(lists.length)
  for (const { id, length } of lists) writer.uint(id).uint(length)
  return (accumulator ? writer.u8(1).bytes(accumulator) : writer.u8(0)).finish()
}

function readBucket(bytes: Uint8Array): Bucket {
  const reader = new Reader(bytes)
  const head = { startMs: reader.uint(), endMs: reader.uint(), count: reader.uint(), bytes: reader.uint() }
  const lists = Array.from({ length: reader.uint() }, () => ({ id: reader.uint(), length: reader.uint() }))
  return { ...head, lists, ...(reader.u8() === 1 ? { accumulator: reader.bytes('accumulator', bytesLimit) } : {}) }
}

function readElement(bytes: Uint8Array): KeptElement {
  const reader = new Reader(bytes)
  const sequence = reader.uint()
  return { sequence, group: reader.text('group', textLimit), payload: reader.bytes('payload', bytesLimit) }
}
