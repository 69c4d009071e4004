import { flowLimits } from './limits.ts'
import type { Bucket, FlowState, Place } from './state.ts'
import { overlap, type Span, spansAt, union, type Window } from './windows.ts'

/** A window that an element goes into. */
export interface Target {
  readonly place: Place
  /** Absent when the element opens it. */
  readonly bucket: Bucket | undefined
  /** Times of a window that is opened. */
  readonly span: Span
}

/** Where an element goes: into all windows that it falls into, or into none. */
export type Placement =
  | {
      readonly targets: readonly Target[]
      /** Count windows that are complete with this element. */
      readonly complete: readonly Place[]
    }
  /** Its windows were closed before it came, or they have no room. */
  | { readonly refused: 'late' | 'full'; readonly reason: string }

interface Arriving {
  readonly partition: string
  readonly timeMs: number
  /** The batch's clock. */
  readonly clockMs: number
  /** What keeping it takes in each window, bytes; undefined where elements are not kept. */
  readonly keptBytes: number | undefined
}

/** The sessions of a group that are open. */
interface SessionRow {
  readonly sessions: readonly Span[]
}

/** The count windows of a group that are open. */
interface CountRow {
  readonly next: number
  readonly orderMs: number
  readonly starts: readonly number[]
}

/** Finds the windows of an element; sessions grow and become one where it joins them. */
export function placeElement(state: FlowState, window: Window, element: Arriving): Promise<Placement> {
  if (window.kind === 'session') return placeInSession(state, window, element)
  if (window.kind === 'count') return placeByCount(state, window, element)
  return placeByTime(state, window, element)
}

/** When a window that is kept there is closed. */
export function dueMs(window: Window, { orderMs }: Place): number {
  return orderMs + (window.kind === 'count' ? 0 : window.latenessMs)
}

/** Takes a window that is closed out of what is known of its group. The group goes with its last window. */
export async function forgetWindow(state: FlowState, window: Window, place: Place): Promise<void> {
  const { partition, start } = place
  if (window.kind === 'session') {
    const { sessions } = (await state.partition<SessionRow>(partition))!
    const left = sessions.filter((span) => span.start !== start)
    state.putPartition(partition, left.length > 0 ? { sessions: left } : null)
  } else if (window.kind === 'count') {
    const row = (await state.partition<CountRow>(partition))!
    const starts = row.starts.filter((one) => one !== start)
    state.putPartition(partition, starts.length > 0 ? { ...row, starts } : null)
  }
}

async function placeByTime(
  state: FlowState,
  window: Extract<Window, { kind: 'tumbling' | 'sliding' }>,
  { partition, timeMs, clockMs, keptBytes }: Arriving,
): Promise<Placement> {
  const open = spansAt(timeMs, window).filter(({ end }) => end + window.latenessMs > clockMs)
  if (open.length === 0) return tooLate
  const targets: Target[] = []
  for (const span of open) {
    const place = { orderMs: span.end, partition, start: span.start }
    targets.push({ place, bucket: await state.bucket(place), span })
  }
  return roomFor(state, targets, keptBytes) ?? { targets, complete: [] }
}

const tooLate: Placement = { refused: 'late', reason: 'its windows are closed' }

/** Why windows cannot take an element, if they cannot. */
function roomFor(
  { totals }: FlowState,
  targets: readonly Pick<Target, 'bucket'>[],
  keptBytes: number | undefined,
): Placement | undefined {
  const full = (reason: string): Placement => ({ refused: 'full', reason })
  const { openWindows, elementsPerWindow, stateBytes } = flowLimits
  const opened = targets.filter(({ bucket }) => !bucket).length
  if (totals.windows + opened > openWindows) return full(`more than ${openWindows} open windows`)
  if (keptBytes === undefined) return undefined
  if (targets.some(({ bucket }) => bucket && bucket.count >= elementsPerWindow))
    return full(`more than ${elementsPerWindow} elements in a window`)
  if (totals.bytes + keptBytes * targets.length > stateBytes)
    return full(`the flow would keep more than ${stateBytes} bytes`)
  return undefined
}

