import type { ProjectKey } from '@w3bstream/protocol'
import type { Database, StateExport } from '../../database/database.ts'
import type { Snapshots } from '../../database/snapshot/snapshots.ts'

export interface AutoSnapshotOptions {
  /** Where snapshots are, a directory for each project. */
  readonly directory: string
  /** A snapshot of a project at each multiple of this height; 0 for none. */
  readonly every: number
  /** Snapshots of a project that stay. */
  readonly keep: number
}

/** What became of a snapshot that was due. */
export interface SnapshotReport {
  readonly project: ProjectKey
  readonly height: bigint
  /** Size of its content; nothing when it was not written. */
  readonly contentBytes?: number
  readonly error?: unknown
}

export interface AutoSnapshotDeps {
  readonly database: Pick<Database, 'exportState'>
  readonly snapshots: Pick<Snapshots, 'list' | 'write'>
  report(report: SnapshotReport): void
}

interface Due {
  readonly project: ProjectKey
  readonly state: StateExport
}

/** States held still at a time, of all projects of a thread: each keeps its store's write-ahead log from being cut. */
const maxHeld = 16

/**
 * Takes snapshots at the same heights on every member, so that their digests can be compared. The state is held still between
 * two batches; it is written while the project goes on, one snapshot at a time. One that would be the 17th to wait is left
 * out, and reported.
 */
export class AutoSnapshots {
  readonly #every: bigint
  readonly #keep: number
  readonly #deps: AutoSnapshotDeps
  readonly #waiting: Due[] = []
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined
  #held = 0

  constructor({ every, keep }: Pick<AutoSnapshotOptions, 'every' | 'keep'>, deps: AutoSnapshotDeps) {
    this.#every = BigInt(every)
    this.#keep = keep
    this.#deps = deps
  }

  isDue(height: bigint): boolean {
    return this.#every > 0n && height > 0n && height % this.#every === 0n
  }

  /** Holds the state that the project has now, at a height that is due; no batch may be executed before this returns. */
  async hold(project: ProjectKey, height: bigint): Promise<void> {
    try {
      const there = await this.#deps.snapshots.list(project)
      if (this.#stopping.signal.aborted || there.some((snapshot) => snapshot.height === height)) return
      if (this.#held >= maxHeld) throw new Error(`${this.#held} snapshots are waiting to be written`)
      const state = await this.#deps.database.exportState(project)
      this.#held++
      this.#waiting.push({ project, state })
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined
      })
    } catch (error) {
      this.#deps.report({ project, height, error })
    }
  }

  /** What is not written yet is given up; a project that still stands at the height when it is opened again is taken then. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  async #work(): Promise<void> {
    for (let due = this.#waiting.shift(); due; due = this.#waiting.shift()) {
      await this.#write(due)
      this.#held--
    }
  }

  async #write({ project, state }: Due): Promise<void> {
    const { height } = state.tip
    const { signal } = this.#stopping
    try {
      const { header } = await this.#deps.snapshots.write(project, state, { keep: this.#keep, signal })
      this.#deps.report({ project, height, contentBytes: header.contentBytes })
    } catch (error) {
      if (!signal.aborted) this.#deps.report({ project, height, error })
    } finally {
      await state.close()
    }
  }
}
