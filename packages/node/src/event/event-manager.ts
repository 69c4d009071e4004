import type { Message, ProjectKey, Sfid } from '@w3bstream/protocol'
import { ApiError } from '../endpoint/api-error.ts'
import type { Service } from '../endpoint/endpoint.ts'
import { untilAborted } from '../util/until-aborted.ts'
import type { ExecutedBatch, Executor } from './executor/executor.ts'
import type { Committed } from './mailbox.ts'
import type { OrderedMessages } from './order.ts'
import { Pipeline, type PipelineDeps, type PipelineOptions } from './pipeline.ts'

export interface EventManagerDeps extends Omit<PipelineDeps, 'onCommitted'> {
  readonly executor: Executor
  /** Called before a project does anything in this run of the node, which waits for it. What it throws is the answer. */
  onOpen(project: ProjectKey): Promise<void>
  onCommitted(project: ProjectKey, batch: ExecutedBatch, messages: OrderedMessages): void
}

/** Keeps a pipeline for every project that has something to do; a project's first message opens it. */
export class EventManager implements Service {
  readonly name = 'event'
  readonly #options: PipelineOptions
  readonly #deps: EventManagerDeps
  readonly #open = new Map<ProjectKey, Pipeline>()
  readonly #opening = new Map<ProjectKey, Promise<Pipeline>>()
  #stopping = false

  constructor(options: PipelineOptions, deps: EventManagerDeps) {
    this.#options = options
    this.#deps = deps
  }

  async start(): Promise<void> {
    this.#stopping = false
    await this.#deps.executor.start()
  }

  /**
   * Takes no more messages, waits until those that were taken are answered, then lets the executor go. At the signal it
   * waits no longer: what was not committed was not acknowledged either, and its sender will try again.
   */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#stopping = true
    await untilAborted(this.#drain(), signal)
    this.#open.clear()
    await untilAborted(this.#deps.executor.stop(), signal)
  }

  async #drain(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
    await Promise.all([...this.#open.values()].map((pipeline) => pipeline.drain()))
  }

  /** Resolves when the message's batch is on disk. @throws ApiError MailboxFull, NodeStopping, DiskFull */
  submit(project: ProjectKey, message: Message): Promise<Committed> {
    if (this.#stopping) return Promise.reject(new ApiError('NodeStopping', '', { retryAfterMs: 5000 }))
    const pipeline = this.#open.get(project)
    return pipeline ? pipeline.offer(message) : this.#pipeline(project).then((opened) => opened.offer(message))
  }

  /** Forgets the log lines of an instance. */
  async removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    if (!this.#open.has(project)) await this.#pipeline(project)
    await this.#deps.executor.removeLogs(project, instanceId)
  }

  /** Opens a project before its first message, which continues its history and certifies the end of it. */
  async wake(project: ProjectKey): Promise<void> {
    if (!this.#open.has(project)) await this.#pipeline(project)
  }

  acceptsWork(project: ProjectKey): boolean {
    return !this.#stopping && (this.#open.get(project)?.acceptsWork ?? true)
  }

  whenReady(project: ProjectKey, callback: () => void): () => void {
    const pipeline = this.#open.get(project)
    if (pipeline && !pipeline.acceptsWork) return pipeline.whenReady(callback)
    queueMicrotask(callback)
    return () => {}
  }

  /** Answers what waits, then closes the project's store. */
  async close(project: ProjectKey): Promise<void> {
    await this.#opening.get(project)?.catch(() => undefined)
    await this.#open.get(project)?.drain()
    this.#open.delete(project)
    await this.#deps.executor.close(project)
  }

  #pipeline(project: ProjectKey): Promise<Pipeline> {
    let opening = this.#opening.get(project)
    if (opening === undefined) {
      const onCommitted: PipelineDeps['onCommitted'] = (batch, messages) =>
        this.#deps.onCommitted(project, batch, messages)
      opening = this.#deps
        .onOpen(project)
        .then(() => Pipeline.open(project, this.#options, { ...this.#deps, onCommitted }))
      this.#opening.set(project, opening)
      opening
        .then(
          (pipeline) => this.#open.set(project, pipeline),
          () => undefined,
        )
        .finally(() => this.#opening.delete(project))
    }
    return opening
  }
}
