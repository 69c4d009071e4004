import type { Message, ProjectKey, Sfid } from '@w3bstream/protocol'
import type { ProjectTip } from '../database/database.ts'
import { ApiError } from '../endpoint/api-error.ts'
import type { Service } from '../endpoint/endpoint.ts'
import { untilAborted } from '../util/until-aborted.ts'
import type { Executor, OutboxChange, TimedBatch } from './executor/executor.ts'
import type { Committed } from './mailbox.ts'
import type { OrderedMessages } from './order.ts'
import { Pipeline, type PipelineDeps, type PipelineOptions } from './pipeline.ts'
import { Places } from './places.ts'

export interface EventManagerOptions extends PipelineOptions {
  /** Projects whose stores are open at once; the others wait for a place. */
  readonly openProjects: number
  /** A project that has had nothing to do for so long is closed, milliseconds. */
  readonly idleProjectMs: number
}

export interface EventManagerDeps extends Omit<PipelineDeps, 'executor' | 'openStore' | 'onCommitted'> {
  readonly executor: Executor
  /** Called before a project is opened, which waits for it. What it throws is the answer. */
  onOpen(project: ProjectKey): Promise<void>
  onCommitted(project: ProjectKey, batch: TimedBatch, messages: OrderedMessages): void
  /** A project was closed. @param unfinished whether effects or certificates are left for later */
  onClosed(project: ProjectKey, unfinished: boolean): void
}

/**
 * Keeps a pipeline for every project that has something to do. A message opens its project; one that has nothing to do for
 * a while is closed, and so is one whose place others need. Nobody notices: what comes meanwhile waits in the mailbox.
 */
export class EventManager implements Service {
  readonly name = 'event'
  readonly #options: EventManagerOptions
  readonly #deps: EventManagerDeps
  readonly #pipelines = new Map<ProjectKey, Pipeline>()
  readonly #places: Places<Pipeline>
  readonly #closing = new Map<Pipeline, Promise<void>>()
  #sweep: NodeJS.Timeout | undefined
  #stopping = false

  constructor(options: EventManagerOptions, deps: EventManagerDeps) {
    this.#options = options
    this.#deps = deps
    this.#places = new Places(options.openProjects, (pipeline) => void this.#close(pipeline))
  }

  async start(): Promise<void> {
    this.#stopping = false
    await this.#deps.executor.start()
    this.#sweep = setInterval(() => this.#closeIdle(), Math.max(10, this.#options.idleProjectMs / 4)).unref()
  }

  /**
   * Takes no more messages, waits until those that were taken are answered, then lets the executor go. At the signal it
   * waits no longer: what was not committed was not acknowledged either, and its sender will try again.
   */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#stopping = true
    clearInterval(this.#sweep)
    await untilAborted(this.#drain(), signal)
    await untilAborted(this.#deps.executor.stop(), signal)
    this.#pipelines.clear()
  }

  async #drain(): Promise<void> {
    await Promise.all([...this.#pipelines.keys()].map((project) => this.close(project)))
  }

  /** Number of projects that are open, or on their way there. */
  get openProjects(): number {
    return this.#places.taken
  }

  /** Resolves when the message's batch is on disk. @throws ApiError MailboxFull, NodeStopping, DiskFull, ProjectNotFound */
  submit(project: ProjectKey, message: Message): Promise<Committed> {
    if (this.#stopping) return Promise.reject(new ApiError('NodeStopping', '', { retryAfterMs: 5000 }))
    return this.#pipeline(project).offer(message)
  }

  /** Forgets the log lines of an instance. */
  removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    return this.#opened(project, () => this.#deps.executor.removeLogs(project, instanceId))
  }

  /** Notes what became of effects; on disk soon after. @throws ApiError ProjectNotFound */
  updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): Promise<void> {
    return this.#opened(project, () => this.#deps.executor.updateOutbox(project, changes))
  }

  /** Opens a project before its first message, which continues its history and certifies the end of it. */
  wake(project: ProjectKey): Promise<void> {
    return this.#opened(project, () => {})
  }

  acceptsWork(project: ProjectKey): boolean {
    return !this.#stopping && (this.#pipelines.get(project)?.acceptsWork ?? true)
  }

  whenReady(project: ProjectKey, callback: () => void): () => void {
    const pipeline = this.#pipelines.get(project)
    if (pipeline && !pipeline.acceptsWork) return pipeline.whenReady(callback)
    queueMicrotask(callback)
    return () => {}
  }

  /** Answers what waits, then closes the project's store. */
  async close(project: ProjectKey): Promise<void> {
    const pipeline = this.#pipelines.get(project)
    if (!pipeline) return
    await pipeline.drain()
    await this.#close(pipeline)
  }

  /** Does something that needs the store, which is not closed before that was handed over. */
  async #opened<T>(project: ProjectKey, work: () => T | Promise<T>): Promise<T> {
    for (;;) {
      const pipeline = this.#pipeline(project)
      await this.#closing.get(pipeline)
      await pipeline.open()
      // Somebody who waited longer may have closed it again.
      if (this.#pipelines.get(project) !== pipeline || this.#closing.has(pipeline)) continue
      pipeline.touch()
      return work()
    }
  }

  #pipeline(project: ProjectKey): Pipeline {
    const known = this.#pipelines.get(project)
    if (known) return known
    const { onCommitted, executor } = this.#deps
    const pipeline: Pipeline = new Pipeline(project, this.#options, {
      ...this.#deps,
      executor,
      openStore: () => this.#openStore(project, pipeline),
      onCommitted: (batch, messages) => onCommitted(project, batch, messages),
    })
    this.#pipelines.set(project, pipeline)
    return pipeline
  }

  async #openStore(project: ProjectKey, pipeline: Pipeline): Promise<ProjectTip> {
    await this.#places.take(pipeline)
    try {
      await this.#deps.onOpen(project)
      return await this.#deps.executor.open(project)
    } catch (error) {
      this.#forget(pipeline)
      this.#places.free(pipeline)
      throw error
    }
  }

  #closeIdle(): void {
    const before = this.#deps.now() - this.#options.idleProjectMs
    for (const pipeline of this.#pipelines.values())
      if (!pipeline.busy && pipeline.usedMs <= before) void this.#close(pipeline)
  }

  /** Closes a project between two batches. Resolves when it is closed and its place is free. */
  #close(pipeline: Pipeline): Promise<void> {
    let closing = this.#closing.get(pipeline)
    if (!closing) {
      closing = this.#closeStore(pipeline)
      this.#closing.set(pipeline, closing)
    }
    return closing
  }

  async #closeStore(pipeline: Pipeline): Promise<void> {
    await pipeline.pause()
    if (pipeline.isOpen) await this.#letGo(pipeline.project)
    this.#closing.delete(pipeline)
    this.#places.free(pipeline)
    if (!pipeline.busy) this.#forget(pipeline)
    // What came meanwhile opens the store again.
    pipeline.closed()
  }

  async #letGo(project: ProjectKey): Promise<void> {
    try {
      const unfinished = await this.#deps.executor.close(project)
      this.#deps.onClosed(project, unfinished)
    } catch (error) {
      this.#deps.logger.error('a project was not closed cleanly', { project }, error)
      this.#deps.onClosed(project, true)
    }
  }

  #forget(pipeline: Pipeline): void {
    if (this.#pipelines.get(pipeline.project) === pipeline) this.#pipelines.delete(pipeline.project)
  }
}
