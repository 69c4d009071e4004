import type { HandlerResult } from '@w3bstream/protocol'
import { HostFault } from '../../engine/engine.ts'
import { emit, type SinkHost } from './emit.ts'
import type { FlowResult } from './fields.ts'
import { flowLimits } from './limits.ts'
import { type FlowMeta, namespaceOf, nextGeneration, readMeta, removeStale } from './meta.ts'
import { type Element, OperatorFailed, type OperatorHost, Operators } from './operators.ts'
import { dueMs, forgetWindow, makeDue, placeElement, type Target } from './placement.ts'
import type { FlowPlan } from './plan.ts'
import { type Bucket, FlowState, type FlowStore, type KeptElement, keptBytes, type Place } from './state.ts'

/** What a flow needs for one message. */
export interface FlowHost extends OperatorHost {
  readonly store: FlowStore
  readonly sinks: SinkHost
  /**
   * Opens a unit, whose writes and effects are kept or dropped together.
   * @param ordinal number of its first run
   * @param of whether its operators run for the message, or for a window that it made close
   */
  begin(ordinal: number, of: 'message' | 'window'): void
  end(keep: boolean): Promise<void>
  /** The batch's clock. */
  readonly clockMs: number
}

/** What became of one message. */
export interface FlowReport {
  readonly results: readonly HandlerResult[]
  readonly failed: boolean
  readonly late: number
  readonly dropped: number
  /** When the flow wants a timer message; undefined when it waits for nothing. */
  readonly wakeMs: number | undefined
}

/** A window that was closed, with what it kept. */
interface Closed {
  readonly partition: string
  readonly bucket: Bucket
  readonly elements: readonly KeptElement[]
}

/** What closing windows has taken of what one message may. */
interface Closings {
  readonly fuelBefore: number
  windows: number
  elements: number
  /** The batch has no room to take one out. */
  full: boolean
}

/** Windows that are read at a time to be closed. */
const closingPage = 100

/**
 * One message on its way through a flow. Windows that are due are closed first, so that what becomes of the message does not
 * depend on whether a timer came before it. The way of an event, and the end of each window, are units: when an operator
 * fails, only its unit is undone. A window that fails at its end is gone, or it would fail for ever.
 */
export class FlowRun {
  readonly #plan: FlowPlan | undefined
  readonly #host: FlowHost
  readonly #operators: Operators
  #late = 0
  #dropped = 0
  #wakeMs: number | undefined

  /** @param plan undefined when the project has no flow any more */
  constructor(plan: FlowPlan | undefined, host: FlowHost) {
    this.#plan = plan
    this.#host = host
    this.#operators = new Operators(host)
  }

  /** An event that the flow takes, or without one a timer. */
  async run(event?: { payload: Uint8Array; timestampMs: number }): Promise<FlowReport> {
    const meta = await this.#unit(() => this.#prepare())
    if (meta) await this.#goOn(meta, event)
    // The batch has no room to begin; the next has.
    else this.#wakeMs = this.#host.clockMs
    const { results, failed } = this.#operators
    return { results, failed, late: this.#late, dropped: this.#dropped, wakeMs: this.#wakeMs }
  }

  async #goOn(meta: FlowMeta, event?: { payload: Uint8Array; timestampMs: number }): Promise<void> {
    const namespace = namespaceOf(meta.generation)
    if (this.#plan?.window) await this.#closeDue(namespace)
    if (this.#plan && event) await this.#arrive(namespace, event)
    await this.#findWake(meta, namespace)
  }

  /** Keeps the windows of this flow apart from those of the one before, and clears away. */
  async #prepare(): Promise<FlowMeta> {
    const { store } = this.#host
    const shape = this.#plan?.window ? this.#plan.shape : ''
    let meta = await readMeta(store)
    if (meta.shape !== shape) {
      const { totals } = await FlowState.open(store, namespaceOf(meta.generation))
      if (meta.shape !== '' && totals.windows > 0)
        this.#operators.note(`the flow was changed: ${totals.windows} open windows are dropped`, 'warning')
      meta = nextGeneration(store, meta, shape)
    }
    return removeStale(store, meta)
  }

  /** Runs what is kept or undone as a whole. @returns undefined when an operator failed */
  async #unit<T>(work: () => Promise<T>, of: 'message' | 'window' = 'window'): Promise<T | undefined> {
    const before = { late: this.#late, dropped: this.#dropped }
    this.#operators.beginUnit()
    this.#host.begin(this.#operators.ordinal, of)
    try {
      const value = await work()
      await this.#host.end(true)
      return value
    } catch (error) {
      await this.#host.end(false)
      this.#late = before.late
      this.#dropped = before.dropped
      if (error instanceof OperatorFailed) return undefined
      if (!(error instanceof HostFault) || error.limit === undefined) throw error
      this.#operators.refused(error.limit, error.message)
      return undefined
    }
  }

  async #arrive(namespace: string, event: { payload: Uint8Array; timestampMs: number }): Promise<void> {
    const complete = await this.#unit(() => this.#accept(namespace, event), 'message')
    if (!complete?.length) return
    await this.#closeSome(namespace, complete, this.#closings())
    await this.#unit(() => this.#findDue(namespace))
  }

