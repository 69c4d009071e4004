import { batchHash, decodeBatchHeader, equalBytes, fromHex, type ProjectKey } from '@w3bstream/protocol'
import type { ProjectStore, ProjectTip } from '../database/database.ts'
import { defaultProjectSettings, type ProjectDefinition } from '../project/definition.ts'
import { definitionFromRows, definitionKinds } from '../project/definition-rows.ts'
import { BatchRun } from './batch/batch-run.ts'
import { ExecutorError } from './executor/errors.ts'
import type { DecidedBatch, ExecutedBatch, ExecutorServices } from './executor/executor.ts'
import type { Progress } from './host/progress.ts'
import type { LiveModules } from './live-modules.ts'
import { recallBatch } from './recall-batch.ts'
import { Router } from './router.ts'
import type { Stopped } from './witness.ts'

export interface ProcessorDeps {
  readonly store: ProjectStore
  readonly modules: LiveModules
  readonly services: ExecutorServices
  readonly progress: Progress
}

/**
 * Executes a project's batches: each is one transaction in which every message runs its handlers, and messages, writes,
 * receipts and effects become durable together. The same history gives the same bytes on every member.
 */
export class Processor {
  readonly #project: ProjectKey
  readonly #projectBytes: Uint8Array
  readonly #deps: ProcessorDeps
  #tip: ProjectTip
  #definition: ProjectDefinition | undefined
  #router: Router | undefined

  private constructor(
    project: ProjectKey,
    tip: ProjectTip,
    definition: ProjectDefinition | undefined,
    deps: ProcessorDeps,
  ) {
    this.#project = project
    this.#projectBytes = fromHex(project, 32)
    this.#tip = tip
    this.#deps = deps
    this.#setDefinition(definition)
  }

  static async open(project: ProjectKey, deps: ProcessorDeps): Promise<Processor> {
    const rows = await Promise.all(definitionKinds.map((kind) => deps.store.definition(kind)))
    return new Processor(project, await deps.store.tip(), definitionFromRows(rows.flat()), deps)
  }

  get tip(): ProjectTip {
    return this.#tip
  }

  /** Share of its thread that the project gets when others are busy too. */
  get weight(): number {
    return (this.#definition?.settings ?? defaultProjectSettings).weight
  }

  get store(): ProjectStore {
    return this.#deps.store
  }

  /**
   * Executes the batch that follows the tip. When it throws, nothing of the batch stays. The tip itself may be given again
   * by who was not told what came of it.
   * @param stopped handler runs that are reported as stopped, not run
   * @throws ExecutorError BATCH_OUT_OF_ORDER; DatabaseError
   */
  async execute(batch: DecidedBatch, stopped: readonly Stopped[] = []): Promise<ExecutedBatch> {
    const header = decodeBatchHeader(batch.header)
    const wanted = this.#tip.height + 1n
    if (header.height === this.#tip.height && equalBytes(batchHash(header), this.#tip.batchHash))
      return recallBatch(this.#deps.store, header.height)
    if (header.height !== wanted || !equalBytes(header.previous, this.#tip.batchHash))
      throw new ExecutorError({ code: 'BATCH_OUT_OF_ORDER', height: header.height, wanted })
    const before = { definition: this.#definition, router: this.#router }
    const transaction = await this.#deps.store.begin()
    try {
      const run = new BatchRun(
        { project: this.#project, projectBytes: this.#projectBytes, header, batch, stopped },
        { definition: this.#definition, router: this.#router },
        { ...this.#deps, transaction },
      )
      const { row, executed, tip } = await run.all(this.#tip)
      await transaction.commit(row)
      this.#tip = tip
      if (executed.definitionChanges.length > 0) this.#setDefinition(run.definition)
      return executed
    } catch (error) {
      await transaction.rollback()
      this.#definition = before.definition
      this.#router = before.router
      throw error
    }
  }

  #setDefinition(definition: ProjectDefinition | undefined): void {
    this.#definition = definition
    this.#router = definition && new Router(definition)
  }
}
