import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { SignedTransaction } from '../../../chain/chain.ts'
import type { ProjectTip } from '../../../database/database.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { ExecutorError } from '../errors.ts'
import type { DecidedBatch, ExecutorServices, ModuleReport, SignRequest, TimedBatch } from '../executor.ts'
import { GuestWatch, type Patience } from './guest-watch.ts'
import { Notices } from './notices.ts'
import { asStopped, isBatchOf, projectOf, rank } from './requests.ts'
import type { Thread, ThreadSource } from './thread-source.ts'
import { type Unsettled, UnsettledSignatures } from './unsettled-signatures.ts'
import { condemn, type Running, readProgress } from './watchdog.ts'
import { type FromWorker, fromWire, type Notice, type Outcome, type Request, type ToWorker, toWire } from './wire.ts'

interface Waiting {
  readonly request: Request
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  /** How often the thread ended under this request, which is not repeated for ever. */
  readonly repeated: number
}

/** A project that was taken out of a thread, with all that is under way. */
export interface Evicted {
  readonly project: ProjectKey
  readonly waiting: readonly Waiting[]
  readonly notices: readonly Notice[]
  readonly signatures: readonly Unsettled[]
}

export interface Watch extends Patience {
  /** How long a guest of this project may run, milliseconds. */
  readonly wallClockMs: (project: ProjectKey) => number
  /** Takes a project that keeps others waiting for longer than the patience lasts; undefined where it stays. */
  readonly evict?: (evicted: Evicted) => void
}

export interface WorkerHandleDeps {
  readonly threads: ThreadSource
  /** How often {@link WorkerHandle.check} is called, milliseconds. */
  readonly watchMs: number
  readonly services: ExecutorServices
  readonly logger: Logger
  readonly onStopped?: (project: ProjectKey) => void
}

/** A request under which threads died this often fails. */
const maxRepeats = 3

/**
 * One thread of the pool, through all its replacements. A thread is taken when there is something to do; projects are opened
 * in it when something is asked of them.
 */
export class WorkerHandle {
  readonly #name: string
  readonly #deps: WorkerHandleDeps
  readonly #waiting = new Map<number, Waiting>()
  /** Projects that live here, with the numbers by which the watchdog knows them. */
  readonly #slots = new Map<ProjectKey, number>()
  /** Those among them that the present thread was told to open. */
  readonly #opened = new Set<ProjectKey>()
  readonly #unsettled = new UnsettledSignatures()
  readonly #notices = new Notices()
  readonly #watch: GuestWatch
  #thread: Thread | undefined
  #taking = false
  #lastId = 0
  #lastSlot = 0
  #stopping = false
  /** The project that leaves when the thread, which was told to end, has ended, and who takes it. */
  #leaving: { readonly project: ProjectKey; readonly evict: (evicted: Evicted) => void } | undefined

  constructor(name: string, deps: WorkerHandleDeps) {
    this.#name = name
    this.#deps = deps
    this.#watch = new GuestWatch(deps.watchMs)
  }

  /** Number of projects that live here. */
  get projects(): number {
    return this.#slots.size
  }

  /** Whether there is a thread behind it. */
  get started(): boolean {
    return this.#thread !== undefined
  }

  /** Projects with batches that are not answered yet. */
  busy(): Set<ProjectKey> {
    const batches = [...this.#waiting.values()].flatMap(({ request }) =>
      request.type === 'execute' ? [request.batch.project] : [],
    )
    return new Set(batches)
  }

  open(project: ProjectKey): Promise<ProjectTip> {
    const slot = this.#settleIn(project)
    this.#opened.add(project)
    const tip = this.#ask<ProjectTip>({ type: 'open', project, slot })
    tip.catch(() => {
      this.#slots.delete(project)
      this.#opened.delete(project)
    })
    return tip
  }

  /** Takes a project that was closed in another thread; what is asked of it first opens it. */
  accept(project: ProjectKey): void {
    this.#settleIn(project)
  }

  execute(batch: DecidedBatch): Promise<TimedBatch> {
    const executed = this.#request<TimedBatch>(batch.project, { type: 'execute', batch, stopped: [] })
    executed.then(
      ({ height }) => this.#unsettled.committed(batch.project, height),
      () => this.#unsettled.releaseAll(this.#deps.services, batch.project),
    )
    return executed
  }

