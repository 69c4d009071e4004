import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { SignedTransaction } from '../../../chain/chain.ts'
import type { ProjectTip } from '../../../database/database.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import type { Stopped } from '../../batch-run.ts'
import { ExecutorError } from '../errors.ts'
import type {
  DecidedBatch,
  ExecutedBatch,
  ExecutorOptions,
  ExecutorServices,
  ModuleReport,
  SignRequest,
} from '../executor.ts'
import { type Unsettled, UnsettledSignatures } from './unsettled-signatures.ts'
import { condemn, createProgressMemory, type Running, readProgress } from './watchdog.ts'
import {
  type FromWorker,
  fromWire,
  type Notice,
  type Outcome,
  type Request,
  type ToWorker,
  toWire,
  type WorkerData,
} from './wire.ts'

interface Waiting {
  readonly request: Request
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  /** How often the thread ended under this request, which is not repeated for ever. */
  repeated: number
}

/** A project that was taken out of a thread, with all that is under way. */
export interface Evicted {
  readonly project: ProjectKey
  readonly waiting: readonly Waiting[]
  readonly notices: readonly Notice[]
  readonly signatures: readonly Unsettled[]
}

export interface Watch {
  /** How long a guest of this project may run, milliseconds. */
  readonly wallClockMs: (project: ProjectKey) => number
  /** A guest that runs longer than this while other projects wait for its thread is moved out of their way, milliseconds. */
  readonly patienceMs: number
  /** Takes such a project; undefined where it stays. */
  readonly evict?: (evicted: Evicted) => void
}

/** A request under which threads died this often fails. */
const maxRepeats = 3
const defaultHeapMiB = 512

/** One thread of the pool, through all its replacements. */
export class WorkerHandle {
  readonly #name: string
  readonly #options: ExecutorOptions
  readonly #services: ExecutorServices
  readonly #logger: Logger
  readonly #waiting = new Map<number, Waiting>()
  readonly #slots = new Map<ProjectKey, number>()
  readonly #unsettled = new UnsettledSignatures()
  /** Notices that may not be on disk yet, each with the number of the last request before it. */
  readonly #notices = new Map<ProjectKey, { notice: Notice; after: number }[]>()
  /** Projects that could not be opened in a new thread; their next batch tries again. */
  readonly #unopened = new Set<ProjectKey>()
  #progress = createProgressMemory()
  #worker: Worker
  #lastId = 0
  #lastSlot = 0
  #stopping = false
  /** The project that leaves when the thread, which was told to end, has ended, and who takes it. */
  #leaving: { readonly project: ProjectKey; readonly evict: (evicted: Evicted) => void } | undefined

  constructor(name: string, options: ExecutorOptions, deps: { services: ExecutorServices; logger: Logger }) {
    this.#name = name
    this.#options = options
    this.#services = deps.services
    this.#logger = deps.logger
    this.#worker = this.#spawn()
  }

  /** Number of projects that live here. */
  get projects(): number {
    return this.#slots.size
  }

