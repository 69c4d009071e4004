/**
 * What the owners must have in the end, worked out from the data file alone: nothing of the applet, the node or the fleet is
 * used, so that a mistake in one of them shows.
 */

/** 20 mm, in tenths. */
const heavyRain = 200n
const unitsPerTenth = 10n ** 17n

/** What one station has earned. */
export interface Reward {
  /** Of the token's smallest unit: one token for each millimetre of a day of heavy rain. */
  readonly amount: bigint
  /** The days that were paid. */
  readonly days: readonly string[]
}

/**
 * @param days of each year that count, from the first of January
 * @returns by the key of the station's device
 */
export function expectedRewards(csv: string, days: number): Map<string, Reward> {
  const rewards = new Map<string, Reward>()
  for (const [, place, date, year, whole, tenth] of csv.matchAll(/^([^,]+),((\d{4})-\d\d-\d\d),(\d+)\.(\d),/gm)) {
    if (!place || !date || dayOfYear(date) > days) continue
    const key = `${place.toLowerCase().split(' ').join('-')}-${year}`
    const before = rewards.get(key) ?? { amount: 0n, days: [] }
    const tenths = BigInt(`${whole}${tenth}`)
    const paid = tenths >= heavyRain
    rewards.set(key, paid ? { amount: before.amount + tenths * unitsPerTenth, days: [...before.days, date] } : before)
  }
  return rewards
}

function dayOfYear(date: string): number {
  return (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / 86_400_000 + 1
}
