const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** The start of the day, hour or minute, in UTC, whichever fits into the duration; periods are counted from it. */
export function alignedStart(timeMs: number, durationMs: number): number {
  const unit = durationMs >= dayMs ? dayMs : durationMs >= hourMs ? hourMs : minuteMs
  return Math.floor(timeMs / unit) * unit
}

/** Where the period began in which a time lies. */
export function windowStart(startMs: number, durationMs: number, timeMs: number): number {
  return startMs + Math.floor((timeMs - startMs) / durationMs) * durationMs
}
