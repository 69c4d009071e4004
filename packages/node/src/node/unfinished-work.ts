import type { ProjectKey } from '@w3bstream/protocol'
import type { Service } from '../endpoint/endpoint.ts'
import type { EventManager } from '../event/event-manager.ts'
import type { Settle } from '../event/settle/settle.ts'
import type { Projects } from '../project/project.ts'
import type { ProjectIndex } from '../project/project-index.ts'
import { uncertifiedCommits } from '../project/uncertified.ts'
import type { Logger } from '../telemetry/logger.ts'

interface UnfinishedDeps {
  readonly index: ProjectIndex
  readonly projects: Projects
  readonly manager: Pick<EventManager, 'wake'>
  readonly settle: Settle
  readonly logger: Logger
}

/**
 * What a node does first after a start: of every project that worked in an earlier run it carries out what was left in the
 * outbox, and certifies batches that a crash left without. Projects with nothing left are struck off the list. One whose
 * file cannot be read is reported and left alone: the others are served.
 */
export function unfinishedWork({ index, projects, manager, settle, logger }: UnfinishedDeps): Service {
  const finish = async (key: ProjectKey): Promise<void> => {
    const reader = await projects.reader(key)
    const rows = await reader.outboxPending()
    const uncertified = await uncertifiedCommits(reader)
    if (rows.length === 0) index.markFinished(key)
    else {
      logger.info('effects were left undone and are taken up again', { project: key, effects: rows.length })
      await settle.resume(key, rows)
    }
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