  open(project: ProjectKey): Promise<ProjectTip> {
    const slot = ++this.#lastSlot
    this.#slots.set(project, slot)
    const tip = this.#request<ProjectTip>({ type: 'open', project, slot })
    tip.catch(() => this.#slots.delete(project))
    return tip
  }

  execute(batch: DecidedBatch): Promise<ExecutedBatch> {
    if (this.#unopened.delete(batch.project)) this.#reopen(batch.project)
    const executed = this.#request<ExecutedBatch>({ type: 'execute', batch, stopped: [] })
    executed.then(
      ({ height }) => this.#unsettled.committed(batch.project, height),
      () => this.#unsettled.releaseAll(this.#services, batch.project),
    )
    return executed
  }

  async removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    await this.#request({ type: 'removeLogs', project, instanceId })
  }

  inspect(wasm: Uint8Array): Promise<ModuleReport> {
    return this.#request({ type: 'inspect', wasm })
  }

  notify(notice: Notice): void {
    const kept = this.#notices.get(notice.project) ?? []
    kept.push({ notice, after: this.#lastId })
    this.#notices.set(notice.project, kept)
    this.#send({ type: 'notice', notice })
  }

  async close(project: ProjectKey): Promise<void> {
    this.#slots.delete(project)
    this.#notices.delete(project)
    this.#unopened.delete(project)
    await this.#request({ type: 'close', project })
  }

  async stop(): Promise<void> {
    // Unreferenced, the thread would let the process end while it still closes its stores.
    this.#worker.ref()
    await this.#request({ type: 'stop' })
    this.#stopping = true
    await this.#worker.terminate()
  }

  /** Ends the thread when its guest has run too long, or stands in the way of others. */
  check({ wallClockMs, patienceMs, evict }: Watch): void {
    this.#checkWallClock(wallClockMs)
    if (evict) this.#checkPatience(patienceMs, evict)
  }

  /** Takes over a project that another thread was ended for; what it had under way is done again here. */
  adopt({ project, waiting, notices, signatures }: Evicted): void {
    this.#slots.set(project, ++this.#lastSlot)
    for (const signature of signatures) this.#unsettled.restore(signature)
    this.#reopen(project)
    for (const notice of notices) this.notify(notice)
    for (const one of waiting) this.#repeat(++this.#lastId, one, false)
  }

  #checkPatience(patienceMs: number, evict: (evicted: Evicted) => void): void {
    const isInTheWay = (project: ProjectKey | undefined) =>
      project !== undefined && [...this.#waiting.values()].some(({ request }) => projectOf(request) !== project)
    const running = condemn(
      this.#progress,
      ({ slot, forMs }) => forMs > patienceMs && isInTheWay(this.#projectOf(slot)),
    )
    if (!running) return
    const project = this.#projectOf(running.slot)!
    this.#leaving = { project, evict }
    this.#logger.warn('a slow handler keeps others waiting; its project moves to a thread apart', {
      worker: this.#name,
      project,
    })
    void this.#worker.terminate()
  }

  #checkWallClock(wallClockMs: (project: ProjectKey) => number): void {
    const running = condemn(this.#progress, ({ slot, forMs }) => {
      const project = this.#projectOf(slot)
      return project !== undefined && forMs > wallClockMs(project)
    })
    if (!running) return
    const project = this.#projectOf(running.slot)!
    this.#markStopped(project, running)
    this.#logger.warn('a handler ran too long; its thread is replaced', {
      worker: this.#name,
      project,
      message: running.messageIndex,
      ranMs: Math.round(running.forMs),
    })
    void this.#worker.terminate()
  }

  /** The batch in execution is the oldest one of its project. */
  #markStopped(project: ProjectKey, { messageIndex, ordinal }: Running): void {
    for (const [id, waiting] of this.#waiting) {
      const { request } = waiting
      if (request.type !== 'execute' || request.batch.project !== project) continue
      const stopped: Stopped[] = [...request.stopped, { messageIndex, ordinal }]
      // The guest's own fault does not count against the batch: each repetition has one run fewer.
      this.#waiting.set(id, { ...waiting, request: { ...request, stopped }, repeated: waiting.repeated - 1 })
      return
    }
  }

  #projectOf(slot: number): ProjectKey | undefined {
    for (const [project, s] of this.#slots) if (s === slot) return project
    return undefined
  }

  #spawn(): Worker {
    const workerData: WorkerData = { options: plainOptions(this.#options), progress: this.#progress }
    const resourceLimits = { maxOldGenerationSizeMb: this.#options.threadHeapMiB ?? defaultHeapMiB }
    const worker = new Worker(entry(), { name: this.#name, workerData, resourceLimits })
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#logger.error('an executor thread failed', { worker: this.#name }, error))
    worker.once('exit', () => this.#replace(worker))
    return worker
  }

  /**
   * Starts a new thread in the place of one that ended, and gives it all that the old one had not answered. The project
   * whose guest ran at the end comes last: the others do not wait for what it may do again.
   */
  #replace(ended: Worker): void {
    if (this.#stopping || ended !== this.#worker) return
    const running = readProgress(this.#progress)
    const culprit = running && this.#projectOf(running.slot)
    this.#evict()
    this.#progress = createProgressMemory()
    this.#worker = this.#spawn()
    const unanswered = [...this.#waiting].sort(([, a], [, b]) => rank(a.request, culprit) - rank(b.request, culprit))
    this.#waiting.clear()
    for (const project of this.#slots.keys())
      if (!unanswered.some(([, { request }]) => request.type === 'open' && request.project === project))
        this.#reopen(project)
    for (const kept of this.#notices.values()) for (const { notice } of kept) this.#send({ type: 'notice', notice })
    const blamed = culprit && unanswered.find(([, { request }]) => isBatchOf(request, culprit))?.[0]
    for (const [id, waiting] of unanswered) this.#repeat(id, waiting, blamed === undefined || blamed === id)
  }

  /** Hands the project over that the thread was ended for, unless it was closed meanwhile. */
  #evict(): void {
    const leaving = this.#leaving
    this.#leaving = undefined
    if (!leaving || !this.#slots.delete(leaving.project)) return
    const { project, evict } = leaving
    const notices = (this.#notices.get(project) ?? []).map(({ notice }) => notice)
    this.#notices.delete(project)
    this.#unopened.delete(project)
    const own = [...this.#waiting].filter(([, { request }]) => projectOf(request) === project)
    for (const [id] of own) this.#waiting.delete(id)
    evict({ project, waiting: own.map(([, waiting]) => waiting), notices, signatures: this.#unsettled.take(project) })
  }

  /** Opens a project in the new thread. What was signed for batches that are not on disk is given back: they sign again. */
  #reopen(project: ProjectKey): void {
    const slot = this.#slots.get(project)!
    this.#request<ProjectTip>({ type: 'open', project, slot }).then(
      ({ height }) => {
        this.#unsettled.committed(project, height)
        this.#unsettled.releaseAll(this.#services, project)
      },
      (error: unknown) => {
        this.#unopened.add(project)
        this.#logger.error('a project did not open again', { project }, error)
      },
    )
  }

  /** A batch that is on disk took the notices before it along. */
  #forgetNotices(project: ProjectKey, request: number): void {
    const kept = this.#notices.get(project)?.filter(({ after }) => after >= request)
    if (kept?.length) this.#notices.set(project, kept)
    else this.#notices.delete(project)
  }

  /** @param blamed whether the thread may have ended because of this request */
  #repeat(id: number, waiting: Waiting, blamed: boolean): void {
    if (blamed && waiting.repeated >= maxRepeats) {
      const detail = `the thread ended ${waiting.repeated + 1} times`
      waiting.reject(new ExecutorError({ code: 'WORKER_LOST', detail }))
      return
    }
    this.#waiting.set(id, { ...waiting, repeated: waiting.repeated + (blamed ? 1 : 0) })
    this.#send({ type: 'request', id, request: waiting.request })
  }

  #request<T>(request: Request): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#stopping) return reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
      const id = ++this.#lastId
      this.#waiting.set(id, { request, resolve, reject, repeated: 0 })
      this.#send({ type: 'request', id, request })
    })
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'service':
        this.#serve(message)
        break
      case 'release':
        this.#unsettled.release(this.#services, message.argument)
        break
      case 'fault':
        this.#logger.error('an executor thread reports a fault', { worker: this.#name }, fromWire(message.error))
        break
      case 'answer':
        this.#settle(message.id, message.outcome)
    }
  }

  #settle(id: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (outcome.ok && waiting?.request.type === 'execute') this.#forgetNotices(waiting.request.batch.project, id)
    if (outcome.ok) waiting?.resolve(outcome.value as never)
    else waiting?.reject(fromWire(outcome.error))
  }

  #serve({ id, name, argument }: Extract<FromWorker, { type: 'service' }>): void {
    const asked = this.#worker
    const service = this.#services[name] as (argument: unknown) => Promise<unknown>
    const reply = (message: ToWorker) => {
      if (asked === this.#worker) this.#send(message)
    }
    service(argument).then(
      (value) => {
        if (name === 'sign') this.#unsettled.add(argument as SignRequest, value as SignedTransaction)
        // Signed for a thread that has ended meanwhile: nobody will use it.
        if (name === 'sign' && asked !== this.#worker)
          this.#unsettled.release(this.#services, value as SignedTransaction)
        reply({ type: 'answer', id, outcome: { ok: true, value } })
      },
      (error: unknown) => reply({ type: 'answer', id, outcome: { ok: false, error: toWire(error) } }),
    )
  }
}

/** Place of a request among those that a new thread is given. */
function rank(request: Request, culprit: ProjectKey | undefined): number {
  if (request.type === 'stop') return 2
  if (request.type === 'inspect') return 0
  return projectOf(request) === culprit ? 1 : 0
}

function projectOf(request: Request): ProjectKey | undefined {
  if (request.type === 'execute') return request.batch.project
  return 'project' in request ? request.project : undefined
}

function isBatchOf(request: Request, project: ProjectKey | undefined): boolean {
  return request.type === 'execute' && request.batch.project === project
}

/** Only what a thread needs and a message can carry. */
function plainOptions({
  workers,
  database,
  modulesDirectory,
  moduleBytes,
  liveModules,
}: ExecutorOptions): ExecutorOptions {
  return { workers, database, modulesDirectory, moduleBytes, liveModules }
}

/** The built package has the entry beside this code as JavaScript; a checkout runs the source. */
function entry(): URL {
  const source = new URL('./worker.ts', import.meta.url)
  return existsSync(fileURLToPath(source)) ? source : new URL('./worker.js', import.meta.url)
}
