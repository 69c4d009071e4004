/** What was measured besides the value, by name with unit, such as `p99 ms`; medians of the rounds. */
export type Details = Readonly<Record<string, number>>

export interface Baseline {
  readonly name: string
  /** Median of the rounds. */
  readonly value: number
  readonly details?: Details
}

/** One line of the benchmark's table, as scripts outside this repository read it. */
export interface BenchRow {
  readonly name: string
  /** Median of the rounds. */
  readonly value: number
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** Measured in the same run, alternating with what is measured. */
  readonly baselines: readonly Baseline[]
  /** Against the first baseline; above 1 is better than it, whatever the unit. */
  readonly ratio: number
  readonly rounds: readonly number[]
  readonly environment: Readonly<Record<string, string>>
  readonly details?: Details
  /** What a reader has to know of this run, such as a baseline that could not be measured here. */
  readonly notes?: readonly string[]
}
