import { cronProblem } from '../../util/cron-schedule.ts'
import { parseDuration } from '../../util/go-duration.ts'
import type { ShapeProblem } from './check-shape.ts'
import type { ProjectFile } from './schema.ts'

/** Shortest and longest period of a traffic limit, milliseconds. */
const [minMs, maxMs] = [1000, 366 * 86_400_000]

/** Mistakes in schedules and periods that no schema sees. */
export function clockProblems({ cron = [], traffic = {} }: Partial<ProjectFile>): ShapeProblem[] {
  const seen = new Map<string, number>()
  const problems: ShapeProblem[] = []
  cron.forEach(({ schedule, event = 'DEFAULT' }, i) => {
    const wrong = cronProblem(schedule, Date.now())
    if (wrong) problems.push({ path: ['cron', i, 'schedule'], message: wrong })
    const name = `${schedule.trim()} ${event}`
    const first = seen.get(name)
    if (first === undefined) seen.set(name, i)
    else problems.push({ path: ['cron', i], message: `the same is at cron[${first}] already` })
  })
  for (const [kind, { per }] of Object.entries(traffic)) {
    const ms = parseDuration(per) ?? 0
    if (ms < minMs || ms > maxMs)
      problems.push({ path: ['traffic', kind, 'per'], message: `"${per}" does not lie between 1s and 8784h` })
  }
  return problems
}
