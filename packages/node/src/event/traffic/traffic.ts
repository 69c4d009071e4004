import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Counter } from 'prom-client'
import type { ProjectReader } from '../../database/database.ts'
import { ApiError } from '../../endpoint/api-error.ts'
import type { Service } from '../../endpoint/endpoint.ts'
import type { TrafficLimit } from '../../project/definition.ts'
import type { DefinitionChange } from '../../project/definition-rows.ts'
import { Budget, type Refusal } from './budget.ts'
import { countUsed } from './count-used.ts'

export interface TrafficDeps {
  /** Projects that have limits. */
  limited(): readonly ProjectKey[]
  reader(project: ProjectKey): Promise<ProjectReader>
  projectName(project: ProjectKey): string
  readonly refused: Counter<'project' | 'scope'>
  readonly now: () => number
}

/** Events that may wait while the count of a project is read. */
const maxWaiting = 1000
/** How often counts of periods that are over are dropped, milliseconds. */
const sweepMs = 60_000

/** A project with limits. */
interface Limited {
  /** Undefined until they are asked for, and after they were changed. */
  budgets?: readonly Budget[]
  loading?: Promise<void>
  /** Counted again when the limits change while it is read. */
  stale: boolean
  waiting: number
  /** Answers that came in while the history was read. */
  noted: number
  /** Events on their way to the commit, by device: the store does not have them yet. */
  readonly underway: Map<Sfid | '', number>
}

/**
 * Traffic limits for events: what a project, and each of its devices, may send in a period. Counts are in memory; after a
 * start, and when limits change, they are read from the history, which has every event that was taken. So they hold exactly
 * whatever happens to the node, and cost nothing on disk. Projects without limits cost one look-up.
 */
export class Traffic implements Service {
  readonly name = 'traffic'
  readonly #deps: TrafficDeps
  readonly #projects = new Map<ProjectKey, Limited>()
  #sweeper: NodeJS.Timeout | undefined

  constructor(deps: TrafficDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    for (const project of this.#deps.limited()) this.#limit(project)
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  /** Follows a commit. */
  follow(project: ProjectKey, changes: readonly DefinitionChange[] | 'unknown'): void {
    if (changes !== 'unknown' && !changes.some(({ kind }) => kind === 'trafficLimit')) return
    const limited = this.#limit(project)
    limited.budgets = undefined
    limited.stale = true
  }

  /** Forgets a project that is gone. */
  forget(project: ProjectKey): void {
    this.#projects.delete(project)
  }

  /**
   * Counts an event before it is submitted; one that was not committed is not counted.
   * @throws ApiError TrafficLimitExceeded, MailboxFull; what `submit` throws
   */
  through<T>(project: ProjectKey, publisherId: Sfid | '', submit: () => Promise<T>): Promise<T> {
    const limited = this.#projects.get(project)
    if (!limited) return submit()
    if (limited.budgets) return this.#counted(project, limited, publisherId, submit)
    return this.#ready(project, limited).then(() => this.#counted(project, limited, publisherId, submit))
  }

  /** Counts an event that is not refused whatever the limits: an answer that an applet waits for. */
  note(project: ProjectKey): void {
    const limited = this.#projects.get(project)
    if (limited?.loading !== undefined) limited.noted++
    else if (limited) this.#add(limited, '', this.#deps.now())
  }

  #counted<T>(project: ProjectKey, limited: Limited, publisherId: Sfid | '', submit: () => Promise<T>): Promise<T> {
    const takenMs = this.#deps.now()
    for (const budget of limited.budgets ?? []) {
      const refusal = budget.refusal(publisherId, takenMs)
      if (refusal) return Promise.reject(this.#refuse(project, refusal))
    }
    this.#add(limited, publisherId, takenMs)
    track(limited, publisherId, 1)
    return submit().then(
      (value) => {
        track(limited, publisherId, -1)
        return value
      },
      (error: unknown) => {
        track(limited, publisherId, -1)
        for (const budget of limited.budgets ?? []) budget.giveBack(publisherId, takenMs)
        throw error
      },
    )
  }

  #limit(project: ProjectKey): Limited {
    const known = this.#projects.get(project)
    if (known) return known
    const limited: Limited = { stale: false, waiting: 0, noted: 0, underway: new Map() }
    this.#projects.set(project, limited)
    return limited
  }

  /** Waits until the events of the running periods are counted. */
  async #ready(project: ProjectKey, limited: Limited): Promise<void> {
    while (!limited.budgets) {
      if (limited.waiting >= maxWaiting)
        throw new ApiError('MailboxFull', 'the events of the period are being counted', { retryAfterMs: 1000 })
      limited.waiting++
      try {
        limited.loading ??= this.#load(project, limited).finally(() => {
          limited.loading = undefined
        })
        await limited.loading
      } finally {
        limited.waiting--
      }
    }
  }

  async #load(project: ProjectKey, limited: Limited): Promise<void> {
    limited.stale = false
    limited.noted = 0
    const reader = await this.#deps.reader(project)
    const rows = await reader.definition('trafficLimit')
    const limits = rows.map(({ value }) => JSON.parse(value) as TrafficLimit)
    const budgets = limits.filter(({ apiType }) => apiType === 'EVENT').map((limit) => new Budget(limit))
    // What is underway now may be committed while the history is read. It is then counted twice, never not at all.
    const underway = [...limited.underway]
    for (const budget of budgets) {
      await countUsed(reader, budget, this.#deps.now)
      for (const [publisherId, count] of underway) budget.add(publisherId, this.#deps.now(), count)
      budget.add('', this.#deps.now(), limited.noted)
    }
    if (limited.stale) return
    limited.budgets = budgets
    if (budgets.length === 0) this.#projects.delete(project)
  }

  #add({ budgets = [] }: Limited, publisherId: Sfid | '', nowMs: number): void {
    for (const budget of budgets) budget.add(publisherId, nowMs)
  }

  #refuse(project: ProjectKey, { scope, threshold, duration, retryAfterMs }: Refusal): ApiError {
    this.#deps.refused.labels(this.#deps.projectName(project), scope).inc()
    const whose = scope === 'DEVICE' ? 'of the device' : 'of the project'
    return new ApiError('TrafficLimitExceeded', `the ${threshold} events ${whose} in ${duration} are used up`, {
      retryAfterMs,
    })
  }

  /** Counts of periods that are over are read again when they are asked for. */
  #sweep(): void {
    const nowMs = this.#deps.now()
    for (const limited of this.#projects.values())
      if (limited.underway.size === 0 && limited.budgets?.every((budget) => budget.isOver(nowMs)))
        limited.budgets = undefined
  }
}

function track({ underway }: Limited, publisherId: Sfid | '', count: number): void {
  const left = (underway.get(publisherId) ?? 0) + count
  if (left > 0) underway.set(publisherId, left)
  else underway.delete(publisherId)
}
