const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of a duration in Go's text form, such as `24h`, `1h30m0s`, `500ms`; days (`7d`) are understood too.
 * Undefined for any other text, and for durations that are no whole number of milliseconds.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h|d))+$/.test(text)) return undefined
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) ms += Number(amount) * unitMs[unit!]!
  return Number.isSafeInteger(ms) ? ms : undefined
}