  /** The way of an event to the sink, or into its windows. @returns windows that are complete with it, and due */
  async #accept(namespace: string, event: { payload: Uint8Array; timestampMs: number }): Promise<Place[]> {
    const plan = this.#plan!
    const elements = await this.#operators.through(plan.arrival, { payload: event.payload, group: '' })
    if (!plan.window) {
      for (const element of elements) await this.#emit({ payload: element.payload, group: element.group })
      return []
    }
    const state = await FlowState.open(this.#host.store, namespace)
    const complete: Place[] = []
    for (const element of elements) complete.push(...(await this.#into(state, element, event.timestampMs)))
    state.save()
    return complete
  }

  async #into(state: FlowState, element: Element, timeMs: number): Promise<readonly Place[]> {
    const { window, keyed, incremental } = this.#plan!
    const aligned = window!.kind === 'tumbling' || window!.kind === 'sliding'
    const partition = aligned || keyed ? element.group : ''
    const size = incremental ? undefined : keptBytes(element.payload)
    if (!incremental && element.payload.length > flowLimits.elementBytes) {
      this.#refuse(state, 'dropped', `an element of ${element.payload.length} bytes`)
      return []
    }
    const { clockMs } = this.#host
    const placement = await placeElement(state, window!, { partition, timeMs, clockMs, keptBytes: size })
    if ('refused' in placement) {
      this.#refuse(state, placement.refused === 'late' ? 'late' : 'dropped', placement.reason)
      return []
    }
    for (const target of placement.targets) {
      if (incremental) await this.#accumulate(state, target, element)
      else this.#keep(state, target, element)
      state.noteDue(dueMs(window!, target.place))
    }
    const due: Place[] = []
    for (const place of placement.complete) due.push(await makeDue(state, place, clockMs))
    return due
  }

  #refuse({ totals }: FlowState, as: 'late' | 'dropped', reason: string): void {
    totals[as]++
    if (as === 'late') this.#late++
    else this.#dropped++
    this.#operators.note(`an element is dropped: ${reason}`, 'warning')
  }

  async #accumulate(state: FlowState, { place, bucket, span }: Target, element: Element): Promise<void> {
    const before = bucket?.accumulator
    const made = await this.#operators.reduce(this.#plan!.reduce!, before ?? null, element.payload)
    const { stateBytes } = flowLimits
    const fits = !made || state.totals.bytes + keptBytes(made) - (bucket?.bytes ?? 0) <= stateBytes
    if (!fits) this.#refuse(state, 'dropped', `the flow would keep more than ${stateBytes} bytes`)
    const accumulator = fits ? made : undefined
    // Count windows count what came, whatever became of it.
    if (!accumulator && this.#plan!.window!.kind !== 'count') return
    const kept = accumulator ?? before
    const bytes = kept ? keptBytes(kept) : 0
    const times = timesOf(bucket, span)
    const count = (bucket?.count ?? 0) + 1
    state.put(place, { ...times, count, bytes, lists: [], ...(kept && { accumulator: kept }) }, bucket)
  }

