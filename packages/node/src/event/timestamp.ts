/** A sender's clock further from ours than this is not believed, milliseconds. Value of the earlier generation. */
const toleranceMs = 1_000_000
/** Below this a timestamp counts seconds: as milliseconds it would lie before March 1973. */
const secondsBelow = 100_000_000_000

/**
 * The time of an event, in milliseconds. Seconds, which several published clients send, are recognised; a time that is
 * missing or far from ours is replaced by ours.
 */
export function normalizeTimestamp(given: number | undefined, nowMs: number): number {
  if (given === undefined || !Number.isFinite(given) || given < 0) return nowMs
  const milliseconds = Math.floor(given < secondsBelow ? given * 1000 : given)
  return Math.abs(milliseconds - nowMs) > toleranceMs ? nowMs : milliseconds
}
