import type { ProjectKey } from '@w3bstream/protocol'
import type { OutboxRange, OutboxRow } from '../../database/database.ts'
import type { Logger } from '../../telemetry/logger.ts'

export interface LaneOptions {
  /** Effects in memory, beside the first of each project; the others wait in their outboxes. */
  readonly held: number
  readonly heldPerProject: number
  /** Bytes of their bodies; half of them are kept for the first of each project. */
  readonly heldBytes: number
  /** Effects that are being carried out. */
  readonly running: number
  readonly runningPerProject: number
}

export interface LaneDeps {
  /** Whether an effect goes through this lane. */
  takes(row: OutboxRow): boolean
  /**
   * Carries an effect out. Never fails.
   * @param signal aborts when the lane is closed, or the project forgotten
   * @returns how long to rest before it is tried again, milliseconds; nothing when it has ended
   */
  run(project: ProjectKey, row: OutboxRow, signal: AbortSignal): Promise<number | undefined>
  /** Effects of a project's outbox that are not settled, in the order of the history. */
  pending(project: ProjectKey, range: OutboxRange): Promise<readonly OutboxRow[]>
  readonly logger: Logger
}

/** What one project has in the lane. */
interface Share {
  readonly waiting: OutboxRow[]
  /** Ends what is being carried out. */
  readonly stop: AbortController
  held: number
  heldBytes: number
  running: number
  /** Where its outbox goes on with effects that are not in memory. */
  left: OutboxRange['from']
  /** Whether more was left since the outbox was last asked. */
  more: boolean
  reading: boolean
  /** How many effects had ended when the next of its outbox found no room. */
  stalledAt: number | undefined
}

/** Effects that are read from an outbox at once: each may have megabytes. */
const readAtOnce = 16
/** Rest after an outbox could not be read, milliseconds. */
const unreadableRestMs = 5000

