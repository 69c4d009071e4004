import { Counter, Gauge, Registry } from 'prom-client'

/** Where components register what they count. One per node, never the global one of the library. */
export type Metrics = Registry

/** A registry of its own for each node. */
export function createMetrics(): Metrics {
  return new Registry()
}

export function counter<L extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[],
): Counter<L> {
  return new Counter({ name, help, labelNames: [...labelNames], registers: [metrics] })
}

export function gauge<L extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[],
): Gauge<L> {
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [metrics] })
}
