import type { ProjectChange } from '../../project/definition.ts'
import { nothing, type PlanLine, type PlanPart } from './plan-part.ts'
import type { CurrentProject, DesiredProject } from './state.ts'

/** Jobs are told apart by schedule and event type; those that the file does not list are removed. */
export function planCron({ cron }: DesiredProject, current: CurrentProject | undefined): PlanPart {
  if (!cron) return nothing
  const known = new Map((current?.cronJobs ?? []).map((job) => [nameOf(job), job]))
  const changes: ProjectChange[] = []
  const lines: PlanLine[] = []
  for (const job of cron) {
    const there = known.get(nameOf(job))
    known.delete(nameOf(job))
    if (there?.missed === job.missed) continue
    if (there) changes.push({ op: 'cron.update', cronJobId: there.cronJobId, missed: job.missed })
    else changes.push({ op: 'cron.create', ...job })
    lines.push({ sign: there ? '~' : '+', what: `cron ${nameOf(job)}`, detail: there ? `missed: ${job.missed}` : '' })
  }
  for (const { cronJobId, ...job } of known.values()) {
    changes.push({ op: 'cron.remove', cronJobId })
    lines.push({ sign: '-', what: `cron ${nameOf(job)}`, detail: '' })
  }
  return { changes, lines }
}

/** Limits that the file does not name are left alone: an administrator may have set them. */
export function planTraffic({ traffic }: DesiredProject, current: CurrentProject | undefined): PlanPart {
  const changes: ProjectChange[] = []
  const lines: PlanLine[] = []
  for (const limit of traffic ?? []) {
    const { apiType, scope, threshold, duration } = limit
    const there = current?.trafficLimits.find((known) => known.apiType === apiType && known.scope === scope)
    if (there?.threshold === threshold && there.duration === duration) continue
    const { trafficLimitId } = there ?? {}
    if (trafficLimitId) changes.push({ op: 'traffic.update', trafficLimitId, threshold, duration })
    else changes.push({ op: 'traffic.create', ...limit })
    const what =
      apiType === 'BLOCKCHAIN' ? 'transactions' : `events of ${scope === 'DEVICE' ? 'a device' : 'the project'}`
    lines.push({ sign: there ? '~' : '+', what: `limit of ${what}`, detail: `${threshold} in ${duration}` })
  }
  return { changes, lines }
}

function nameOf({ expression, eventType }: { expression: string; eventType: string }): string {
  return `${expression} ${eventType}`
}