/**
 * Effects of one sort on their way, those of a project begun in the order of the history, the projects in turn. Memory is
 * bounded: from the first effect that does not fit, the rest of its project is left in the outbox, and read when there is
 * room again. A project holds no more than it leaves to all others together, and the first effect of each has room of its
 * own: however many take all they can, one that comes is served.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #deps: LaneDeps
  /** The one that had its turn last stands last. */
  readonly #shares = new Map<ProjectKey, Share>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #held = 0
  #heldBytes = 0
  #running = 0
  #ended = 0
  #state: 'shut' | 'open' | 'closed' = 'shut'

  constructor(options: LaneOptions, deps: LaneDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Effects in memory. */
  get size(): number {
    return this.#held
  }

  /** Takes effects that are on disk, later ones of a project after earlier ones. */
  add(project: ProjectKey, rows: readonly OutboxRow[]): void {
    for (const row of rows) if (this.#deps.takes(row)) this.#take(project, row)
    this.#begin()
  }

  /** From now on effects are carried out. */
  open(): void {
    if (this.#state === 'shut') this.#state = 'open'
    this.#begin()
  }

  /** Begins nothing any more; what has not ended stays in the outbox. */
  close(): void {
    this.#state = 'closed'
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const { stop } of this.#shares.values()) stop.abort()
  }

  /** Carries out nothing of this project any more, and ends what is under way. */
  forget(project: ProjectKey): void {
    const share = this.#shares.get(project)
    if (!share) return
    this.#shares.delete(project)
    share.stop.abort()
    for (const row of share.waiting.splice(0)) this.#release(share, row)
    this.#begin()
  }

  #take(project: ProjectKey, row: OutboxRow): void {
    const share = this.#shareOf(project)
    if (share.left) share.more = true
    else if (this.#hasRoom(share, row)) this.#hold(share, row)
    else {
      share.left = { height: row.height, index: row.index }
      share.more = true
    }
  }

  #shareOf(project: ProjectKey): Share {
    let share = this.#shares.get(project)
    if (!share) {
      const empty = { held: 0, heldBytes: 0, running: 0, left: undefined, more: false, reading: false }
      share = { ...empty, waiting: [], stop: new AbortController(), stalledAt: undefined }
      this.#shares.set(project, share)
    }
    return share
  }

  #hasRoom(share: Share, row: OutboxRow): boolean {
    const { held, heldPerProject, heldBytes } = this.#options
    const bytes = row.body.length
    // One effect always fits, however large it is.
    if (this.#held === 0) return true
    if (share.held === 0) return this.#heldBytes + bytes <= heldBytes
    return (
      share.held < Math.min(heldPerProject, held - this.#held) &&
      share.heldBytes + bytes <= heldBytes / 2 - this.#heldBytes
    )
  }

  #hold(share: Share, row: OutboxRow): void {
    share.waiting.push(row)
    share.held++
    share.heldBytes += row.body.length
    this.#held++
    this.#heldBytes += row.body.length
  }

  #release(share: Share, row: OutboxRow): void {
    this.#ended++
    share.held--
    share.heldBytes -= row.body.length
    this.#held--
    this.#heldBytes -= row.body.length
  }

  /** Begins what may begin, one effect of each project after the other. */
  #begin(): void {
    if (this.#state !== 'open') return
    let begun = true
    while (begun && this.#running < this.#options.running) {
      begun = false
      for (const [project, share] of [...this.#shares]) {
        if (this.#running >= this.#options.running) break
        if (share.running >= this.#options.runningPerProject) continue
        const row = share.waiting.shift()
        if (!row) continue
        begun = true
        this.#shares.delete(project)
        this.#shares.set(project, share)
        void this.#run(project, share, row)
      }
    }
    this.#refill()
  }

  async #run(project: ProjectKey, share: Share, row: OutboxRow): Promise<void> {
    share.running++
    this.#running++
    const restMs = await this.#deps.run(project, row, share.stop.signal)
    share.running--
    this.#running--
    if (restMs === undefined || this.#shares.get(project) !== share) this.#release(share, row)
    else
      this.#after(restMs, () => {
        if (this.#shares.get(project) === share) share.waiting.unshift(row)
        else this.#release(share, row)
      })
    this.#begin()
  }

  #after(restMs: number, action: () => void): void {
    if (this.#state === 'closed') return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
      this.#begin()
    }, restMs).unref()
    this.#timers.add(timer)
  }

  #refill(): void {
    for (const [project, share] of this.#shares) {
      if (share.left && !share.reading && this.#isWorthReading(share)) void this.#read(project, share)
      else if (!share.left && share.held === 0) this.#shares.delete(project)
    }
  }

  /**
   * Whether there is room for as many as are read at once, or nothing of the project in memory, and more room than when the
   * next one found none.
   */
  #isWorthReading(share: Share): boolean {
    const { held, heldPerProject, heldBytes } = this.#options
    if (share.stalledAt === this.#ended) return false
    if (this.#held === 0) return true
    if (this.#heldBytes >= heldBytes) return false
    // Each that is taken narrows twice what the project may hold: by itself, and by what it leaves to others.
    const room = Math.min(heldPerProject - share.held, Math.ceil((held - this.#held - share.held) / 2))
    return room >= Math.min(readAtOnce, Math.ceil(held / 2), heldPerProject) || share.held === 0
  }

  /** Takes what was left, as much as there is room for. */
  async #read(project: ProjectKey, share: Share): Promise<void> {
    share.reading = true
    share.more = false
    try {
      const from = share.left
      const rows = await this.#deps.pending(project, { from, limit: readAtOnce })
      if (this.#shares.get(project) !== share) return
      const fits = this.#takeRead(share, rows)
      share.stalledAt = fits ? undefined : this.#ended
      // What was committed meanwhile may be behind what was read.
      if (fits && rows.length < readAtOnce && !share.more) share.left = undefined
      share.reading = false
    } catch (error) {
      this.#deps.logger.warn('effects wait in an outbox that cannot be read', { project }, error)
      this.#after(unreadableRestMs, () => {
        share.reading = false
      })
      return
    }
    this.#begin()
  }

  /** @returns whether all of them found room */
  #takeRead(share: Share, rows: readonly OutboxRow[]): boolean {
    for (const row of rows) {
      const { height, index } = row
      share.left = { height, index }
      if (this.#deps.takes(row)) {
        if (!this.#hasRoom(share, row)) return false
        this.#hold(share, row)
      }
      share.left = { height, index: index + 1 }
    }
    return true
  }
}
