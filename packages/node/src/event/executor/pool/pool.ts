import type { ProjectKey } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { ProjectTip } from '../../../database/database.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { ExecutorError } from '../errors.ts'
import type {
  DecidedBatch,
  Executor,
  ExecutorOptions,
  ExecutorServices,
  ModuleReport,
  OutboxChange,
  TimedBatch,
} from '../executor.ts'
import type { Move } from './balance.ts'
import { PlacementTable } from './placement.ts'
import { ThreadSource } from './thread-source.ts'
import { type Evicted, WorkerHandle } from './worker-handle.ts'

export interface PoolOptions extends ExecutorOptions {
  /** How often running guests are looked at, milliseconds. @default 50 */
  readonly watchMs: number
  /** A guest that runs longer than this while other projects wait for its thread is moved apart, milliseconds. @default 250 */
  readonly patienceMs?: number
  /** The same for a whole batch. @default 1000, many times what a batch is cut for */
  readonly turnPatienceMs?: number
  /** How long a guest of this project may run, milliseconds. */
  readonly wallClockMs: (project: ProjectKey) => number
}

export interface PoolDeps {
  readonly services: ExecutorServices
  readonly logger: Logger
  /** Told of each handler that the watchdog stopped. */
  readonly onStopped?: (project: ProjectKey) => void
}

const defaultPatienceMs = 250
const defaultTurnPatienceMs = 1000

/** Looks at running guests from one look at the balance of the threads to the next. */
const looksPerBalance = 10

/** Projects whose guests were in the way of others once, which are remembered. */
const rememberedSlow = 1024

/**
 * Makes an executor of worker threads. A project stays with the thread it was opened in, until that one has too much to do
 * and another has not: then it moves, between two batches. A thread whose guest runs too long is ended and replaced; the
 * batches it had are executed again in the new one, the run in question being reported as stopped. Since nothing of an
 * unfinished batch is on disk, nothing is lost or done twice. Before that, a project whose guest keeps others waiting is
 * moved to one more thread, which all such projects share.
 */
export function createPool(options: PoolOptions, deps: PoolDeps): Executor {
  return new Pool(options, deps)
}

class Pool implements Executor {
  readonly #options: PoolOptions
  readonly #deps: PoolDeps
  #threads: ThreadSource | undefined
  #workers: WorkerHandle[] = []
  #apart: WorkerHandle | undefined
  readonly #placed = new Map<ProjectKey, WorkerHandle>()
  readonly #placements: PlacementTable
  readonly #slow = new LRUCache<ProjectKey, true>({ max: rememberedSlow })
  /** What was asked of projects that are between two threads. */
  readonly #moving = new Map<ProjectKey, (() => void)[]>()
  #watch: NodeJS.Timeout | undefined
  #looks = 0

  constructor(options: PoolOptions, deps: PoolDeps) {
    this.#options = options
    this.#deps = deps
    this.#placements = new PlacementTable(options.workers)
  }

