/** How long to rest after so many failures in a row: twice as long each time, between half and all of that at random. */
export function backoffMs(failures: number, limits: { readonly minMs: number; readonly maxMs: number }): number {
  const whole = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(failures - 1, 30))
  return whole / 2 + (Math.random() * whole) / 2
}
