import { join } from 'node:path'
import type { ProjectKey } from '@w3bstream/protocol'
import type { Snapshots } from '../database/snapshot/snapshots.ts'
import type { Service } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'

export interface AutoSnapshotOptions {
  /** A snapshot of a project after this many of its batches; 0 for none. @default 0 */
  readonly every: number
  /** Snapshots of a project that stay. @default 2 */
  readonly keep: number
}

export function snapshotsDirectory(dataDir: string): string {
  return join(dataDir, 'snapshots')
}

/** Takes snapshots as the histories grow, one at a time. A project that is waiting already waits once. */
export class AutoSnapshots implements Service {
  readonly name = 'snapshots'
  readonly #options: AutoSnapshotOptions
  readonly #snapshots: Pick<Snapshots, 'create'>
  readonly #logger: Logger
  readonly #waiting = new Set<ProjectKey>()
  #running: Promise<void> | undefined

  constructor(options: AutoSnapshotOptions, deps: { snapshots: Pick<Snapshots, 'create'>; logger: Logger }) {
    this.#options = options
    this.#snapshots = deps.snapshots
    this.#logger = deps.logger
  }

  async start(): Promise<void> {}

  /** Ends with the snapshot that is being written; the others are due again after the next batches. */
  async stop(): Promise<void> {
    this.#waiting.clear()
    await this.#running
  }

  /** A batch of a project is on disk. */
  committed(project: ProjectKey, height: bigint): void {
    const { every } = this.#options
    if (every === 0 || height % BigInt(every) !== 0n) return
    this.#waiting.add(project)
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    })
  }

  async #work(): Promise<void> {
    for (const project of this.#waiting) {
      this.#waiting.delete(project)
      try {
        const { header } = await this.#snapshots.create(project, this.#options.keep)
        this.#logger.info('snapshot written', { project, height: header.height, bytes: header.contentBytes })
      } catch (error) {
        this.#logger.error('a snapshot could not be written', { project }, error)
      }
    }
  }
}