async function placeInSession(
  state: FlowState,
  { gapMs, latenessMs }: Extract<Window, { kind: 'session' }>,
  { partition, timeMs, clockMs, keptBytes }: Arriving,
): Promise<Placement> {
  const own = { start: timeMs, end: timeMs + gapMs }
  const sessions = (await state.partition<SessionRow>(partition))?.sessions ?? []
  const joined = sessions.filter((span) => overlap(span, own))
  const span = joined.reduce(union, own)
  if (span.end + latenessMs <= clockMs) return tooLate
  if (joined.length === 0 && sessions.length >= flowLimits.sessionsPerGroup)
    return { refused: 'full', reason: `more than ${flowLimits.sessionsPerGroup} open sessions of a group` }
  const before = await joinedBucket(state, joined, partition)
  const refused = roomFor(state, [{ bucket: before }], keptBytes)
  if (refused) return refused
  const place = placeOf(span, partition)
  const bucket = before && { ...before, startMs: span.start, endMs: span.end }
  await takeSessions(state, joined, partition)
  if (bucket) state.put(place, bucket, undefined)
  const others = sessions.filter((one) => !joined.includes(one))
  state.putPartition(partition, { sessions: [...others, span].sort((a, b) => a.start - b.start) })
  return { targets: [{ place, bucket, span }], complete: [] }
}

/** What sessions are as one. */
async function joinedBucket(state: FlowState, spans: readonly Span[], partition: string): Promise<Bucket | undefined> {
  let all: Bucket | undefined
  for (const span of spans) {
    const bucket = (await state.bucket(placeOf(span, partition)))!
    all = all ? join(all, bucket) : bucket
  }
  return all
}

async function takeSessions(state: FlowState, spans: readonly Span[], partition: string): Promise<void> {
  for (const span of spans) {
    const place = placeOf(span, partition)
    state.remove(place, (await state.bucket(place))!)
  }
}

function join(a: Bucket, b: Bucket): Bucket {
  return { ...a, count: a.count + b.count, bytes: a.bytes + b.bytes, lists: [...a.lists, ...b.lists] }
}

function placeOf({ start, end }: Span, partition: string): Place {
  return { orderMs: end, partition, start }
}

async function placeByCount(
  state: FlowState,
  window: Extract<Window, { kind: 'count' }>,
  { partition, timeMs, clockMs, keptBytes }: Arriving,
): Promise<Placement> {
  const row = (await state.partition<CountRow>(partition)) ?? { next: 0, orderMs: 0, starts: [] }
  const number = row.next
  const spans = spansAt(number, window)
  const orderMs = idleAt(clockMs, window.idleMs)
  if (orderMs !== row.orderMs) await moveWindows(state, partition, row, orderMs)
  const targets: Target[] = []
  for (const { start } of spans) {
    const place = { orderMs, partition, start }
    targets.push({ place, bucket: await state.bucket(place), span: { start: timeMs, end: timeMs } })
  }
  const refused = roomFor(state, targets, keptBytes)
  if (refused) return refused
  const starts = [...new Set([...row.starts, ...spans.map(({ start }) => start)])]
  state.putPartition(partition, { next: number + 1, orderMs, starts })
  const complete = targets.map(({ place }) => place).filter((_, i) => spans[i]!.end === number + 1)
  return { targets, complete }
}

/** When count windows that got an element now are given up, in steps, so that they need not be moved with each element. */
function idleAt(clockMs: number, idleMs: number): number {
  const step = Math.max(1, Math.floor(idleMs / 4))
  return Math.ceil((clockMs + idleMs) / step) * step
}

/** A count window that is complete is due at once, and is closed with this message or with the next. */
export async function makeDue(state: FlowState, place: Place, clockMs: number): Promise<Place> {
  const due = { ...place, orderMs: clockMs }
  const bucket = (await state.bucket(place))!
  state.remove(place, bucket)
  state.put(due, bucket, undefined)
  state.noteDue(clockMs)
  return due
}

async function moveWindows(state: FlowState, partition: string, row: CountRow, orderMs: number): Promise<void> {
  for (const start of row.starts) {
    const from = { orderMs: row.orderMs, partition, start }
    const bucket = await state.bucket(from)
    if (!bucket) continue
    state.remove(from, bucket)
    state.put({ ...from, orderMs }, bucket, undefined)
  }
}
