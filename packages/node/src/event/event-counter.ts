import type { Counter } from 'prom-client'
import type { ProjectDefinition } from '../project/definition.ts'

export type EventLabels = 'account' | 'project' | 'publisher' | 'eventtype'

/** Series of single devices; each takes about half a kilobyte for as long as the node runs. */
const maxSeries = 20_000
/** What stands for event types that the project does not name, and for the devices beyond the bound. */
const other = 'other'

/**
 * Counts events by account, project, device and type. Senders choose types, so those that no strategy names are counted
 * together; devices may be very many, so those beyond a bound are, too.
 */
export class EventCounter {
  readonly #counter: Counter<EventLabels>
  readonly #known = new Set<string>()
  readonly #named = new WeakMap<ProjectDefinition, ReadonlySet<string>>()

  constructor(counter: Counter<EventLabels>) {
    this.#counter = counter
  }

  /** @param definition of the project, when it is at hand */
  count(event: Record<EventLabels, string>, definition: ProjectDefinition | undefined): void {
    const { account, project, publisher } = event
    const eventtype = this.#isNamed(event.eventtype, definition) ? event.eventtype : other
    const series = `${project}\0${publisher}\0${eventtype}`
    const isKnown = this.#known.has(series) || this.#known.size < maxSeries
    if (isKnown) this.#known.add(series)
    this.#counter.labels(account, project, isKnown ? publisher : other, eventtype).inc()
  }

  #isNamed(type: string, definition: ProjectDefinition | undefined): boolean {
    if (!definition) return type === 'DEFAULT'
    let named = this.#named.get(definition)
    if (!named) {
      named = new Set(['DEFAULT', ...[...definition.strategies.values()].map(({ eventType }) => eventType)])
      this.#named.set(definition, named)
    }
    return named.has(type)
  }
}
