import { fileURLToPath } from 'node:url'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import { Management } from '../../packages/node/test/support/management.ts'
import { NodeProcess } from '../../packages/node/test/support/node-process.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import { httpLoad } from './load/http-load.ts'
import { residentMiB } from './process-usage.ts'
import type { BenchRow } from './row.ts'
import { routedType } from './subject.ts'
import { tempDirectory } from './temp.ts'

const projects = 10_000
const active = 10
/** Projects that are made at once. */
const makers = 16
/** Load on the active projects before memory is looked at. */
const seconds = 5
const applet = fileURLToPath(new URL('applets/report.ts', import.meta.url))

/**
 * Resident memory of a node with ten thousand deployed projects of which ten get events, and how long it takes to start,
 * against a node that has the ten alone.
 */
export async function benchIdleProjects(context: BenchContext): Promise<BenchRow[]> {
  await using many = await deployed(projects, context)
  await using few = await deployed(active, context)
  const ours: Contender = { name: 'w3bstream', measure: () => measure(many) }
  const baselines: Contender[] = [{ name: `${active} projects alone`, measure: () => measure(few) }]
  return [await compare({ name: 'idle-projects', unit: 'MiB', better: 'lower', ours, baselines }, context)]
}

/** A directory as a node leaves it that has many projects, and the events of some. */
interface Deployed extends AsyncDisposable {
  readonly path: string
  readonly targets: readonly { readonly path: string; readonly token: string }[]
}

/** @param count projects, each with an applet; the first ten have a device */
async function deployed(count: number, context: BenchContext): Promise<Deployed> {
  const directory = await tempDirectory()
  await using node = await NodeProcess.start({ dataDir: directory.path })
  const management = await Management.login(node)
  const { wasm } = await buildApplet(applet)
  const began = performance.now()
  let next = 0
  const make = async () => {
    for (let n = next++; n < count; n = next++) {
      await management.project(`p${n}`)
      await management.applet(`p${n}`, wasm, [{ eventType: routedType, handler: 'report' }])
    }
  }
  await Promise.all(Array.from({ length: makers }, make))
  context.progress(`idle-projects: ${count} projects made in ${Math.round((performance.now() - began) / 1000)} s`)
  const targets = await Promise.all(
    Array.from({ length: active }, async (_, n) => {
      const { token } = await management.device(`p${n}`, 'station')
      return { path: `/srv-applet-mgr/v0/event/${management.channel(`p${n}`)}?eventType=${routedType}`, token }
    }),
  )
  await node.stop()
  return { path: directory.path, targets, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

async function measure({ path: dataDir, targets }: Deployed): Promise<Sample> {
  const began = performance.now()
  await using node = await NodeProcess.start({ dataDir })
  const startMs = performance.now() - began
  const atStart = residentMiB(node.pid)
  const loads = targets.map(({ path, token }) =>
    httpLoad({ url: `${node.events}${path}`, token, connections: 4, seconds }),
  )
  const results = await Promise.all(loads)
  const value = residentMiB(node.pid)
  await node.stop()
  const rate = results.reduce((sum, { requests, seconds: elapsed }) => sum + requests / elapsed, 0)
  return { value, details: { 'start ms': startMs, 'MiB at the start': atStart, 'events/s': rate } }
}
