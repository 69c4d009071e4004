import type { ProjectKey } from '@w3bstream/protocol'
import type { Database, ProjectReader, ProjectStore, ProjectTip, StateExport } from '../../database/database.ts'
import type { ListedSnapshot, Snapshots } from '../../database/snapshot/snapshots.ts'
import type { LiveModules } from '../live-modules.ts'
import { Processor } from '../process.ts'
import { stoppedRuns } from '../witness.ts'
import { compareStates } from './compare-state.ts'
import { compareBytes, compareReceipts, type Difference, shown } from './difference.ts'
import { ReplayError } from './errors.ts'
import { compareCertificate, examine, readStoredBatch, type StoredBatch } from './stored-batch.ts'
import { WitnessServices } from './witness-services.ts'

export interface ReplayOptions {
  /** First batch that is compared. @default 1 */
  readonly from?: bigint
  /** Last one. @default the last of the history when the replay begins */
  readonly to?: bigint
  /** Go on behind a batch that differs; what depends on it will differ too. @default false */
  readonly keepGoing?: boolean
}

export interface ReplayDeps {
  /** Where the history is. It is only read, beside a writer or without one. */
  readonly database: Pick<Database, 'openReader' | 'exportState'>
  readonly snapshots: Pick<Snapshots, 'nearest' | 'restore'>
  /** An empty place for the copy on which the batches are executed. */
  readonly scratch: Database
  readonly modules: LiveModules
  /** Told after each batch. */
  onProgress?(progress: { readonly height: bigint; readonly to: bigint; readonly messages: number }): void
  /** Told of each difference as it is found. */
  onDifference?(difference: Difference): void
}

export interface ReplaySummary {
  readonly from: bigint
  readonly to: bigint
  /** The snapshot that the copy began with; undefined when it began with nothing. */
  readonly snapshot: ListedSnapshot | undefined
  /** Batches and messages that were executed, those before `from` included. */
  readonly batches: number
  readonly messages: number
  readonly durationMs: number
  readonly differences: number
  /** Digest of the copy at the end. */
  readonly stateDigest: Uint8Array
  /** Whether tables, keys and definition were compared too: only at the end of the history. */
  readonly stateCompared: boolean
}

/**
 * Executes stored batches again on a copy, with their witness as the only outside world, and compares everything that came of
 * them: receipts byte by byte, roots, state digest, witness, and at the end of the history the state itself.
 * @throws ReplayError; DatabaseError SNAPSHOT_INVALID; VfsError FILE_NOT_FOUND for a module that is gone
 */
export async function replay(project: ProjectKey, options: ReplayOptions, deps: ReplayDeps): Promise<ReplaySummary> {
  const state = await deps.database.exportState(project)
  const reader = await deps.database.openReader(project)
  try {
    const { from = 1n, to = state.tip.height } = options
    if (from < 1n || to < from || to > state.tip.height)
      throw new ReplayError({ code: 'REPLAY_RANGE', from, to, tip: state.tip.height })
    const run = new Replay(project, { from, to, keepGoing: options.keepGoing ?? false }, reader, deps)
    return await run.all(state)
  } finally {
    await reader.close()
    await state.close()
  }
}

const noProgress = { enter() {}, leave() {}, pause: () => 0 }

class Replay {
  readonly #project: ProjectKey
  readonly #options: Required<ReplayOptions>
  readonly #reader: ProjectReader
  readonly #deps: ReplayDeps
  readonly #services = new WitnessServices()
  #differences = 0
  #batches = 0
  #messages = 0

  constructor(project: ProjectKey, options: Required<ReplayOptions>, reader: ProjectReader, deps: ReplayDeps) {
    this.#project = project
    this.#options = options
    this.#reader = reader
    this.#deps = deps
  }

