import type { Message, ProjectKey } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Service } from '../endpoint/endpoint.ts'
import type { EventManager } from '../event/event-manager.ts'
import type { ExecutedBatch } from '../event/executor/executor.ts'
import { FlowTimers } from '../event/flow/flow-timers.ts'
import type { Committed } from '../event/mailbox.ts'
import { CronTimers } from '../event/timers/cron/cron-timers.ts'
import { defaultTimerOptions, TimerService } from '../event/timers/timer-service.ts'
import { TimerTable } from '../event/timers/timer-table.ts'
import { Traffic } from '../event/traffic/traffic.ts'
import type { Projects } from '../project/project.ts'
import type { ProjectIndex } from '../project/project-index.ts'
import type { Logger } from '../telemetry/logger.ts'
import { counter, type Metrics } from '../telemetry/metrics.ts'

interface ScheduleDeps {
  readonly control: ControlDatabase
  readonly index: ProjectIndex
  readonly projects: Pick<Projects, 'definition' | 'reader'>
  readonly manager: Pick<EventManager, 'submit'>
  readonly metrics: Metrics
  readonly logger: Logger
  readonly now: () => number
}

/** What happens by the clock: timers, cron jobs, windows of flows, periods of traffic limits. */
export interface Schedule {
  readonly traffic: Traffic
  /** To be started before whatever strikes projects off the list of those that worked. */
  readonly services: readonly Service[]
  /** From now on timers fire. */
  open(): void
  /** Follows a commit. */
  committed(project: ProjectKey, batch: Pick<ExecutedBatch, 'definitionChanges' | 'flowWakeMs'>): void
  /** Whether the control file lacks timers of a project, which then counts as one that works. */
  isBehind(project: ProjectKey): boolean
  /** Forgets a project that is gone. */
  forget(project: ProjectKey): void
  /** Puts an answer that an applet waits for through the log: its event is counted, but never refused. */
  submitAnswer(project: ProjectKey, message: Message): Promise<Committed>
}

export function createSchedule({ control, index, projects, manager, metrics, logger, now }: ScheduleDeps): Schedule {
  const exists = (project: ProjectKey) => index.byKey(project) !== undefined
  const reader = (project: ProjectKey) => projects.reader(project)
  const refused = counter(metrics, 'w3b_traffic_refused_total', 'Events that a traffic limit refused.', [
    'project',
    'scope',
  ])
  const traffic = new Traffic({
    limited: () => index.having('trafficLimit'),
    reader,
    projectName: (project) => index.byKey(project)?.name ?? project,
    refused,
    now,
  })
  const timers = new TimerService(defaultTimerOptions, {
    table: new TimerTable(control),
    worked: () => index.worked(),
    reader,
    exists,
    now,
    logger: logger.child('timers'),
  })
  const cron = new CronTimers({
    timers,
    exists,
    definition: (project) => projects.definition(project),
    reader,
    submit: (project, message) => traffic.through(project, '', () => manager.submit(project, message)),
    now,
    steadyNow: () => performance.now(),
    logger: logger.child('cron'),
  })
  const flow = new FlowTimers({ timers, submit: (project, message) => manager.submit(project, message), now })
  timers.add(cron)
  timers.add(flow)
  return {
    traffic,
    services: [timers, traffic],
    open() {
      cron.open()
      timers.open()
    },
    committed(project, batch) {
      flow.follow(project, batch)
      const { definitionChanges: changes } = batch
      if (changes.length === 0) return
      traffic.follow(project, changes)
      cron.follow(project, changes)
    },
    isBehind: (project) => timers.isBehind(project),
    forget(project) {
      traffic.forget(project)
      cron.forget(project)
      timers.forget(project)
    },
    async submitAnswer(project, message) {
      const committed = await manager.submit(project, message)
      if (message.eventType !== '') traffic.note(project)
      return committed
    },
  }
}
