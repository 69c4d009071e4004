import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { spawnCli } from './cli.ts'
import { freePorts } from './ports.ts'
import { makeTempDirectory, removeDirectory } from './temp.ts'
import { until } from './until.ts'

/** How long a node may take to start on a machine that does much else, milliseconds. */
const readyMs = 55_000

export const adminPassword = 'correct horse battery'

export interface NodeProcessOptions {
  /** @default a new one, removed with the node */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
}

/** How a node's process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A node as its users have it: the built command in a process of its own, on ports that stay the same over restarts. */
export class NodeProcess {
  readonly dataDir: string
  readonly httpPort: number
  readonly eventPort: number
  readonly mqttPort: number
  readonly #options: NodeProcessOptions
  readonly #ownsDirectory: boolean
  #child: ChildProcess | undefined
  #output = ''

  private constructor(dataDir: string, ports: readonly number[], options: NodeProcessOptions) {
    this.dataDir = dataDir
    this.httpPort = ports[0]!
    this.eventPort = ports[1]!
    this.mqttPort = ports[2]!
    this.#options = options
    this.#ownsDirectory = options.dataDir === undefined
  }

  /** Resolves when the node is ready. */
  static async start(options: NodeProcessOptions = {}): Promise<NodeProcess> {
    const dataDir = options.dataDir ?? (await makeTempDirectory())
    const node = new NodeProcess(dataDir, await freePorts(3), options)
    try {
      await node.start()
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
    return node
  }

  get management(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  /** Base URL of the management API. */
  get api(): string {
    return `${this.management}/srv-applet-mgr/v0`
  }

  get events(): string {
    return `http://127.0.0.1:${this.eventPort}`
  }

  get mqtt(): string {
    return `mqtt://127.0.0.1:${this.mqttPort}`
  }

  get pid(): number {
    return this.#running.pid!
  }

  /** What it wrote to standard output and error, through all its runs. */
  get output(): string {
    return this.#output
  }

  /** Starts the process, on the same directory and ports. @throws Error with its output when it ends before it is ready */
  async start(): Promise<void> {
    const child = this.spawn()
    const ready = until('the node is ready or ended', async () => child.exitCode !== null || this.isReady(), readyMs)
    try {
      await ready
    } catch (cause) {
      throw new Error(`the node did not start:\n${this.#output.slice(-4000)}`, { cause })
    }
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}:\n${this.#output.slice(-4000)}`)
  }

  /** Starts the process without waiting for anything. */
  spawn(): ChildProcess {
    const { httpPort, eventPort, mqttPort, dataDir } = this
    const { flags = [], env } = this.#options
    const ports = ['--http-port', `${httpPort}`, '--event-port', `${eventPort}`, '--mqtt-port', `${mqttPort}`]
    const args = ['start', '--data-dir', dataDir, ...ports, '--log-level', 'warn', ...flags]
    const child = spawnCli(args, { env: { W3BSTREAM_ADMIN_PASSWORD: adminPassword, ...env } })
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-200_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    this.#child = child
    return child
  }

  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.management}/liveness`)).status === 200
    } catch {
      return false
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.kill(signal)
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<Ending> {
    const child = this.#running
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return { code: child.exitCode, signal: child.signalCode }
  }

  /** Ends it without a chance to do anything. */
  async kill9(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  /** Asks it to end. */
  async stop(): Promise<Ending> {
    this.signal('SIGTERM')
    return this.ended()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Ends the process, however it stands, and removes its directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.kill9()
    if (this.#ownsDirectory) await removeDirectory(this.dataDir)
  }

  get #running(): ChildProcess {
    if (!this.#child) throw new Error('the node was not started')
    return this.#child
  }
}
