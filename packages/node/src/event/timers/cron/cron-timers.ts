import { decodeReceipt, type Message, type ProjectKey } from '@w3bstream/protocol'
import type { ProjectReader } from '../../../database/database.ts'
import { ApiError } from '../../../endpoint/api-error.ts'
import type { CronJob, ProjectDefinition } from '../../../project/definition.ts'
import type { DefinitionChange } from '../../../project/definition-rows.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import type { Timer, TimerSource, Timers } from '../timers.ts'
import { readFired } from './fired.ts'
import { firingMessage } from './firing.ts'
import { type CronPlan, planCron } from './plan.ts'

export interface CronDeps {
  readonly timers: Pick<Timers, 'set' | 'clear'>
  exists(project: ProjectKey): boolean
  definition(project: ProjectKey): Promise<ProjectDefinition>
  reader(project: ProjectKey): Promise<ProjectReader>
  /**
   * Puts a message through the project's log; resolves when it is on disk.
   * @throws ApiError TrafficLimitExceeded, MailboxFull, …
   */
  submit(project: ProjectKey, message: Message): Promise<{ receipt: Uint8Array }>
  readonly now: () => number
  /** A clock that is never set, milliseconds. */
  readonly steadyNow: () => number
  readonly logger: Logger
}

/** How much further than the time that passed the clock may have gone before it counts as a step, milliseconds. */
const stepMs = 10_000

/** Fires the cron jobs of all projects. What was fired is in each project's own state, so nothing is lost or fired twice. */
export class CronTimers implements TimerSource {
  readonly kind = 'cron'
  readonly #deps: CronDeps
  /** Scheduled time up to which a job of this run of the node is dealt with, by project and job. */
  readonly #done = new Map<string, number>()
  /** Since when the jobs of a project are served without a gap, where that is later than for all. */
  readonly #resumed = new Map<ProjectKey, number>()
  #servedSinceMs: number
  #clock: { wallMs: number; steadyMs: number }

  constructor(deps: CronDeps) {
    this.#deps = deps
    this.#servedSinceMs = deps.now()
    this.#clock = this.#readClock()
  }

  /** Times before now were missed, because the node did not run. */
  open(): void {
    this.#servedSinceMs = this.#deps.now()
    this.#clock = this.#readClock()
  }

  /** Follows a commit: jobs come, go and change; a project that goes on after a pause is looked at again. */
  follow(project: ProjectKey, changes: readonly DefinitionChange[] | 'unknown'): void {
    if (changes === 'unknown') {
      void this.#lookAgain(project)
      return
    }
    for (const { kind, id, value } of changes) {
      if (kind === 'project') void this.#lookAgain(project)
      if (kind !== 'cronJob') continue
      this.#done.delete(`${project}/${id}`)
      if (value === null) this.#deps.timers.clear({ project, kind: this.kind, id })
      else this.#schedule(project, JSON.parse(value) as CronJob, undefined)
    }
  }

  /** Forgets a project that is gone. */
  forget(project: ProjectKey): void {
    this.#resumed.delete(project)
    for (const key of this.#done.keys()) if (key.startsWith(`${project}/`)) this.#done.delete(key)
  }

  async pending(project: ProjectKey, reader: ProjectReader): Promise<Pick<Timer, 'id' | 'atMs'>[]> {
    const rows = await reader.definition('cronJob')
    if (rows.length === 0) return []
    const fired = await readFired(reader)
    return rows.flatMap(({ id, value }) => {
      const { nextMs } = this.#plan(project, JSON.parse(value) as CronJob, fired[id], Number.NEGATIVE_INFINITY)
      return nextMs === undefined ? [] : [{ id, atMs: nextMs }]
    })
  }

  async due({ project, id }: Timer): Promise<void> {
    this.#watchClock()
    if (!this.#deps.exists(project)) return
    const definition = await this.#deps.definition(project)
    const job = definition.cronJobs.get(id)
    // A paused project is looked at again when it goes on.
    if (!job || definition.project.state === 'paused') return
    const lastMs = this.#done.get(`${project}/${id}`) ?? (await readFired(await this.#deps.reader(project)))[id]
    const { firings, nextMs } = this.#plan(project, job, lastMs, this.#deps.now())
    // One by one, because a job's times are executed in their order or not at all.
    for (const atMs of firings) if (!(await this.#fire(project, job, atMs))) return
    const changed = (await this.#deps.definition(project)).cronJobs.get(id)
    // It has been scheduled anew meanwhile.
    if (changed?.expression !== job.expression || changed.sinceMs !== job.sinceMs) return
    if (nextMs !== undefined) this.#deps.timers.set({ project, kind: this.kind, id, atMs: nextMs })
  }

  /** @returns false when the job rests until somebody changes the project */
  async #fire(project: ProjectKey, job: CronJob, atMs: number): Promise<boolean> {
    const { cronJobId } = job
    try {
      const { receipt } = await this.#deps.submit(project, firingMessage(job, atMs, this.#deps.now()))
      const { status, detail } = decodeReceipt(receipt)
      if (status === 'refused' && detail !== 'CronFired') return false
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'TrafficLimitExceeded') throw error
      this.#deps.logger.info('a traffic limit refused an event of a cron job', { project, cronJobId, atMs })
    }
    this.#done.set(`${project}/${cronJobId}`, atMs)
    return true
  }

  #schedule(project: ProjectKey, job: CronJob, lastMs: number | undefined): void {
    const { nextMs } = this.#plan(project, job, lastMs, Number.NEGATIVE_INFINITY)
    const { cronJobId: id } = job
    if (nextMs === undefined) this.#deps.timers.clear({ project, kind: this.kind, id })
    else this.#deps.timers.set({ project, kind: this.kind, id, atMs: nextMs })
  }

  #plan(project: ProjectKey, job: CronJob, lastMs: number | undefined, nowMs: number): CronPlan {
    const servedSinceMs = Math.max(this.#servedSinceMs, this.#resumed.get(project) ?? 0)
    try {
      return planCron(job, { lastMs, servedSinceMs, nowMs })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // Accepted once, and not understood now: the other jobs of the project go on.
      this.#deps.logger.error('a cron job cannot be scheduled', { project, cronJobId: job.cronJobId }, error)
      return { firings: [], nextMs: undefined }
    }
  }

  async #lookAgain(project: ProjectKey): Promise<void> {
    try {
      if (!this.#deps.exists(project)) return
      const { project: record, cronJobs } = await this.#deps.definition(project)
      if (cronJobs.size === 0 || record.state === 'paused') return
      this.#resumed.set(project, this.#deps.now())
      const fired = await readFired(await this.#deps.reader(project))
      for (const job of cronJobs.values()) this.#schedule(project, job, fired[job.cronJobId])
    } catch (error) {
      this.#deps.logger.error('cron jobs of a project cannot be read', { project }, error)
    }
  }

  /** A clock that was put forward, or a machine that slept: the times between were missed, but for those just now. */
  #watchClock(): void {
    const clock = this.#readClock()
    const passedMs = clock.steadyMs - this.#clock.steadyMs
    if (clock.wallMs - this.#clock.wallMs > passedMs + stepMs) this.#servedSinceMs = clock.wallMs - stepMs
    this.#clock = clock
  }

  #readClock() {
    return { wallMs: this.#deps.now(), steadyMs: this.#deps.steadyNow() }
  }
}
