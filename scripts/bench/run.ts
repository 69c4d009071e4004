/** Measures what users feel, each beside its baseline. Run by `npm run bench`; `docs/benchmarks.md` explains the rows. */
import { writeFileSync } from 'node:fs'
import { benchApplet } from './applet.ts'
import { benchColdStart } from './cold-start.ts'
import type { BenchContext } from './compare.ts'
import { benchDeployLatency } from './deploy-latency.ts'
import { describeEnvironment } from './environment.ts'
import { benchHostCalls } from './host-calls.ts'
import { benchHttpEvent } from './http-event.ts'
import { benchIdleMemory } from './idle-memory.ts'
import { benchIdleProjects } from './idle-projects.ts'
import { benchMeteringOverhead } from './metering-overhead.ts'
import { benchMqtt } from './mqtt.ts'
import { type BenchOptions, parseOptions, usage } from './options.ts'
import { profileRows } from './profile.ts'
import { benchProjects } from './projects.ts'
import type { BenchRow } from './row.ts'
import { formatTable } from './table.ts'

interface Benchmark {
  readonly rows: readonly string[]
  run(context: BenchContext, wanted: (row: string) => boolean): Promise<BenchRow[]>
}

/** Names of rows stay: scripts outside this repository read them. */
const benchmarks: readonly Benchmark[] = [
  { rows: ['http-event'], run: benchHttpEvent },
  { rows: ['mqtt-qos1', 'mqtt-unrouted'], run: benchMqtt },
  { rows: ['applet-metered-large', 'applet-metered-small', 'applet-large', 'applet-small'], run: benchApplet },
  { rows: ['metering-overhead'], run: benchMeteringOverhead },
  { rows: ['kv-in-batch'], run: benchHostCalls },
  { rows: ['deploy-latency'], run: benchDeployLatency },
  { rows: ['cold-start'], run: benchColdStart },
  { rows: ['idle-memory'], run: benchIdleMemory },
  { rows: ['projects-16'], run: benchProjects },
  { rows: ['idle-projects'], run: benchIdleProjects },
]

async function main({ only, json, rounds, profile }: BenchOptions): Promise<void> {
  const wanted = (row: string) => only.test(row)
  if (profile) {
    process.stdout.write(`${await profileRows(wanted)}\n`)
    return
  }
  const environment = describeEnvironment()
  const context: BenchContext = { rounds, environment, progress: (text) => process.stderr.write(`${text}\n`) }
  const rows: BenchRow[] = []
  for (const { rows: names, run } of benchmarks)
    if (names.some(wanted)) rows.push(...(await run(context, wanted)).filter(({ name }) => wanted(name)))
  const place = Object.entries(environment).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`${formatTable(rows)}\n\n${place.join(', ')}\n`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`)
}

let options: BenchOptions
try {
  options = parseOptions(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  process.exit(2)
}
await main(options)
