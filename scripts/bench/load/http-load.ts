import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { payload, stationAt } from '../payload.ts'

const run = promisify(execFile)

export interface HttpLoad {
  readonly url: string
  readonly token: string
  readonly connections: number
  readonly seconds: number
}

export interface HttpLoadResult {
  readonly requests: number
  readonly errors: number
  readonly seconds: number
  readonly p50us: number
  readonly p99us: number
  /** The program that made the load. */
  readonly generator: string
}

/** Posts events from a process of its own: `wrk` where it is installed, else a lean client on Node.js. */
export async function httpLoad(load: HttpLoad): Promise<HttpLoadResult> {
  const result = (await runWrk(load)) ?? (await runNode(load))
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests to ${load.url} failed`)
  return result
}

async function runWrk({ url, token, connections, seconds }: HttpLoad): Promise<HttpLoadResult | undefined> {
  const script = fileURLToPath(new URL('http-load.lua', import.meta.url))
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script]
  try {
    const { stdout } = await run('wrk', [...options, url, '--', token, payload.toString(), `${stationAt}`])
    return { ...lastLine(stdout), generator: 'wrk' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function runNode({ url, token, connections, seconds }: HttpLoad): Promise<HttpLoadResult> {
  const client = fileURLToPath(new URL('http-client.ts', import.meta.url))
  const { stdout } = await run(process.execPath, [client, url, token, `${connections}`, `${seconds}`])
  return { ...lastLine(stdout), generator: 'node' }
}

function lastLine(output: string): Omit<HttpLoadResult, 'generator'> {
  return JSON.parse(output.trim().split('\n').at(-1)!) as Omit<HttpLoadResult, 'generator'>
}
