import type { ProjectKey } from '@w3bstream/protocol'
import { Gauge } from 'prom-client'
import { counter, type Metrics } from '../../telemetry/metrics.ts'

/** Series of one project, and of the node: each takes about half a kilobyte for as long as the node runs. */
const seriesPerProject = 1000
const maxSeries = 20_000
/** Numbers of one measurement, and characters of its JSON: the node's main thread reads them. */
const maxNumbers = 100
const maxJsonLength = 65_536
/** How deep measurements may lie in an object, and how long the name of one may be. */
const maxDepth = 3
const maxNameLength = 64

/** Whose measurement it is, as labels. */
export interface MetricOwner {
  readonly account: string
  readonly project: string
}

/**
 * What applets and routes measure, as gauges: each number of the JSON is one, by its name, and has the last value that a
 * device caused. The measurements themselves stay in the outbox; what is beyond the bounds is left out, and counted.
 */
export class ProjectMetrics {
  readonly #gauge: Gauge<'account' | 'project' | 'publisher' | 'name'>
  readonly #dropped
  readonly #series = new Map<ProjectKey, Map<string, Record<'account' | 'project' | 'publisher' | 'name', string>>>()
  #count = 0

  constructor(metrics: Metrics) {
    this.#gauge = new Gauge({
      name: 'w3b_customized_metrics',
      help: 'The last value of each number that applets submit, and of positions that routes collect.',
      labelNames: ['account', 'project', 'publisher', 'name'],
      registers: [metrics],
    })
    const help = 'Numbers of applets, or the rest of a measurement, that have no series, because there are too many.'
    this.#dropped = counter(metrics, 'w3b_customized_metrics_dropped_total', help, ['project'])
  }

  /** @param publisher key of the device; empty when none sent the message */
  record(key: ProjectKey, { account, project }: MetricOwner, publisher: string, json: string): void {
    if (json.length > maxJsonLength) {
      this.#dropped.inc({ project })
      return
    }
    let numbers = 0
    for (const [name, value] of numbersOf(JSON.parse(json), '', 0)) {
      if (++numbers > maxNumbers) {
        this.#dropped.inc({ project })
        return
      }
      const labels = { account, project, publisher: publisher || 'unknown', name }
      if (this.#admit(key, labels)) this.#gauge.set(labels, value)
      else this.#dropped.inc({ project })
    }
  }

  /** Removes the series of a project. */
  forget(key: ProjectKey): void {
    const own = this.#series.get(key)
    if (!own) return
    this.#series.delete(key)
    this.#count -= own.size
    for (const labels of own.values()) this.#gauge.remove(labels)
  }

  #admit(key: ProjectKey, labels: Record<'account' | 'project' | 'publisher' | 'name', string>): boolean {
    const own = this.#series.get(key) ?? new Map()
    const series = `${labels.publisher}\0${labels.name}`
    if (own.has(series)) return true
    if (own.size >= seriesPerProject || this.#count >= maxSeries) return false
    own.set(series, labels)
    this.#series.set(key, own)
    this.#count++
    return true
  }
}

/** The numbers of a value by their path, such as `room.temperature`; a number alone is `value`. */
function* numbersOf(value: unknown, path: string, depth: number): Generator<[string, number]> {
  if (typeof value === 'number') {
    if (path.length <= maxNameLength) yield [path || 'value', value]
    return
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth >= maxDepth) return
  for (const [name, inner] of Object.entries(value))
    yield* numbersOf(inner, path === '' ? name : `${path}.${name}`, depth + 1)
}
