import type { ProjectKey } from '@w3bstream/protocol'
import { balance, type Move, type Placement } from './balance.ts'

/** How much of a project's demand is from the last count; the rest is from those before. */
const newShare = 0.5

/** Which thread each project lives in, and how much it asks of it. */
export class PlacementTable {
  readonly #threads: number
  readonly #byProject = new Map<ProjectKey, { thread: number; seen: number; demand: number }>()
  #looks = 0

  constructor(threads: number) {
    this.#threads = threads
  }

  set(project: ProjectKey, thread: number): void {
    this.#byProject.set(project, { ...(this.#byProject.get(project) ?? { seen: 0, demand: 0 }), thread })
  }

  delete(project: ProjectKey): void {
    this.#byProject.delete(project)
  }

  /** The thread that is asked for least; among equals the one with the fewest projects. */
  lightest(): number {
    const threads = Array.from({ length: this.#threads }, () => ({ demand: 0, projects: 0 }))
    for (const { thread, demand } of this.#byProject.values()) {
      threads[thread]!.demand += demand
      threads[thread]!.projects++
    }
    const lighter = (a: number, b: number) => {
      const [one, other] = [threads[a]!, threads[b]!]
      return one.demand === other.demand ? one.projects < other.projects : one.demand < other.demand
    }
    return threads.reduce((best, _, thread) => (lighter(thread, best) ? thread : best), 0)
  }

  /** Counts the projects that have batches to run at this moment. */
  look(busy: Iterable<ProjectKey>): void {
    this.#looks++
    for (const project of busy) {
      const entry = this.#byProject.get(project)
      if (entry) entry.seen++
    }
  }

  /** What the looks since the last call say of the demands, and the moves that follow from them. */
  moves(): Move[] {
    for (const entry of this.#byProject.values()) {
      entry.demand = newShare * (entry.seen / Math.max(1, this.#looks)) + (1 - newShare) * entry.demand
      entry.seen = 0
    }
    this.#looks = 0
    const placements = [...this.#byProject].map(
      ([project, { thread, demand }]): Placement => ({ project, thread, demand }),
    )
    return balance(this.#threads, placements)
  }
}
