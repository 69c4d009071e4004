import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Database, ProjectStore, ProjectTip } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { encodePrepared, preparedName } from '../../engine/prepared-file.ts'
import type { Progress } from '../host/progress.ts'
import type { LiveModules } from '../live-modules.ts'
import { Processor } from '../process.ts'
import type { Stopped } from '../witness.ts'
import type { AutoSnapshots } from './auto-snapshots.ts'
import { ExecutorError } from './errors.ts'
import type { DecidedBatch, ExecutorServices, ModuleReport, OutboxChange, TimedBatch } from './executor.ts'
import { Turns } from './turns.ts'
import { WaitMeter } from './wait-meter.ts'

export interface ProjectThreadDeps {
  readonly database: Database
  readonly engine: Engine
  readonly modules: LiveModules
  readonly services: ExecutorServices
  readonly snapshots?: AutoSnapshots
  readonly progressOf: (project: ProjectKey) => Progress
}

interface OpenProject {
  readonly processor: Processor
  /** Of the services that the project asks. */
  readonly meter: WaitMeter
  /** What was asked of the project last; the next begins behind it. */
  tail: Promise<unknown>
}

/**
 * Everything an executor does inside one thread: it owns the stores of its projects and runs their batches, each project's in
 * order, the projects in turns.
 */
export class ProjectThread {
  readonly #deps: ProjectThreadDeps
  readonly #projects = new Map<ProjectKey, OpenProject>()
  readonly #turns = new Turns()

  constructor(deps: ProjectThreadDeps) {
    this.#deps = deps
  }

  async open(project: ProjectKey): Promise<ProjectTip> {
    const open = this.#projects.get(project)
    if (open) return open.processor.tip
    const { database, modules, services } = this.#deps
    const store = await database.openProject(project)
    const progress = this.#deps.progressOf(project)
    const meter = new WaitMeter(services)
    const processor = await Processor.open(project, { store, modules, services: meter, progress })
    // The snapshot of this height may be missing: the node ended behind its batch.
    const tail = this.#snapshot(project, processor.tip.height) ?? Promise.resolve()
    this.#projects.set(project, { processor, meter, tail })
    return processor.tip
  }

  execute(batch: DecidedBatch, stopped: readonly Stopped[]): Promise<TimedBatch> {
    return this.#behind(batch.project, async ({ processor, meter }) => {
      await this.#turns.next(batch.project)
      const began = performance.now()
      const waitedMs = meter.waitedMs
      try {
        const executed = await processor.execute(batch, stopped)
        const tookMs = performance.now() - began
        await this.#snapshot(batch.project, executed.height)
        return { ...executed, tookMs }
      } finally {
        const ranMs = performance.now() - began - (meter.waitedMs - waitedMs)
        this.#turns.used(batch.project, ranMs, processor.weight)
      }
    })
  }

  async updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): Promise<void> {
    await this.#behind(project, ({ processor }) => processor.store.outboxUpdate(changes))
  }

  async putCertificate(project: ProjectKey, height: bigint, certificate: Uint8Array): Promise<void> {
    await this.#behind(project, ({ processor }) => processor.store.putCertificates([{ height, certificate }]))
  }

  removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void> {
    return this.#behind(project, ({ processor }) => processor.store.removeLogs(instanceId))
  }

  inspectModule(wasm: Uint8Array): ModuleReport {
    const prepared = this.#deps.engine.prepare(wasm)
    const { codeHash, handlers, reducers, imports } = prepared
    return { codeHash, handlers, reducers, imports, prepared: { name: preparedName, bytes: encodePrepared(prepared) } }
  }

  /** @returns whether something is left to do without a message */
  async close(project: ProjectKey): Promise<boolean> {
    const open = this.#projects.get(project)
    if (!open) return false
    this.#projects.delete(project)
    await open.tail
    this.#turns.forget(project)
    this.#deps.modules.release(project)
    const { store } = open.processor
    try {
      return await hasUnfinished(store)
    } finally {
      await store.close()
    }
  }

  async stop(): Promise<void> {
    await this.#deps.snapshots?.stop()
    await Promise.all([...this.#projects.keys()].map((project) => this.close(project)))
  }

  /** Holds the state for a snapshot when one is due; the project's next batch waits until it is held. */
  #snapshot(project: ProjectKey, height: bigint): Promise<void> | undefined {
    const { snapshots } = this.#deps
    return snapshots?.isDue(height) ? snapshots.hold(project, height) : undefined
  }

  /** Runs a task of a project after those before it, whatever became of them. */
  #behind<T>(project: ProjectKey, task: (open: OpenProject) => T | Promise<T>): Promise<T> {
    const open = this.#projects.get(project)
    if (!open) return Promise.reject(new ExecutorError({ code: 'PROJECT_NOT_OPEN', project }))
    const result = open.tail.then(() => task(open))
    open.tail = result.catch(() => undefined)
    return result
  }
}

/** Whether effects are not settled, or the newest batch has no certificate. */
async function hasUnfinished(store: ProjectStore): Promise<boolean> {
  if ((await store.outboxPending()).length > 0) return true
  const { height } = await store.tip()
  return height > 0n && (await store.batch(height))?.certificate.length === 0
}
