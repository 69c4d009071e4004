import { fileURLToPath } from 'node:url'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import { Management } from '../../packages/node/test/support/management.ts'
import { NodeProcess } from '../../packages/node/test/support/node-process.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import { httpLoad } from './load/http-load.ts'
import { cpuSeconds } from './process-usage.ts'
import type { BenchRow } from './row.ts'

const projects = 16
const connections = 64
/** Of one round. */
const seconds = 5
const applet = fileURLToPath(new URL('applets/compute.ts', import.meta.url))
const eventType = 'REPORT'

interface Target {
  readonly url: string
  readonly token: string
}

/**
 * Events per second through sixteen projects whose handlers compute for some milliseconds each, against the same load on one of
 * them. One project is a sequence and cannot use more than one processor.
 */
export async function benchProjects(context: BenchContext): Promise<BenchRow[]> {
  await using node = await NodeProcess.start()
  const management = await Management.login(node)
  const { wasm } = await buildApplet(applet)
  const targets: Target[] = []
  for (let n = 0; n < projects; n++) {
    const name = `busy${n}`
    await management.project(name)
    await management.applet(name, wasm, [{ eventType, handler: 'compute' }])
    const { token } = await management.device(name, 'station')
    const url = `${node.events}/srv-applet-mgr/v0/event/${management.channel(name)}?eventType=${eventType}`
    targets.push({ url, token })
  }
  const ours: Contender = { name: 'w3bstream, 16 projects', measure: () => measure(node.pid, targets) }
  const baselines: Contender[] = [{ name: 'one project', measure: () => measure(node.pid, targets.slice(0, 1)) }]
  return [await compare({ name: 'projects-16', unit: 'events/s', better: 'higher', ours, baselines }, context)]
}

async function measure(pid: number, targets: readonly Target[]): Promise<Sample> {
  const before = cpuSeconds(pid)
  const loads = targets.map((target) =>
    httpLoad({ ...target, connections: Math.max(1, connections / targets.length), seconds }),
  )
  const results = await Promise.all(loads)
  const rate = results.reduce((sum, { requests, seconds: elapsed }) => sum + requests / elapsed, 0)
  const slowest = Math.max(...results.map(({ p99us }) => p99us))
  const rates = results.map(({ requests, seconds: elapsed }) => requests / elapsed)
  return {
    value: rate,
    details: {
      'p99 ms': slowest / 1000,
      'least events/s': Math.min(...rates),
      'most events/s': Math.max(...rates),
      'CPU s': cpuSeconds(pid) - before,
    },
  }
}
