import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The built command. A package that was installed elsewhere is examined by naming its file in the environment. */
export const cliFile = process.env.W3BSTREAM_TEST_CLI ?? fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What stands on standard input; it is closed afterwards. */
  readonly input?: string
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON. */
  json<T>(): T
}

/** Starts the command without waiting for its end; nothing of this process's configuration reaches it. */
export function spawnCli(args: readonly string[], { cwd, env = {} }: CliOptions = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('W3BSTREAM_'))
  return spawn(process.execPath, [cliFile, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Runs the command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(args, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin?.end(options.input ?? '')
  await once(child, 'close')
  return {
    code: child.exitCode,
    stdout,
    stderr,
    json<T>() {
      if (child.exitCode !== 0) throw new Error(`w3bstream ${args.join(' ')} ended with ${child.exitCode}: ${stderr}`)
      return JSON.parse(stdout) as T
    },
  }
}
