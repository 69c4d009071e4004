import type { CronJob } from '../../../project/definition.ts'
import { cronSchedule } from '../../../util/cron-schedule.ts'

/** The most firings that are made up for, or that a job may be behind. */
export const maxBehind = 1000

/** What is to be done about a job at a time. */
export interface CronPlan {
  /** Scheduled times that are due, oldest first. */
  readonly firings: readonly number[]
  /** When the job is due next; undefined when never again. */
  readonly nextMs: number | undefined
}

/**
 * What is due of a job. Times before `servedSinceMs`, at which the node did not run or the project was paused, were missed
 * and are treated as the job says; later ones were only delayed, by a full mailbox perhaps, and all count. Pure: it depends
 * on its arguments only, so that it comes to the same after every restart.
 * @param lastMs scheduled time of the last firing; undefined before the first
 */
export function planCron(
  job: CronJob,
  { lastMs, servedSinceMs, nowMs }: { lastMs: number | undefined; servedSinceMs: number; nowMs: number },
): CronPlan {
  const schedule = cronSchedule(job.expression, job.sinceMs)
  const afterMs = Math.max(lastMs ?? job.sinceMs, job.sinceMs)
  const firstMs = schedule.next(afterMs)
  if (firstMs === undefined || firstMs > nowMs) return { firings: [], nextMs: firstMs }
  const secondMs = schedule.next(firstMs)
  // What is usual: one turn has come, in time.
  if (firstMs >= servedSinceMs && (secondMs === undefined || secondMs > nowMs))
    return { firings: [firstMs], nextMs: secondMs }
  const cutMs = Math.min(servedSinceMs, nowMs + 1)
  const missed = firstMs < cutMs ? schedule.last(missedCount(job), afterMs, cutMs) : []
  const delayed = schedule.last(maxBehind, Math.max(afterMs, cutMs - 1), nowMs + 1)
  return { firings: [...missed, ...delayed].slice(-maxBehind), nextMs: schedule.next(nowMs) }
}

function missedCount({ missed }: CronJob): number {
  if (missed === 'skip') return 0
  return missed === 'once' ? 1 : maxBehind
}
