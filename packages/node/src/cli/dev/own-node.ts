import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient } from '../api-client.ts'
import { CliError } from '../errors.ts'

/** What is kept of the node's output, to be shown when it fails; characters. */
const outputLimit = 8000

/** How long the node may drain when it is told to end, milliseconds. */
const drainMs = 15_000

export interface OwnNodeOptions {
  /** Kept when it is named; else a temporary one, removed at the end. */
  readonly dataDir?: string
  /** @default a free one */
  readonly httpPort?: number
  /** @default a free one */
  readonly mqttPort?: number
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A node in a process of its own, of this very command: compiling does not hold it up. */
export class OwnNode {
  readonly url: string
  readonly mqttUrl: string
  readonly token: string
  readonly password: string
  readonly #child: ChildProcess
  readonly #clean: () => Promise<void>

  private constructor(
    child: ChildProcess,
    session: { url: string; mqttUrl: string; token: string; password: string },
    clean: () => Promise<void>,
  ) {
    this.#child = child
    this.#clean = clean
    this.url = session.url
    this.mqttUrl = session.mqttUrl
    this.token = session.token
    this.password = session.password
  }

  /** Starts a node and logs in. @throws CliError CLI_CHECK_FAILED with the node's words when it does not start */
  static async start({ dataDir, httpPort = 0, mqttPort, env }: OwnNodeOptions, signal: AbortSignal): Promise<OwnNode> {
    const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'w3bstream-dev-')))
    const clean = async () => {
      if (dataDir === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    }
    const password = await passwordOf(directory)
    const mqtt = mqttPort ?? (await freePort())
    const ports = ['--http-port', `${httpPort}`, '--event-port', '0', '--mqtt-port', `${mqtt}`]
    const places = ['--data-dir', join(directory, 'node'), '--device-host', '127.0.0.1', ...ports]
    const command = [...process.execArgv, process.argv[1] ?? '', 'start', ...places, '--log-level', 'warn', '--json']
    const child = spawn(process.execPath, command, {
      env: { ...env, W3BSTREAM_ADMIN_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A Ctrl-C at the terminal is for this process, which ends the node when nothing needs it any more.
      detached: true,
    })
    const kill = () => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.removeListener('exit', kill))
    try {
      const { http } = await ready(child, signal)
      const login = { username: 'admin', password }
      const { token } = await new ApiClient({ url: http }).put<{ token: string }>('/login', login)
      return new OwnNode(child, { url: http, mqttUrl: `mqtt://127.0.0.1:${mqtt}`, token, password }, clean)
    } catch (error) {
      child.kill('SIGKILL')
      await clean()
      throw error
    }
  }

  /** Resolves when the process has ended, by itself or not. */
  async ended(): Promise<void> {
    if (!this.#hasEnded) await once(this.#child, 'exit')
  }

  /** Asks the process to end, waits until it has, and removes what was temporary. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) {
      const late = setTimeout(() => this.#child.kill('SIGKILL'), drainMs)
      this.#child.kill('SIGTERM')
      await this.ended()
      clearTimeout(late)
    }
    await this.#clean()
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}

/** Of the account `admin`: made with the directory, because a node knows only a hash of it. */
async function passwordOf(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'admin-password')
  const known = await readFile(file, 'utf8').catch(() => '')
  if (known.trim() !== '') return known.trim()
  const password = randomBytes(12).toString('base64url')
  await writeFile(file, `${password}\n`, { mode: 0o600 })
  return password
}

/** The addresses from the line that the node writes when it is ready. */
async function ready(child: ChildProcess, signal: AbortSignal): Promise<{ http: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ http: string }>()
  let output = ''
  const read = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-outputLimit)
    const found = /^\{"ready":true.*\}$/m.exec(output)
    if (found) resolve((JSON.parse(found[0]) as { addresses: { http: string } }).addresses)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  child.once('error', reject)
  child.once('exit', (code) =>
    reject(new CliError({ code: 'CLI_CHECK_FAILED', detail: `the node ended with ${code}:\n${output.trim()}` })),
  )
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** A port that nobody listens on: 0 would switch MQTT off. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
