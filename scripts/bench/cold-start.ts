import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { cliFile } from '../../packages/node/test/support/cli.ts'
import { adminPassword } from '../../packages/node/test/support/node-process.ts'
import { freePorts } from '../../packages/node/test/support/ports.ts'
import { type BenchContext, type Contender, compare } from './compare.ts'
import type { BenchRow } from './row.ts'
import { endProcess } from './server.ts'
import { startSubject } from './subject.ts'
import { type TempDirectory, tempDirectory } from './temp.ts'

/** How often readiness is asked for, milliseconds; the value is no finer than that. */
const everyMs = 2
const readyWithinMs = 60_000

/** From the start of the process to the first 200 of `/liveness`, on an empty directory and on one with a project in it. */
export async function benchColdStart(context: BenchContext): Promise<BenchRow[]> {
  await using used = await usedDirectory()
  const existing: number[] = []
  const ours: Contender = {
    name: 'w3bstream, empty directory',
    async measure() {
      await using empty = await tempDirectory()
      existing.push(await startNode(used.path))
      return { value: await startNode(empty.path), details: { 'with a project ms': existing.at(-1)! } }
    },
  }
  const bare = fileURLToPath(new URL('baseline/fastify-bare.ts', import.meta.url))
  const baselines: Contender[] = [
    { name: 'node -e 0, start and end', measure: async () => ({ value: await runToEnd(['-e', '0']) }) },
    {
      name: 'fastify alone',
      measure: async () => {
        const [port] = await freePorts(1)
        return { value: await untilReady([bare], port!, { BENCH_PORT: `${port}` }) }
      },
    },
  ]
  return [await compare({ name: 'cold-start', unit: 'ms', better: 'lower', ours, baselines }, context)]
}

/** A directory as a node leaves it that has a project with an applet and a device. */
async function usedDirectory(): Promise<TempDirectory> {
  const directory = await tempDirectory()
  await using subject = await startSubject({ dataDir: directory.path })
  await subject.node.stop()
  return directory
}

async function startNode(dataDir: string): Promise<number> {
  const [http, events, mqtt] = await freePorts(3)
  const ports = ['--http-port', `${http}`, '--event-port', `${events}`, '--mqtt-port', `${mqtt}`]
  const args = [cliFile, 'start', '--data-dir', dataDir, '--log-level', 'warn', ...ports]
  return untilReady(args, http!, { W3BSTREAM_ADMIN_PASSWORD: adminPassword })
}

async function runToEnd(args: readonly string[]): Promise<number> {
  const began = performance.now()
  await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')
  return performance.now() - began
}

async function untilReady(args: readonly string[], port: number, env: Record<string, string>): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  try {
    while (!(await isReady(port))) {
      if (hasEnded(child)) throw new Error(`${args.join(' ')} ended before it was ready`)
      if (performance.now() - began > readyWithinMs) throw new Error(`${args.join(' ')} was not ready in time`)
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    return performance.now() - began
  } finally {
    // Ended in order, so that the next start on the directory is one after an ordinary stop.
    await endProcess(child, 'SIGTERM')
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/liveness', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}