  async all(state: StateExport): Promise<ReplaySummary> {
    const began = performance.now()
    const { from, to } = this.#options
    const snapshot = await this.#deps.snapshots.nearest(this.#project, from - 1n)
    if (snapshot) await this.#deps.snapshots.restore(this.#project, snapshot.file, this.#deps.scratch)
    const store = await this.#deps.scratch.openProject(this.#project)
    try {
      const tip = await this.#batchesOf(store, snapshot !== undefined)
      const stateCompared = tip.height === state.tip.height && (await this.#compareState(state))
      return {
        from,
        to,
        snapshot,
        batches: this.#batches,
        messages: this.#messages,
        durationMs: performance.now() - began,
        differences: this.#differences,
        stateDigest: tip.stateDigest,
        stateCompared,
      }
    } finally {
      await store.close()
    }
  }

  /** @returns where the copy stands in the end */
  async #batchesOf(store: ProjectStore, fromSnapshot: boolean): Promise<ProjectTip> {
    const { modules } = this.#deps
    const deps = { store, modules, services: this.#services, progress: noProgress }
    const processor = await Processor.open(this.#project, deps)
    if (fromSnapshot && !(await this.#isBeginning(processor.tip))) return processor.tip
    for (let height = processor.tip.height + 1n; height <= this.#options.to; height++) {
      const before = this.#differences
      const executed = await this.#batch(processor, height)
      this.#deps.onProgress?.({ height, to: this.#options.to, messages: this.#messages })
      if (!executed || (this.#differences > before && !this.#options.keepGoing)) break
    }
    return processor.tip
  }

  /** Whether the snapshot belongs to this history. */
  async #isBeginning({ height, batchHash, stateDigest }: ProjectTip): Promise<boolean> {
    const stored = await this.#reader.batch(height)
    this.#report([
      ...compareBytes({ height, field: 'snapshot.batch' }, stored?.hash, batchHash),
      ...compareBytes({ height, field: 'snapshot.stateDigest' }, stored?.stateDigest, stateDigest),
    ])
    return this.#differences === 0 || this.#options.keepGoing
  }

  /** @returns false when the batch cannot be executed */
  async #batch(processor: Processor, height: bigint): Promise<boolean> {
    const batch = await readStoredBatch(this.#reader, this.#project, height)
    const altered = examine(this.#project, batch, processor.tip.batchHash)
    this.#report(altered)
    if (altered.length > 0 && !this.#options.keepGoing) return false
    this.#services.load(batch.witness)
    try {
      await processor.execute(batch.decided, stoppedRuns(batch.witness))
    } catch (error) {
      if (altered.length === 0) throw error
      const found = error instanceof Error ? error.message : String(error)
      this.#report([{ height, field: 'execution', wanted: 'a batch that can be executed', found }])
      return false
    }
    this.#batches++
    this.#messages += batch.messages.length
    this.#report(await this.#compare(processor.store, batch))
    return true
  }

  async #compare(store: ProjectStore, { stored, ...batch }: StoredBatch): Promise<Difference[]> {
    const { height } = stored
    const [own, messages] = await Promise.all([store.batch(height), store.messages(height)])
    const receipts = batch.messages.flatMap((row, i) => [
      ...compareReceipts(height, row.index, row.receipt, messages[i]?.receipt),
      ...compareColumns(height, row, messages[i]),
    ])
    const roots = (['receiptsRoot', 'effectsRoot', 'stateDigest', 'witness'] as const).flatMap((field) =>
      compareBytes({ height, field }, stored[field], own?.[field]),
    )
    return [...receipts, ...roots, ...compareCertificate({ stored, ...batch }, own!)]
  }

  async #compareState(wanted: StateExport): Promise<boolean> {
    const found = await this.#deps.scratch.exportState(this.#project)
    try {
      this.#report(await compareStates(wanted, found))
      return true
    } finally {
      await found.close()
    }
  }

  #report(differences: readonly Difference[]): void {
    this.#differences += differences.length
    for (const difference of differences) this.#deps.onDifference?.(difference)
  }
}

const columns = ['kind', 'receivedMs', 'publisherId', 'eventType', 'eventId', 'status'] as const
type Columns = Readonly<Record<(typeof columns)[number], unknown>>

/** What the store keeps beside a message to find it by. */
function compareColumns(height: bigint, wanted: Columns & { index: number }, found: Columns | undefined): Difference[] {
  return columns
    .filter((field) => wanted[field] !== found?.[field])
    .map((field) => ({
      height,
      message: wanted.index,
      field: `message.${field}`,
      wanted: shown(wanted[field]),
      found: shown(found?.[field]),
    }))
}
