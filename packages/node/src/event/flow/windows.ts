/** A window with its times complete. `size` and `every` of count windows are elements, of others milliseconds. */
export type Window =
  | {
      readonly kind: 'tumbling' | 'sliding'
      readonly size: number
      readonly every: number
      readonly latenessMs: number
    }
  | { readonly kind: 'session'; readonly gapMs: number; readonly latenessMs: number }
  | { readonly kind: 'count'; readonly size: number; readonly every: number; readonly idleMs: number }

/** From `start` to before `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The windows that a place lies in, those that begin first coming first. Windows begin at the multiples of `every`; the
 * place is a time, or the number of an element.
 */
export function spansAt(place: number, { size, every }: { size: number; every: number }): Span[] {
  const spans: Span[] = []
  const last = Math.floor(place / every) * every
  for (let start = last; start >= 0 && start + size > place; start -= every) spans.unshift({ start, end: start + size })
  return spans
}

/** Whether sessions are one: less than a gap lies between an element of the one and one of the other. */
export function overlap(a: Span, b: Span): boolean {
  return a.start < b.end && b.start < a.end
}

/** The session of two that are one. */
export function union(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) }
}
