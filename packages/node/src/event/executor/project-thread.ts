import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Database, ProjectTip } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { encodePrepared, preparedName } from '../../engine/prepared-file.ts'
import type { Stopped } from '../batch-run.ts'
import type { Progress } from '../handler-host.ts'
import type { LiveModules } from '../live-modules.ts'
import { Processor } from '../process.ts'
import { ExecutorError } from './errors.ts'
import type { DecidedBatch, ExecutedBatch, ExecutorServices, ModuleReport, OutboxChange } from './executor.ts'

export interface ProjectThreadDeps {
  readonly database: Database
  readonly engine: Engine
  readonly modules: LiveModules
  readonly services: ExecutorServices
  readonly progressOf: (project: ProjectKey) => Progress
}

/** Everything an executor does inside one thread: it owns the stores of its projects and runs their batches, each project's in order. */
export class ProjectThread {
  readonly #deps: ProjectThreadDeps
  readonly #projects = new Map<ProjectKey, { processor: Processor; tail: Promise<unknown> }>()

  constructor(deps: ProjectThreadDeps) {
    this.#deps = deps
  }

  async open(project: ProjectKey): Promise<ProjectTip> {
    const open = this.#projects.get(project)
    if (open) return open.processor.tip
    const { database, modules, services } = this.#deps
    const store = await database.openProject(project)
    const progress = this.#deps.progressOf(project)
    const processor = await Processor.open(project, { store, modules, services, progress })
    this.#projects.set(project, { processor, tail: Promise.resolve() })
    return processor.tip
  }

  execute(batch: DecidedBatch, stopped: readonly Stopped[]): Promise<ExecutedBatch> {
    return this.#inTurn(batch.project, (processor) => processor.execute(batch, stopped))
  }

  async updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): Promise<void> {
    await this.#inTurn(project, (processor) => processor.store.outboxUpdate(changes))
  }

  async putCertificate(project: ProjectKey, height: bigint, certificate: Uint8Array): Promise<void> {
    await this.#inTurn(project, (processor) => processor.store.putCertificates([{ height, certificate }]))
  }

  removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    return this.#inTurn(project, (processor) => processor.store.removeLogs(instanceId))
  }

  inspectModule(wasm: Uint8Array): ModuleReport {
    const prepared = this.#deps.engine.prepare(wasm)
    const { codeHash, handlers, imports } = prepared
    return { codeHash, handlers, imports, prepared: { name: preparedName, bytes: encodePrepared(prepared) } }
  }

  async close(project: ProjectKey): Promise<void> {
    const open = this.#projects.get(project)
    if (!open) return
    this.#projects.delete(project)
    await open.tail
    await open.processor.store.close()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#projects.keys()].map((project) => this.close(project)))
  }

  /** Runs a task of a project after those before it, whatever became of them. */
  #inTurn<T>(project: ProjectKey, task: (processor: Processor) => T | Promise<T>): Promise<T> {
    const open = this.#projects.get(project)
    if (!open) return Promise.reject(new ExecutorError({ code: 'PROJECT_NOT_OPEN', project }))
    const result = open.tail.then(() => task(open.processor))
    open.tail = result.catch(() => undefined)
    return result
  }
}
