import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Server extends AsyncDisposable {
  readonly pid: number
  /** What it said that it listens on. */
  readonly port: number
}

/** Runs a file of `baseline/` in a process of its own. It writes the port it listens on, and a line's end, to standard output. */
export async function startServer(name: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const file = fileURLToPath(new URL(`baseline/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let port: number
  try {
    port = await readPort(child)
  } catch (error) {
    await endProcess(child)
    throw error
  }
  return { pid: child.pid!, port, [Symbol.asyncDispose]: () => endProcess(child) }
}

/** Ends a process and waits until it is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

async function readPort(child: ChildProcess): Promise<number> {
  let output = ''
  for await (const chunk of child.stdout!) {
    output += String(chunk)
    if (output.includes('\n')) return Number.parseInt(output, 10)
  }
  throw new Error(`${child.spawnargs.join(' ')} ended without listening`)
}