  start(): Promise<void> {
    if (this.#threads) return Promise.resolve()
    this.#threads = new ThreadSource(this.#options, this.#deps.logger)
    this.#workers = Array.from({ length: this.#options.workers }, (_, n) => this.#handle(`executor-${n}`))
    this.#watch = setInterval(() => this.#look(), this.#options.watchMs).unref()
    return Promise.resolve()
  }

  open(project: ProjectKey): Promise<ProjectTip> {
    if (!this.#threads) return Promise.reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
    this.#threads.keepSpare()
    const worker = this.#slow.get(project) ? this.#apartHandle() : this.#workers[this.#place(project)]!
    this.#placed.set(project, worker)
    const tip = worker.open(project)
    tip.catch(() => {
      if (this.#placed.get(project) === worker) this.#unplace(project)
    })
    return tip
  }

  execute(batch: DecidedBatch): Promise<TimedBatch> {
    return this.#at(batch.project, (worker) => worker.execute(batch))
  }

  updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): void {
    this.#whenStill(project, () => this.#placed.get(project)?.notify({ type: 'outbox', project, changes }))
  }

  putCertificate(project: ProjectKey, height: bigint, certificate: Uint8Array): void {
    const notice = { type: 'certificate', project, height, certificate } as const
    this.#whenStill(project, () => this.#placed.get(project)?.notify(notice))
  }

  removeLogs(project: ProjectKey, instanceId: string): Promise<void> {
    return this.#at(project, (worker) => worker.removeLogs(project, instanceId))
  }

  inspectModule(wasm: Uint8Array): Promise<ModuleReport> {
    const lightest = this.#workers[this.#placements.lightest()]
    // A thread is not made for an examination when there is one.
    const worker = lightest?.started ? lightest : (this.#workers.find(({ started }) => started) ?? lightest)
    return worker ? worker.inspect(wasm) : Promise.reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
  }

  async close(project: ProjectKey): Promise<boolean> {
    if (!this.#placed.has(project)) return false
    try {
      return await this.#at(project, (worker) => worker.close(project))
    } finally {
      this.#unplace(project)
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch)
    const workers = [...this.#workers, this.#apart]
    for (const project of this.#placed.keys()) this.#unplace(project)
    this.#workers = []
    this.#apart = undefined
    const threads = this.#threads
    this.#threads = undefined
    await Promise.all(workers.map((worker) => worker?.stop()))
    await threads?.stop()
  }

  #handle(name: string): WorkerHandle {
    return new WorkerHandle(name, { threads: this.#threads!, watchMs: this.#options.watchMs, ...this.#deps })
  }

  #apartHandle(): WorkerHandle {
    this.#apart ??= this.#handle('executor-apart')
    return this.#apart
  }

  #place(project: ProjectKey): number {
    const thread = this.#placements.lightest()
    this.#placements.set(project, thread)
    return thread
  }

  #unplace(project: ProjectKey): void {
    this.#placed.delete(project)
    this.#placements.delete(project)
  }

  /** Does something in the project's thread, in the order of the calls. */
  #at<T>(project: ProjectKey, work: (worker: WorkerHandle) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#whenStill(project, () => {
        const worker = this.#placed.get(project)
        if (worker) return work(worker).then(resolve, reject)
        return reject(
          new ExecutorError(this.#threads ? { code: 'PROJECT_NOT_OPEN', project } : { code: 'EXECUTOR_STOPPED' }),
        )
      })
    })
  }

  /** What is asked of a project between two threads waits for its arrival. */
  #whenStill(project: ProjectKey, work: () => void): void {
    const waiting = this.#moving.get(project)
    if (waiting) waiting.push(work)
    else work()
  }

  #look(): void {
    const { wallClockMs, patienceMs = defaultPatienceMs, turnPatienceMs = defaultTurnPatienceMs } = this.#options
    const watch = { wallClockMs, patienceMs, turnPatienceMs }
    for (const worker of this.#workers) worker.check({ ...watch, evict: (evicted) => this.#moveApart(evicted) })
    this.#apart?.check(watch)
    this.#placements.look(this.#workers.flatMap((worker) => [...worker.busy()]))
    this.#looks = (this.#looks + 1) % looksPerBalance
    if (this.#looks === 0) for (const move of this.#placements.moves()) void this.#move(move)
  }

  #moveApart(evicted: Evicted): void {
    const { project } = evicted
    this.#slow.set(project, true)
    this.#placements.delete(project)
    this.#placed.set(project, this.#apartHandle())
    this.#apartHandle().adopt(evicted)
  }

  /** Closes the project behind the batches that it has, and goes on in the other thread. */
  async #move({ project, to }: Move): Promise<void> {
    const [from, target] = [this.#placed.get(project), this.#workers[to]]
    if (!from || !target || from === target || this.#moving.has(project)) return
    this.#moving.set(project, [])
    this.#placements.set(project, to)
    try {
      await from.close(project)
    } catch (error) {
      this.#deps.logger.error('a project was not closed cleanly', { project }, error)
    }
    // Its guest may have been in the way meanwhile: then it lives apart. Or the pool was stopped.
    const placed = this.#placed.get(project)
    const home = placed === from ? target : placed
    if (home) this.#placed.set(project, home)
    home?.accept(project)
    const waiting = this.#moving.get(project)!
    this.#moving.delete(project)
    for (const work of waiting) work()
  }
}