  async removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    await this.#request(project, { type: 'removeLogs', project, instanceId })
  }

  inspect(wasm: Uint8Array): Promise<ModuleReport> {
    return this.#ask({ type: 'inspect', wasm })
  }

  notify(notice: Notice): void {
    this.#notices.add(notice, this.#lastId)
    this.#ensureOpen(notice.project)
    this.#send({ type: 'notice', notice })
  }

  /**
   * A thread that was replaced may not have opened the project since; it does then, for only an open store can tell what is left.
   * @returns whether something is left to do without a message
   */
  close(project: ProjectKey): Promise<boolean> {
    return this.#request(project, { type: 'close', project })
  }

  async stop(): Promise<void> {
    const thread = this.#thread
    if (thread) await this.#ask({ type: 'stop' })
    this.#stopping = true
    for (const { reject } of this.#waiting.values()) reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
    this.#waiting.clear()
    await this.#thread?.worker.terminate()
  }

  /** Ends the thread when its guest has run too long, or stands in the way of others. */
  check({ wallClockMs, evict, ...patience }: Watch): void {
    if (!this.#thread) return
    this.#checkWallClock(this.#thread, wallClockMs)
    if (evict) this.#checkPatience(this.#thread, patience, evict)
  }

  /** Takes over a project that another thread was ended for; what it had under way is done again here. */
  adopt({ project, waiting, notices, signatures }: Evicted): void {
    const slot = this.#settleIn(project)
    for (const signature of signatures) this.#unsettled.restore(signature)
    this.#ensureOpen(project)
    for (const notice of notices) this.notify(notice)
    for (const one of waiting) {
      const request = one.request.type === 'open' ? { ...one.request, slot } : one.request
      this.#waiting.set(++this.#lastId, { ...one, request })
      this.#send({ type: 'request', id: this.#lastId, request })
    }
  }

  #settleIn(project: ProjectKey): number {
    const slot = ++this.#lastSlot
    this.#slots.set(project, slot)
    return slot
  }

  #checkPatience({ worker, progress }: Thread, patience: Patience, evict: (evicted: Evicted) => void): void {
    this.#watch.look(readProgress(progress))
    const isInTheWay = (project: ProjectKey | undefined) =>
      project !== undefined && [...this.#waiting.values()].some(({ request }) => projectOf(request) !== project)
    const running = condemn(
      progress,
      (seen) => this.#watch.isTooLong(seen, patience) && isInTheWay(this.#projectOf(seen.slot)),
    )
    if (!running) return
    const project = this.#projectOf(running.slot)!
    this.#leaving = { project, evict }
    this.#deps.logger.warn('a slow handler keeps others waiting; its project moves to a thread apart', {
      worker: this.#name,
      project,
    })
    void worker.terminate()
  }

  #checkWallClock({ worker, progress }: Thread, wallClockMs: (project: ProjectKey) => number): void {
    const running = condemn(progress, ({ slot, forMs }) => {
      const project = this.#projectOf(slot)
      return project !== undefined && forMs > wallClockMs(project)
    })
    if (!running) return
    const project = this.#projectOf(running.slot)!
    this.#markStopped(project, running)
    this.#deps.onStopped?.(project)
    this.#deps.logger.warn('a handler ran too long; its thread is replaced', {
      worker: this.#name,
      project,
      message: running.messageIndex,
      ranMs: Math.round(running.forMs),
    })
    void worker.terminate()
  }

  /** The batch in execution is the oldest one of its project. */
  #markStopped(project: ProjectKey, running: Running): void {
    for (const [id, waiting] of this.#waiting) {
      if (!isBatchOf(waiting.request, project)) continue
      // The guest's own fault does not count against the batch: each repetition has one run fewer.
      const request = asStopped(waiting.request, running)
      this.#waiting.set(id, { ...waiting, request, repeated: waiting.repeated - 1 })
      return
    }
  }

  #projectOf(slot: number): ProjectKey | undefined {
    for (const [project, s] of this.#slots) if (s === slot) return project
    return undefined
  }

  #takeThread(): void {
    if (this.#thread || this.#taking || this.#stopping) return
    this.#taking = true
    this.#deps.threads.take((thread) => {
      this.#taking = false
      if (this.#stopping) void thread.worker.terminate()
      else this.#begin(thread)
    })
  }

  /** Gives a new thread all that is not answered: projects with something to do are opened, the others when they have. */
  #begin(thread: Thread): void {
    this.#thread = thread
    thread.worker.on('message', (message: FromWorker) => this.#receive(thread, message))
    thread.worker.once('exit', () => this.#ended(thread))
    const unanswered = [...this.#waiting]
    const opening = new Set(unanswered.flatMap(([, { request }]) => (request.type === 'open' ? [request.project] : [])))
    for (const project of opening) this.#opened.add(project)
    for (const [, { request }] of unanswered) this.#ensureOpen(projectOf(request))
    for (const notice of this.#notices.all()) {
      this.#ensureOpen(notice.project)
      this.#send({ type: 'notice', notice })
    }
    for (const [id, { request }] of unanswered) this.#send({ type: 'request', id, request })
  }

  /**
   * Puts what the thread had not answered in the order in which the next one is given it. The project whose guest ran at the
   * end comes last: the others do not wait for what it may do again.
   */
  #ended(thread: Thread): void {
    if (this.#stopping || thread !== this.#thread) return
    this.#thread = undefined
    this.#opened.clear()
    this.#watch.reset()
    const running = readProgress(thread.progress)
    const culprit = running && this.#projectOf(running.slot)
    const handOver = this.#takeOut()
    const unanswered = [...this.#waiting].sort(([, a], [, b]) => rank(a.request, culprit) - rank(b.request, culprit))
    this.#waiting.clear()
    const blamed = culprit && unanswered.find(([, { request }]) => isBatchOf(request, culprit))?.[0]
    for (const [id, waiting] of unanswered) this.#keep(id, waiting, blamed === undefined || blamed === id)
    // Those who stay get the thread that is ready.
    if (this.#slots.size > 0 || this.#waiting.size > 0) this.#takeThread()
    handOver()
  }

  /** @param blamed whether the thread may have ended because of this request */
  #keep(id: number, waiting: Waiting, blamed: boolean): void {
    if (blamed && waiting.repeated >= maxRepeats) {
      const detail = `the thread ended ${waiting.repeated + 1} times`
      waiting.reject(new ExecutorError({ code: 'WORKER_LOST', detail }))
    } else this.#waiting.set(id, { ...waiting, repeated: waiting.repeated + (blamed ? 1 : 0) })
  }

  /** Takes the project out that the thread was ended for, unless it was closed meanwhile. @returns what hands it over */
  #takeOut(): () => void {
    const leaving = this.#leaving
    this.#leaving = undefined
    if (!leaving || !this.#slots.delete(leaving.project)) return () => {}
    const { project, evict } = leaving
    const own = [...this.#waiting].filter(([, { request }]) => projectOf(request) === project)
    for (const [id] of own) this.#waiting.delete(id)
    const waiting = own.map(([, one]) => one)
    const evicted = {
      project,
      waiting,
      notices: this.#notices.take(project),
      signatures: this.#unsettled.take(project),
    }
    return () => evict(evicted)
  }

  /** Opens a project that the present thread does not have, if there is one; a thread to come opens what is needed. */
  #ensureOpen(project: ProjectKey | undefined): void {
    if (project === undefined || !this.#thread || this.#opened.has(project)) return
    const slot = this.#slots.get(project)
    if (slot === undefined) return
    this.#opened.add(project)
    this.#ask<ProjectTip>({ type: 'open', project, slot }).then(
      ({ height }) => {
        // What was signed for batches that are not on disk is given back: they sign again.
        this.#unsettled.committed(project, height)
        this.#unsettled.releaseAll(this.#deps.services, project)
      },
      (error: unknown) => {
        this.#opened.delete(project)
        this.#deps.logger.error('a project did not open again', { project }, error)
      },
    )
  }

  #request<T>(project: ProjectKey, request: Request): Promise<T> {
    this.#ensureOpen(project)
    return this.#ask(request)
  }

  #ask<T>(request: Request): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#stopping) return reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' }))
      const id = ++this.#lastId
      this.#waiting.set(id, { request, resolve, reject, repeated: 0 })
      this.#send({ type: 'request', id, request })
    })
  }

  /** Without a thread, what has to be sent is kept, and the next thread is given it. */
  #send(message: ToWorker): void {
    if (this.#thread) this.#thread.worker.postMessage(message)
    else this.#takeThread()
  }

  #receive(thread: Thread, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        break
      case 'service':
        this.#serve(thread, message)
        break
      case 'release':
        this.#unsettled.release(this.#deps.services, message.argument)
        break
      case 'fault':
        this.#deps.logger.error('an executor thread reports a fault', { worker: this.#name }, fromWire(message.error))
        break
      case 'snapshot':
        this.#noteSnapshot(message.report)
        break
      case 'answer':
        this.#settle(message.id, message.outcome)
    }
  }

  #noteSnapshot({ error, ...report }: Extract<FromWorker, { type: 'snapshot' }>['report']): void {
    const { logger } = this.#deps
    if (error) logger.error('a snapshot was not written', report, fromWire(error))
    else logger.info('snapshot written', report)
  }

  #settle(id: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting?.request.type === 'execute') {
      this.#watch.reset()
      if (outcome.ok) this.#notices.written(waiting.request.batch.project, id)
    }
    if (waiting?.request.type === 'close') this.#moveOut(waiting.request.project)
    if (outcome.ok) waiting?.resolve(outcome.value as never)
    else waiting?.reject(fromWire(outcome.error))
  }

  #moveOut(project: ProjectKey): void {
    this.#slots.delete(project)
    this.#opened.delete(project)
    this.#notices.forget(project)
  }

  #serve(asked: Thread, { id, name, argument }: Extract<FromWorker, { type: 'service' }>): void {
    const service = this.#deps.services[name] as (argument: unknown) => Promise<unknown>
    const reply = (message: ToWorker) => {
      if (asked === this.#thread) this.#send(message)
    }
    service(argument).then(
      (value) => {
        if (name === 'sign') this.#unsettled.add(argument as SignRequest, value as SignedTransaction)
        // Signed for a thread that has ended meanwhile: nobody will use it.
        if (name === 'sign' && asked !== this.#thread)
          this.#unsettled.release(this.#deps.services, value as SignedTransaction)
        reply({ type: 'answer', id, outcome: { ok: true, value } })
      },
      (error: unknown) => reply({ type: 'answer', id, outcome: { ok: false, error: toWire(error) } }),
    )
  }
}
