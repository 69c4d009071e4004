import type { Service } from '../endpoint/endpoint.ts'
import type { Settle } from '../event/settle.ts'
import type { Projects } from '../project/project.ts'
import type { ProjectIndex } from '../project/project-index.ts'
import type { Logger } from '../telemetry/logger.ts'

/**
 * What a node does first after a start: it looks into the outbox of every project that worked in an earlier run and
 * carries out what was left. Projects with nothing left are struck off the list.
 */
export function pendingOutboxes(index: ProjectIndex, projects: Projects, settle: Settle, logger: Logger): Service {
  return {
    name: 'outboxes',
    async start() {
      for (const key of index.worked()) {
        const reader = await projects.reader(key)
        const rows = await reader.outboxPending()
        if (rows.length === 0) index.markWorked(key, false)
        else {
          logger.info('effects were left undone and are taken up again', { project: key, effects: rows.length })
          settle.resume(key, rows)
        }
      }
    },
    stop: () => Promise.resolve(),
  }
}
