/** One line of the benchmark's table, as scripts outside this repository read it. */
export interface BenchRow {
  readonly name: string
  /** Median of the rounds. */
  readonly value: number
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** Measured in the same run, alternating with what is measured. */
  readonly baselines: { name: string; value: number }[]
  /** Against the first baseline; above 1 is better than it, whatever the unit. */
  readonly ratio: number
  readonly rounds: number[]
  readonly environment: Record<string, string>
}
