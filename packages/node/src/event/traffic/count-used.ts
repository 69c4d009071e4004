import { setImmediate } from 'node:timers/promises'
import type { ProjectReader } from '../../database/database.ts'
import type { Budget } from './budget.ts'

/** Batches that are counted in one go: a few milliseconds at most, since this thread has other things to do. */
const batchesPerLook = 32

/**
 * Counts what the history has of the running period into a budget. An event counts when its batch was made, so one that was
 * received just before the period began may count into it: never too few are counted.
 */
export async function countUsed(reader: ProjectReader, budget: Budget, now: () => number): Promise<void> {
  const { height: tip } = await reader.tip()
  let from = await reader.heightSince(budget.countsFrom(now()))
  while (from <= tip) {
    const batches = Math.min(batchesPerLook, Number(tip - from) + 1)
    for (const [publisherId, count] of await reader.countEvents(from, batches)) {
      const tally = budget.tally(publisherId, now())
      if (tally) tally.count += count
    }
    from += BigInt(batches)
    await setImmediate()
  }
}
