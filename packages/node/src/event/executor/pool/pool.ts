import type { ProjectKey } from '@w3bstream/protocol'
import type { ProjectTip } from '../../../database/database.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { ExecutorError } from '../errors.ts'
import type {
  DecidedBatch,
  ExecutedBatch,
  Executor,
  ExecutorOptions,
  ExecutorServices,
  ModuleReport,
} from '../executor.ts'
import { type Evicted, WorkerHandle } from './worker-handle.ts'

export interface PoolOptions extends ExecutorOptions {
  /** How often running guests are looked at, milliseconds. @default 50 */
  readonly watchMs: number
  /** A guest that runs longer than this while other projects wait for its thread is moved apart, milliseconds. @default 250 */
  readonly patienceMs?: number
  /** How long a guest of this project may run, milliseconds. */
  readonly wallClockMs: (project: ProjectKey) => number
}

const defaultPatienceMs = 250

/**
 * Executes on worker threads. A project stays with the thread it was opened in. A thread whose guest runs too long is ended
 * and replaced; the batches it had are executed again in the new one, the run in question being reported as stopped. Since
 * nothing of an unfinished batch is on disk, nothing is lost or done twice. Before that, a project whose guest keeps others
 * waiting is moved to one more thread, which all such projects share until the node restarts.
 */
export function createPool(options: PoolOptions, deps: { services: ExecutorServices; logger: Logger }): Executor {
  const workers: WorkerHandle[] = []
  let apart: WorkerHandle | undefined
  const placed = new Map<ProjectKey, WorkerHandle>()
  const opening = new Map<ProjectKey, Promise<ProjectTip>>()
  const { wallClockMs, patienceMs = defaultPatienceMs } = options
  let watch: NodeJS.Timeout | undefined
  let stopped = false

  const of = (project: ProjectKey): WorkerHandle => {
    const worker = placed.get(project)
    if (worker) return worker
    throw stopped
      ? new ExecutorError({ code: 'EXECUTOR_STOPPED' })
      : new ExecutorError({ code: 'PROJECT_NOT_OPEN', project })
  }
  const moveApart = (evicted: Evicted) => {
    apart ??= new WorkerHandle('executor-apart', options, deps)
    placed.set(evicted.project, apart)
    apart.adopt(evicted)
  }
  const leastLoaded = () => workers.reduce((best, worker) => (worker.projects < best.projects ? worker : best))

  return {
    start(): Promise<void> {
      if (workers.length > 0) return Promise.resolve()
      stopped = false
      for (let n = 0; n < options.workers; n++) workers.push(new WorkerHandle(`executor-${n}`, options, deps))
      watch = setInterval(() => {
        for (const worker of workers) worker.check({ wallClockMs, patienceMs, evict: moveApart })
        apart?.check({ wallClockMs, patienceMs })
      }, options.watchMs)
      watch.unref()
      return Promise.resolve()
    },
    open(project): Promise<ProjectTip> {
      if (stopped || workers.length === 0) return Promise.reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
      const known = opening.get(project)
      if (known !== undefined) return known
      const worker = leastLoaded()
      placed.set(project, worker)
      const tip = worker.open(project)
      opening.set(project, tip)
      tip.catch(() => {
        opening.delete(project)
        placed.delete(project)
      })
      return tip
    },
    execute: (batch: DecidedBatch): Promise<ExecutedBatch> =>
      Promise.resolve().then(() => of(batch.project).execute(batch)),
    updateOutbox: (project, changes) => placed.get(project)?.notify({ type: 'outbox', project, changes }),
    putCertificate: (project, height, certificate) =>
      placed.get(project)?.notify({ type: 'certificate', project, height, certificate }),
    removeLogs: (project, instanceId) => Promise.resolve().then(() => of(project).removeLogs(project, instanceId)),
    inspectModule(wasm): Promise<ModuleReport> {
      if (workers.length === 0) return Promise.reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
      return leastLoaded().inspect(wasm)
    },
    async close(project): Promise<void> {
      const worker = placed.get(project)
      placed.delete(project)
      opening.delete(project)
      await worker?.close(project)
    },
    async stop(): Promise<void> {
      stopped = true
      placed.clear()
      opening.clear()
      await Promise.all([...workers, apart].map((worker) => worker?.stop()))
      workers.length = 0
      apart = undefined
      clearInterval(watch)
    },
  }
}
