import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Counter } from 'prom-client'
import type { ProjectReader } from '../../database/database.ts'
import { ApiError } from '../../endpoint/api-error.ts'
import type { Service } from '../../endpoint/endpoint.ts'
import type { TrafficLimit } from '../../project/definition.ts'
import type { DefinitionChange } from '../../project/definition-rows.ts'
import { Budget, type Refusal, type Tally } from './budget.ts'
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
  readonly underway: Map<Sfid | '', Tally>
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

  /** Counts an event that was committed whatever the limits: an answer that an applet waits for. */
  note(project: ProjectKey): void {
    const limited = this.#projects.get(project)
    if (limited?.loading !== undefined) limited.noted++
    else for (const tally of talliesOf(limited?.budgets ?? [], '', this.#deps.now())) tally.count++
  }

  #counted<T>(project: ProjectKey, limited: Limited, publisherId: Sfid | '', submit: () => Promise<T>): Promise<T> {
    const nowMs = this.#deps.now()
    const budgets = limited.budgets ?? []
    for (const budget of budgets) {
      const refusal = budget.refusal(budget.tally(publisherId, nowMs), nowMs)
      if (refusal) return Promise.reject(this.#refuse(project, refusal))
    }
    const tallies = talliesOf(budgets, publisherId, nowMs)
    tallies.push(underwayOf(limited, publisherId))
    for (const tally of tallies) tally.count++
    return submit().then(
      (value) => {
        tallies.at(-1)!.count--
        return value
      },
      (error: unknown) => {
        // Of a period that is over nothing is given back: its tallies are nobody's any more.
        for (const tally of tallies) tally.count--
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
    const underway = [...limited.underway].map(([publisherId, { count }]) => ({ publisherId, count }))
    for (const budget of budgets) await countUsed(reader, budget, this.#deps.now)
    if (limited.stale) return
    for (const { publisherId, count } of [...underway, { publisherId: '', count: limited.noted } as const])
      for (const tally of talliesOf(budgets, publisherId, this.#deps.now())) tally.count += count
    limited.budgets = budgets
    if (budgets.length === 0) this.#projects.delete(project)
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
      if (limited.budgets?.every((budget) => budget.isOver(nowMs))) {
        limited.budgets = undefined
        for (const [publisherId, { count }] of limited.underway) if (count === 0) limited.underway.delete(publisherId)
      }
  }
}

/** Where an event of a sender is counted. */
function talliesOf(budgets: readonly Budget[], publisherId: Sfid | '', nowMs: number): Tally[] {
  const tallies: Tally[] = []
  for (const budget of budgets) {
    const tally = budget.tally(publisherId, nowMs)
    if (tally) tallies.push(tally)
  }
  return tallies
}

function underwayOf({ underway }: Limited, publisherId: Sfid | ''): Tally {
  const known = underway.get(publisherId)
  if (known) return known
  const tally = { count: 0 }
  underway.set(publisherId, tally)
  return tally
}
