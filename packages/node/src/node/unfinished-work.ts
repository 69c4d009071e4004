import type { ProjectKey } from '@w3bstream/protocol'
import type { OutboxRange, ProjectReader } from '../database/database.ts'
import type { Service } from '../endpoint/endpoint.ts'
import type { EventManager } from '../event/event-manager.ts'
import type { Settle } from '../event/settle/settle.ts'
import type { Projects } from '../project/project.ts'
import type { ProjectIndex } from '../project/project-index.ts'
import { uncertifiedCommits } from '../project/uncertified.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Schedule } from './schedule-services.ts'

interface UnfinishedDeps {
  readonly index: ProjectIndex
  readonly projects: Projects
  readonly manager: Pick<EventManager, 'wake'>
  readonly settle: Settle
  readonly schedule: Pick<Schedule, 'isBehind'>
  readonly logger: Logger
}

/** Effects that are read from an outbox at once: each may have megabytes. */
const readAtOnce = 64

/**
 * What a node does first after a start: of every project that worked in an earlier run it carries out what was left in the
 * outbox, and certifies batches that a crash left without. Projects with nothing left are struck off the list. One whose
 * file cannot be read is reported and left alone: the others are served.
 */
export function unfinishedWork({ index, projects, manager, settle, schedule, logger }: UnfinishedDeps): Service {
  /** Page by page: what an outbox has may be more than fits into memory. @returns how many effects it has */
  const takeUp = async (key: ProjectKey, reader: Pick<ProjectReader, 'outboxPending'>): Promise<number> => {
    let from: OutboxRange['from']
    for (let effects = 0; ; ) {
      const rows = await reader.outboxPending({ from, limit: readAtOnce })
      effects += rows.length
      if (rows.length > 0) await settle.resume(key, rows)
      const last = rows.at(-1)
      if (!last || rows.length < readAtOnce) return effects
      from = { height: last.height, index: last.index + 1 }
    }
  }
  const finish = async (key: ProjectKey): Promise<void> => {
    const reader = await projects.reader(key)
    const uncertified = await uncertifiedCommits(reader)
    const effects = await takeUp(key, reader)
    if (effects > 0) logger.info('effects were left undone and are taken up again', { project: key, effects })
    else if (!schedule.isBehind(key)) index.markFinished(key)
    if (uncertified.length > 0) await manager.wake(key)
  }
  return {
    name: 'unfinished',
    async start() {
      for (const key of index.worked())
        await finish(key).catch((error: unknown) =>
          logger.error('unfinished work of a project cannot be read', { project: key }, error),
        )
    },
    stop: () => Promise.resolve(),
  }
}
