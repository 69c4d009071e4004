import { Gauge } from 'prom-client'
import type { ProjectIndex } from '../project/project-index.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Registers `publishers_metrics`: devices by account and project, counted when somebody asks. */
export function countPublishers(metrics: Metrics, index: ProjectIndex): void {
  new Gauge({
    name: 'publishers_metrics',
    help: 'Devices of each project.',
    labelNames: ['account', 'project'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { key, count } of index.publisherCounts()) {
        const entry = index.byKey(key)
        if (entry) this.set({ account: entry.accountId, project: entry.name }, count)
      }
    },
  })
}
