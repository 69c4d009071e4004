import type { ProjectKey } from '@w3bstream/protocol'
import type { ProjectReader } from '../../database/database.ts'
import type { Service } from '../../endpoint/endpoint.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { backoffMs } from '../../util/backoff.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import { DueQueue } from './due-queue.ts'
import type { TimerChange, TimerTable } from './timer-table.ts'
import type { Timer, TimerSource, Timers } from './timers.ts'

export interface TimerServiceDeps {
  readonly table: TimerTable
  /** Projects that worked in the last run of the node: what the table says of them may be behind. */
  worked(): readonly ProjectKey[]
  reader(project: ProjectKey): Promise<ProjectReader>
  exists(project: ProjectKey): boolean
  readonly now: () => number
  readonly logger: Logger
}

export interface TimerServiceOptions {
  /** Longest sleep, milliseconds: how late a timer may come after a step of the clock. @default 2000 */
  readonly sleepMs: number
  /** Timers that may be at work together; the others wait. @default 256 */
  readonly parallel: number
  /** Of them those of one project: what it has to do may take minutes, and the others go on. @default 4 */
  readonly parallelPerProject: number
  /** How long changes of the table are gathered, milliseconds. @default 1000 */
  readonly flushMs: number
}

export const defaultTimerOptions: TimerServiceOptions = {
  sleepMs: 2000,
  parallel: 256,
  parallelPerProject: 4,
  flushMs: 1000,
}

/** Rest before a timer that failed comes again, milliseconds. */
const retryRest = { minMs: 250, maxMs: 30_000 }

/** {@link Timers} over one queue in memory and one table on disk. */
export class TimerService implements Timers, Service {
  readonly name = 'timers'
  readonly #options: TimerServiceOptions
  readonly #deps: TimerServiceDeps
  readonly #sources = new Map<string, TimerSource>()
  readonly #queue = new DueQueue()
  /** Changes that the table does not have yet. */
  readonly #unwritten = new Map<string, TimerChange>()
  readonly #running = new Map<string, Promise<void>>()
  /** Timers that were due again while they were at work. */
  readonly #held = new Map<string, number>()
  /** How many timers of a project are at work, and those that are due beyond: times by their keys. */
  readonly #shares = new Map<ProjectKey, { running: number; readonly waiting: Map<string, number> }>()
  readonly #failures = new Map<string, number>()
  #open = false
  #wakeTimer: NodeJS.Timeout | undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #flushTimer: NodeJS.Timeout | undefined

  constructor(options: TimerServiceOptions, deps: TimerServiceDeps) {
    this.#options = options
    this.#deps = deps
  }

  add(source: TimerSource): void {
    this.#sources.set(source.kind, source)
  }

