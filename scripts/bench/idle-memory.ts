import { setTimeout } from 'node:timers/promises'
import { NodeProcess } from '../../packages/node/test/support/node-process.ts'
import { type BenchContext, type Contender, compare } from './compare.ts'
import { residentMiB } from './process-usage.ts'
import type { BenchRow } from './row.ts'
import { startServer } from './server.ts'

/** Memory counts as stable when it changed by less than this between two looks. */
const stableMiB = 0.5
const lookEveryMs = 500
/** Looks that have to agree, and how many there are at most. */
const alike = 4
const mostLooks = 40

/** Resident memory of a node that is ready and has nothing to do. */
export async function benchIdleMemory(context: BenchContext): Promise<BenchRow[]> {
  const ours: Contender = {
    name: 'w3bstream',
    async measure() {
      await using node = await NodeProcess.start()
      return { value: await stableResident(node.pid) }
    },
  }
  const baselines = [contender('node, waiting', 'idle'), contender('fastify alone', 'fastify-bare')]
  return [await compare({ name: 'idle-memory', unit: 'MiB', better: 'lower', ours, baselines }, context)]
}

function contender(name: string, file: string): Contender {
  return {
    name,
    async measure() {
      await using server = await startServer(file)
      return { value: await stableResident(server.pid) }
    },
  }
}

async function stableResident(pid: number): Promise<number> {
  let last = residentMiB(pid)
  let agreed = 0
  for (let look = 0; look < mostLooks && agreed < alike; look++) {
    await setTimeout(lookEveryMs)
    const now = residentMiB(pid)
    agreed = Math.abs(now - last) < stableMiB ? agreed + 1 : 0
    last = now
  }
  return last
}
