import { cronProblem } from '../../util/cron-schedule.ts'
import type { CronJob } from '../definition.ts'
import {
  type Accepted,
  type Application,
  type Change,
  type ChangeHandlers,
  found,
  given,
  Refused,
} from './application.ts'

/** Jobs of one project; their last firings are kept together. */
const maxJobs = 100

export const cronChanges: ChangeHandlers<'cron.create' | 'cron.update' | 'cron.remove'> = {
  'cron.create': create,
  'cron.update': update,
  'cron.remove': (application, { cronJobId }) => {
    jobOf(application, cronJobId)
    application.editor.remove('cronJob', cronJobId)
    return { ok: true }
  },
}

function create(application: Application, { expression, eventType, missed }: Change<'cron.create'>): Accepted {
  if (application.editor.count('cronJob') >= maxJobs)
    throw new Refused('badRequest', `a project has at most ${maxJobs} cron jobs`)
  return put(application, {
    cronJobId: application.id('cronJob'),
    expression: expression.trim(),
    eventType: eventType || 'DEFAULT',
    missed: missed ?? 'once',
    sinceMs: application.context.timeMs,
    ...application.stamp,
  })
}

function update(application: Application, change: Change<'cron.update'>): Accepted {
  const { op: _, cronJobId, ...fields } = change
  const old = jobOf(application, cronJobId)
  const { timeMs } = application.context
  const job: CronJob = { ...old, ...given(fields), updatedMs: timeMs }
  return put(application, job.expression === old.expression ? job : { ...job, sinceMs: timeMs })
}

function put(application: Application, job: CronJob): Accepted {
  const problem = cronProblem(job.expression, job.sinceMs)
  if (problem) throw new Refused('InvalidCronExpressions', problem)
  const same = application.editor
    .all<CronJob>('cronJob')
    .some(
      ({ cronJobId, expression, eventType }) =>
        cronJobId !== job.cronJobId && expression === job.expression && eventType === job.eventType,
    )
  if (same) throw new Refused('CronJobConflict', `${job.expression} for ${job.eventType} exists`)
  application.editor.put('cronJob', job.cronJobId, job)
  return { ok: true, id: job.cronJobId, value: job }
}

/** @throws Refused CronJobNotFound */
function jobOf({ editor }: Application, id: string): CronJob {
  const jobs = editor.all<CronJob>('cronJob')
  return found(
    jobs.find((job) => job.cronJobId === id),
    'CronJobNotFound',
    id,
  )
}