  set(timer: Timer): void {
    const key = keyOf(timer)
    if (this.#queue.get(key) === timer.atMs) return
    this.#shares.get(timer.project)?.waiting.delete(key)
    this.#queue.set(key, timer.atMs)
    this.#note(key, timer)
    this.#wakeBy(timer.atMs)
  }

  clear({ project, kind, id }: Omit<Timer, 'atMs'>): void {
    const key = keyOf({ project, kind, id })
    this.#queue.delete(key)
    this.#shares.get(project)?.waiting.delete(key)
    this.#held.delete(key)
    this.#failures.delete(key)
    this.#note(key, { project, kind, id, atMs: null })
  }

  /** Forgets the timers of a project that is gone; the table has lost them with it. */
  forget(project: ProjectKey): void {
    this.#shares.get(project)?.waiting.clear()
    const timers = [this.#queue, this.#held, this.#failures, this.#unwritten]
    for (const keyed of timers) for (const key of keyed.keys()) if (key.startsWith(`${project}/`)) keyed.delete(key)
  }

  /** Whether the table lacks changes of a project, which then must be asked at the next start. */
  isBehind(project: ProjectKey): boolean {
    for (const change of this.#unwritten.values()) if (change.project === project) return true
    return false
  }

  /** Reads the table, and asks the projects that it may be behind of. Nothing fires before {@link open}. */
  async start(): Promise<void> {
    for (const timer of this.#deps.table.all()) this.#queue.set(keyOf(timer), timer.atMs)
    for (const project of this.#deps.worked())
      await this.#recover(project).catch((error: unknown) =>
        this.#deps.logger.error('timers of a project cannot be read', { project }, error),
      )
    // Before anything else strikes these projects off the list of those that worked.
    this.#flush()
  }

  /** From now on timers fire. */
  open(): void {
    this.#open = true
    this.#run()
  }

  /** Fires nothing more, waits for what fires now, and writes the table. */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#open = false
    clearTimeout(this.#wakeTimer)
    this.#wakeAtMs = Number.POSITIVE_INFINITY
    await untilAborted(Promise.allSettled(this.#running.values()), signal)
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    this.#flush()
  }

  async #recover(project: ProjectKey): Promise<void> {
    const reader = await this.#deps.reader(project)
    for (const source of this.#sources.values())
      for (const { id, atMs } of await source.pending(project, reader))
        this.set({ project, kind: source.kind, id, atMs })
  }

  #run(): void {
    if (!this.#open) return
    this.#wakeAtMs = Number.POSITIVE_INFINITY
    while (this.#running.size < this.#options.parallel) {
      const entry = this.#queue.take(this.#deps.now())
      if (!entry) break
      if (this.#running.has(entry.key)) this.#held.set(entry.key, entry.atMs)
      else this.#fireInTurn(timerOf(entry.key, entry.atMs), entry.key)
    }
    const nextMs = this.#queue.nextMs()
    // When all places are taken, the end of a timer at work runs the others.
    if (nextMs !== undefined && this.#running.size < this.#options.parallel) this.#wakeBy(nextMs)
  }

  #fireInTurn(timer: Timer, key: string): void {
    const share = this.#shares.get(timer.project) ?? { running: 0, waiting: new Map<string, number>() }
    this.#shares.set(timer.project, share)
    if (share.running >= this.#options.parallelPerProject) share.waiting.set(key, timer.atMs)
    else {
      share.running++
      this.#fire(timer, key)
    }
  }

  /** A place of the project is free. */
  #nextOf(project: ProjectKey): void {
    const share = this.#shares.get(project)!
    share.running--
    const [next] = share.waiting
    if (next) {
      share.waiting.delete(next[0])
      this.#queue.set(...next)
    } else if (share.running === 0) this.#shares.delete(project)
  }

  #fire(timer: Timer, key: string): void {
    const work = Promise.resolve()
      .then(() => this.#sources.get(timer.kind)?.due(timer))
      .then(
        () => this.#fired(key, timer),
        (error: unknown) => this.#failed(key, timer, error),
      )
      .finally(() => {
        this.#running.delete(key)
        this.#release(key)
        this.#nextOf(timer.project)
        this.#run()
      })
    this.#running.set(key, work)
  }

  #fired(key: string, timer: Timer): void {
    this.#failures.delete(key)
    if (!this.#isSet(key)) this.clear(timer)
  }

  #isSet(key: string): boolean {
    return this.#queue.get(key) !== undefined || this.#held.has(key)
  }

  #release(key: string): void {
    const atMs = this.#held.get(key)
    this.#held.delete(key)
    if (atMs !== undefined && this.#queue.get(key) === undefined) this.#queue.set(key, atMs)
  }

  #failed(key: string, timer: Timer, error: unknown): void {
    if (!this.#deps.exists(timer.project)) {
      this.clear(timer)
      return
    }
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const { project, kind, id } = timer
    this.#deps.logger.warn('a timer has to wait', { project, kind, id, failures }, error)
    if (this.#isSet(key)) return
    // Only in memory: on disk it stays as due as it is.
    this.#queue.set(key, this.#deps.now() + backoffMs(failures, retryRest))
  }

  #wakeBy(atMs: number): void {
    if (!this.#open || atMs >= this.#wakeAtMs) return
    this.#wakeAtMs = atMs
    clearTimeout(this.#wakeTimer)
    const sleepMs = Math.min(Math.max(0, atMs - this.#deps.now()), this.#options.sleepMs)
    this.#wakeTimer = setTimeout(() => this.#run(), sleepMs).unref()
  }

  #note(key: string, change: TimerChange): void {
    this.#unwritten.set(key, change)
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined
      this.#flush()
    }, this.#options.flushMs).unref()
  }

  #flush(): void {
    if (this.#unwritten.size === 0) return
    try {
      this.#deps.table.write(this.#unwritten.values())
      this.#unwritten.clear()
    } catch (error) {
      // They are written with the next ones. After a crash they are found in the state of their project, which is asked then.
      this.#deps.logger.error('timers were not written', { changes: this.#unwritten.size }, error)
    }
  }
}

function keyOf({ project, kind, id }: Omit<Timer, 'atMs'>): string {
  return `${project}/${kind}/${id}`
}

function timerOf(key: string, atMs: number): Timer {
  const [project, kind, ...id] = key.split('/')
  return { project: project as ProjectKey, kind: kind!, id: id.join('/'), atMs }
}