  #keep(state: FlowState, { place, bucket, span }: Target, { payload, group }: Element): void {
    const lists = [...(bucket?.lists ?? [])]
    const list = lists.pop() ?? { id: state.totals.nextList++, length: 0 }
    state.putElement(list.id, list.length, { payload, group, sequence: state.totals.nextElement++ })
    const { count = 0, bytes = 0 } = bucket ?? {}
    const grown = { count: count + 1, bytes: bytes + keptBytes(payload) }
    state.put(
      place,
      { ...timesOf(bucket, span), ...grown, lists: [...lists, { id: list.id, length: list.length + 1 }] },
      bucket,
    )
  }

  async #closeDue(namespace: string): Promise<void> {
    const { store, clockMs } = this.#host
    const state = await FlowState.open(store, namespace)
    if (state.totals.dueMs === 0 || state.totals.dueMs > clockMs) return
    const closings = this.#closings()
    while (!this.#spent(closings)) {
      const open = await state.first(closingPage)
      const due = open.filter(({ place }) => dueMs(this.#plan!.window!, place) <= clockMs)
      if (due.length === 0) break
      const places = due.map(({ place }) => place)
      await this.#closeSome(namespace, places, closings)
    }
    await this.#unit(() => this.#findDue(namespace))
  }

  /** What windows may take that are closed from now on. */
  #closings(): Closings {
    return { fuelBefore: this.#operators.fuelUsed, windows: 0, elements: 0, full: false }
  }

  #spent({ fuelBefore, windows, elements, full }: Closings): boolean {
    const fuel = this.#operators.fuelUsed - fuelBefore
    return full || windows >= flowLimits.closings || elements >= flowLimits.closingElements || fuel > this.#host.fuel
  }

  /** What is due next, now that windows were closed. */
  async #findDue(namespace: string): Promise<void> {
    const state = await FlowState.open(this.#host.store, namespace)
    const [next] = await state.first(1)
    state.totals.dueMs = next ? dueMs(this.#plan!.window!, next.place) : 0
    state.save()
  }

  /** Takes windows out for good, and gives what they amount to to the sink. What is too much for one message stays due. */
  async #closeSome(namespace: string, places: readonly Place[], closings: Closings): Promise<void> {
    for (const place of places) {
      if (this.#spent(closings)) return
      const closed = await this.#unit(() => this.#take(namespace, place))
      if (closed) await this.#unit(() => this.#conclude(closed))
      else closings.full = true
      closings.windows++
      closings.elements += closed?.elements.length ?? 0
    }
  }

  async #take(namespace: string, place: Place): Promise<Closed> {
    const state = await FlowState.open(this.#host.store, namespace)
    const bucket = (await state.bucket(place))!
    const elements = await state.takeElements(bucket)
    state.remove(place, bucket)
    await forgetWindow(state, this.#plan!.window!, place)
    if (state.totals.windows === 0) state.totals.dueMs = 0
    state.save()
    return { partition: place.partition, bucket, elements }
  }

  async #conclude({ partition, bucket, elements }: Closed): Promise<void> {
    const { startMs, endMs, count } = bucket
    const window = { startMs, endMs, count }
    if (bucket.accumulator) return this.#results(bucket.accumulator, { group: partition, window })
    for (const [group, members] of byGroup(elements))
      await this.#concludeGroup(members, { group, window: { startMs, endMs, count: members.length } })
  }

  async #concludeGroup(members: readonly KeptElement[], of: Pick<FlowResult, 'group' | 'window'>): Promise<void> {
    const { reduce } = this.#plan!
    if (reduce === undefined) {
      for (const { payload } of members) await this.#emit({ ...of, payload })
      return
    }
    let accumulator: Uint8Array | null = null
    for (const { payload } of members)
      accumulator = (await this.#operators.reduce(reduce, accumulator, payload)) ?? accumulator
    if (accumulator) await this.#results(accumulator, of)
  }

  async #results(payload: Uint8Array, of: Pick<FlowResult, 'group' | 'window'>): Promise<void> {
    const { closing } = this.#plan!
    const elements = await this.#operators.through(closing, { payload, group: of.group })
    for (const element of elements) await this.#emit({ ...of, payload: element.payload })
  }

  async #emit(result: FlowResult): Promise<void> {
    const refusal = await emit(this.#plan!.sink, result, this.#host.sinks)
    if (refusal === undefined) return
    this.#dropped++
    this.#operators.note(`the sink refuses a result: ${refusal}`)
  }

  async #findWake(meta: FlowMeta, namespace: string): Promise<void> {
    if (meta.stale.length > 0) this.#wakeMs = this.#host.clockMs
    else if (this.#plan?.window) {
      const { totals } = await FlowState.open(this.#host.store, namespace)
      this.#wakeMs = totals.dueMs === 0 ? undefined : totals.dueMs
    }
  }
}

/** Of a count window, the times of its first and last element by their own clocks; of others, its beginning and end. */
function timesOf(bucket: Bucket | undefined, span: { start: number; end: number }): { startMs: number; endMs: number } {
  const { startMs, endMs } = bucket ?? { startMs: span.start, endMs: span.end }
  return { startMs: Math.min(startMs, span.start), endMs: Math.max(endMs, span.end) }
}

/** Groups in the order of their keys' bytes, elements in that of the history. */
function byGroup(elements: readonly KeptElement[]): [string, KeptElement[]][] {
  const groups = Map.groupBy(elements, ({ group }) => group)
  return [...groups].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}
