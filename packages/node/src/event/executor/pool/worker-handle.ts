import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { SignedTransaction } from '../../../chain/chain.ts'
import type { ProjectTip } from '../../../database/database.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import type { Stopped } from '../../process.ts'
import { ExecutorError } from '../errors.ts'
import type {
  DecidedBatch,
  ExecutedBatch,
  ExecutorOptions,
  ExecutorServices,
  ModuleReport,
  SignRequest,
} from '../executor.ts'
import { UnsettledSignatures } from './unsettled-signatures.ts'
import { createProgressMemory, type Running, readProgress } from './watchdog.ts'
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
  /** Set when the thread died under this request, which may then not be repeated for ever. */
  repeated: number
}

/** A request under which threads died this often fails. */
const maxRepeats = 3

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
  #progress = createProgressMemory()
  #worker: Worker
  #lastId = 0
  #lastSlot = 0
  #stopping = false

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
    await this.#request({ type: 'close', project })
  }

  async stop(): Promise<void> {
    // Unreferenced, the thread would let the process end while it still closes its stores.
    this.#worker.ref()
    await this.#request({ type: 'stop' })
    this.#stopping = true
    await this.#worker.terminate()
  }

  /** Ends the thread when its guest has run too long. */
  check(wallClockMs: (project: ProjectKey) => number): void {
    const running = readProgress(this.#progress)
    if (!running) return
    const project = this.#projectOf(running.slot)
    if (!project || running.forMs <= wallClockMs(project)) return
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
    const worker = new Worker(entry(), { name: this.#name, workerData })
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#logger.error('an executor thread failed', { worker: this.#name }, error))
    worker.once('exit', () => this.#replace(worker))
    return worker
  }

  /** Starts a new thread in the place of one that ended, and gives it all that the old one had not answered. */
  #replace(ended: Worker): void {
    if (this.#stopping || ended !== this.#worker) return
    this.#progress = createProgressMemory()
    this.#worker = this.#spawn()
    // Unfinished batches run again and sign again: what was signed for them is given back first.
    this.#unsettled.releaseAll(this.#services)
    const unanswered = [...this.#waiting]
    this.#waiting.clear()
    for (const [project, slot] of this.#slots) {
      const isOpening = unanswered.some(([, { request }]) => request.type === 'open' && request.project === project)
      if (!isOpening)
        this.#request({ type: 'open', project, slot }).catch((error: unknown) =>
          this.#logger.error('a project did not open again', { project }, error),
        )
    }
    for (const kept of this.#notices.values()) for (const { notice } of kept) this.#send({ type: 'notice', notice })
    for (const [id, waiting] of unanswered) this.#repeat(id, waiting)
  }

  /** A batch that is on disk took the notices before it along. */
  #forgetNotices(project: ProjectKey, request: number): void {
    const kept = this.#notices.get(project)?.filter(({ after }) => after >= request)
    if (kept?.length) this.#notices.set(project, kept)
    else this.#notices.delete(project)
  }

  #repeat(id: number, waiting: Waiting): void {
    if (waiting.repeated >= maxRepeats) {
      const detail = `the thread ended ${waiting.repeated + 1} times`
      waiting.reject(new ExecutorError({ code: 'WORKER_LOST', detail }))
      return
    }
    this.#waiting.set(id, { ...waiting, repeated: waiting.repeated + 1 })
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

/** Only what a thread needs and a message can carry. */
function plainOptions({ workers, database, modulesDirectory, liveModules }: ExecutorOptions): ExecutorOptions {
  return { workers, database, modulesDirectory, liveModules }
}

/** The built package has the entry beside this code as JavaScript; a checkout runs the source. */
function entry(): URL {
  const source = new URL('./worker.ts', import.meta.url)
  return existsSync(fileURLToPath(source)) ? source : new URL('./worker.js', import.meta.url)
}
