import type { Baseline, BenchRow, Details } from './row.ts'

/** What one round of one contender gave. */
export interface Sample {
  readonly value: number
  readonly details?: Details
}

export interface Contender {
  readonly name: string
  /** One round, beginning and ending with the contender at rest. */
  measure(): Promise<Sample>
}

export interface BenchContext {
  readonly rounds: number
  readonly environment: Readonly<Record<string, string>>
  /** Tells who waits what is being done. */
  progress(text: string): void
}

export interface Comparison extends Pick<BenchRow, 'name' | 'unit' | 'better' | 'notes'> {
  readonly ours: Contender
  readonly baselines: readonly Contender[]
}

/**
 * Measures all contenders in turn, round after round, so that what else the machine does falls on all of them alike. A first
 * round of each warms up and does not count.
 */
export async function compare(comparison: Comparison, context: BenchContext): Promise<BenchRow> {
  const { name, unit, better, notes, ours, baselines } = comparison
  const contenders = [ours, ...baselines]
  const samples = contenders.map((): Sample[] => [])
  for (let round = 0; round <= context.rounds; round++)
    for (const [i, contender] of contenders.entries()) {
      const sample = await contender.measure()
      const title = round === 0 ? 'warm-up' : `round ${round}/${context.rounds}`
      context.progress(`${name} ${title}, ${contender.name}: ${sample.value.toPrecision(4)} ${unit}`)
      if (round > 0) samples[i]!.push(sample)
    }
  const [own, ...others] = samples.map(summary)
  return {
    name,
    value: own!.value,
    unit,
    better,
    baselines: baselines.map((baseline, i): Baseline => ({ name: baseline.name, ...others[i]! })),
    ratio: others[0] ? ratioOf(better, own!.value, others[0].value) : Number.NaN,
    rounds: samples[0]!.map(({ value }) => value),
    environment: context.environment,
    details: own!.details,
    notes,
  }
}

/** Above 1: better than the baseline. */
export function ratioOf(better: BenchRow['better'], value: number, baseline: number): number {
  return better === 'higher' ? value / baseline : baseline / value
}

/** The worst of the rounds. */
export function worstOf({ better, rounds }: Pick<BenchRow, 'better' | 'rounds'>): number {
  return better === 'higher' ? Math.min(...rounds) : Math.max(...rounds)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function summary(samples: readonly Sample[]): Sample {
  const names = Object.keys(samples[0]?.details ?? {})
  const details = Object.fromEntries(
    names.map((name) => [name, median(samples.map((sample) => sample.details?.[name] ?? Number.NaN))]),
  )
  const value = median(samples.map((sample) => sample.value))
  return names.length === 0 ? { value } : { value, details }
}
