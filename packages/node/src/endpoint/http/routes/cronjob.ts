import Type, { type Static } from 'typebox'
import { type CronJob, missedPolicies } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import { cronProblem, cronSchedule } from '../../../util/cron-schedule.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { timesOf } from '../rows.ts'
import { CronExpression, EventType, Id, Ids, Labels, List, pageOf, paging, passes, Time, times } from '../schema.ts'

const Missed = Type.Enum([...missedPolicies], {
  description: 'what becomes of firings that were missed: none, the last, all (at most 1000)',
  default: 'once',
})
const CronRow = Type.Object({
  cronJobID: Id,
  projectID: Id,
  cronExpressions: Type.String(),
  eventType: Type.String(),
  missed: Missed,
  next: Type.Array(Time, { description: 'the next firings, in UTC' }),
  ...times,
})
const byProject = Type.Object({ projectID: Id })
const byId = Type.Object({ cronJobID: Id })
const group = 'Cronjob'

/** Firings that a row shows when nobody says how many. */
const shownFirings = 1

export function cronJobRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'POST',
      path: '/cronjob/:projectID',
      summary: 'Make an event by the clock',
      group,
      params: byProject,
      body: Type.Object({
        cronExpressions: CronExpression,
        eventType: Type.Optional(EventType),
        missed: Type.Optional(Missed),
      }),
      answer: CronRow,
      handle: async ({ params, body, account }) => {
        const entry = own.projectById(account, params.projectID)
        const { cronExpressions: expression, eventType, missed } = body
        const result = await projects.change(entry.key, { op: 'cron.create', expression, eventType, missed })
        return cronRow(entry, rowOf<CronJob>(result))
      },
    }),
    route({
      method: 'GET',
      path: '/cronjob/:projectID',
      summary: 'List the cron jobs of a project',
      group,
      params: byProject,
      query: Type.Object({ cronJobID: Ids, eventType: Labels, ...paging }),
      answer: List(CronRow),
      handle: async ({ params, query, account }) => {
        const entry = own.projectById(account, params.projectID)
        const { cronJobs } = await projects.definition(entry.key)
        const found = [...cronJobs.values()].filter(
          ({ cronJobId, eventType }) => passes(query.cronJobID, cronJobId) && passes(query.eventType, eventType),
        )
        const { data, total } = pageOf(found, query)
        return { data: data?.map((job) => cronRow(entry, job)) ?? null, total }
      },
    }),
    route({
      method: 'GET',
      path: '/cronjob/data/:cronJobID',
      summary: 'A cron job with its next firings',
      group,
      params: byId,
      query: Type.Object({ next: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, default: shownFirings })) }),
      answer: CronRow,
      handle: async ({ params, query, account }) => {
        const { entry, cronJob } = await own.cronJob(account, params.cronJobID)
        return cronRow(entry, cronJob, query.next)
      },
    }),
    route({
      method: 'PUT',
      path: '/cronjob/data/:cronJobID',
      summary: 'Change a cron job',
      group,
      params: byId,
      body: Type.Object({
        cronExpressions: Type.Optional(CronExpression),
        eventType: Type.Optional(EventType),
        missed: Type.Optional(Missed),
      }),
      answer: CronRow,
      handle: async ({ params, body, account }) => {
        const { entry, cronJob } = await own.cronJob(account, params.cronJobID)
        const { cronJobId } = cronJob
        const { cronExpressions: expression, eventType, missed } = body
        const result = await projects.change(entry.key, { op: 'cron.update', cronJobId, expression, eventType, missed })
        return cronRow(entry, rowOf<CronJob>(result))
      },
    }),
    route({
      method: 'DELETE',
      path: '/cronjob/data/:cronJobID',
      summary: 'Remove a cron job',
      group,
      params: byId,
      handle: async ({ params, account }) => {
        const { entry, cronJob } = await own.cronJob(account, params.cronJobID)
        await projects.change(entry.key, { op: 'cron.remove', cronJobId: cronJob.cronJobId })
      },
    }),
  ]
}

function cronRow({ projectId }: ProjectEntry, job: CronJob, firings = shownFirings): Static<typeof CronRow> {
  const { cronJobId, expression, eventType, missed } = job
  return {
    cronJobID: cronJobId,
    projectID: projectId,
    cronExpressions: expression,
    eventType,
    missed,
    next: nextFirings(job, firings),
    ...timesOf(job),
  }
}

/** None of a job that was accepted once and is not understood now. */
function nextFirings({ expression, sinceMs }: CronJob, count: number): string[] {
  if (cronProblem(expression, sinceMs) !== undefined) return []
  const schedule = cronSchedule(expression, sinceMs)
  const firings: string[] = []
  let next = schedule.next(Date.now())
  while (next !== undefined && firings.length < count) {
    firings.push(rfc3339(next))
    next = schedule.next(next)
  }
  return firings
}
