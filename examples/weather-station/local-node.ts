/** A node of its own process, as its operators run it, and the two ways to speak to it: its command line and its API. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

/** What is kept of the node's output, to be shown when something fails; characters. */
const outputLimit = 20_000

export interface LocalNodeOptions {
  readonly dataDir: string
  /** The chain that its projects act on. */
  readonly chain: { readonly chainId: number; readonly url: string }
  readonly signal: AbortSignal
}

interface Addresses {
  readonly http: string
  readonly mqtt: string
}

export class LocalNode {
  readonly addresses: Addresses
  /** Of the account `admin`. */
  readonly password: string
  readonly #child: ChildProcess
  readonly #output: () => string
  readonly #signal: AbortSignal
  #token = ''
  #accountId = ''

  private constructor(
    child: ChildProcess,
    output: () => string,
    addresses: Addresses,
    password: string,
    signal: AbortSignal,
  ) {
    this.#child = child
    this.#output = output
    this.addresses = addresses
    this.password = password
    this.#signal = signal
  }

  /** Starts a node and logs in. @throws Error with the node's output when it ends before it is ready */
  static async start({ dataDir, chain, signal }: LocalNodeOptions): Promise<LocalNode> {
    const password = randomBytes(12).toString('base64url')
    const chains = [{ chainID: chain.chainId, name: 'local', endpoint: chain.url }]
    const ports = ['--http-port', '0', '--event-port', '0', '--mqtt-port', `${await freePort()}`]
    const places = ['--data-dir', dataDir, '--device-host', '127.0.0.1', ...ports]
    const child = spawn(process.execPath, [commandFile(), 'start', ...places, '--log-level', 'warn', '--json'], {
      env: {
        ...process.env,
        W3BSTREAM_ADMIN_PASSWORD: password,
        W3BSTREAM_CHAINS: JSON.stringify(chains),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = () => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.removeListener('exit', kill))
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-outputLimit)
      })
    try {
      const addresses = await ready(child, () => output, signal)
      const node = new LocalNode(child, () => output, addresses, password, signal)
      await node.#logIn()
      return node
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** The session, as environment variables of the command line. */
  get session(): Readonly<Record<string, string>> {
    return { W3BSTREAM_URL: this.addresses.http, W3BSTREAM_TOKEN: this.#token }
  }

  /** The latest that the node has said. */
  get output(): string {
    return this.#output()
  }

  /** Full name of a project of this account, the topic of its devices. */
  channel(project: string): string {
    return `aid_${this.#accountId}_${project}`
  }

  /** A command's result, under `--json`. @throws Error with what the command wrote when it fails */
  async command<T>(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<T> {
    const child = spawn(process.execPath, [commandFile(), ...args, '--json'], {
      env: { ...process.env, ...this.session, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.#signal,
    })
    const output = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    if (code === 0) return JSON.parse(output.out) as T
    throw new Error(`"w3bstream ${args.join(' ')}" ended with ${code}: ${output.err}${output.out}`)
  }

  /** A request to the management API. @throws Error with the answer when it is not a success */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.addresses.http}/srv-applet-mgr/v0${path}`, {
      method,
      headers: {
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.#signal,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }

  /** Asks the process to end, and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
  }

  async #logIn(): Promise<void> {
    const account = { username: 'admin', password: this.password }
    const { token, accountID } = await this.request<{ token: string; accountID: string }>('PUT', '/login', account)
    this.#token = token
    this.#accountId = accountID
  }
}

/** The built command of the package `@w3bstream/node`. */
export function commandFile(): string {
  const manifest = findPackageJSON('@w3bstream/node', import.meta.url)
  if (!manifest) throw new Error('@w3bstream/node is not installed: run "npm install" first')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { w3bstream: string } }
  const file = join(dirname(manifest), bin.w3bstream)
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first`)
  return file
}

/** The addresses from the line that the node writes when it is ready. */
async function ready(child: ChildProcess, output: () => string, signal: AbortSignal): Promise<Addresses> {
  const { promise, resolve, reject } = Promise.withResolvers<Addresses>()
  let line = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    line += chunk.toString()
    const found = /^\{"ready":true.*$/m.exec(line)
    if (found) resolve((JSON.parse(found[0]) as { addresses: Addresses }).addresses)
    else line = line.slice(-outputLimit)
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`the node ended with ${code} before it was ready:\n${output()}`)))
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return await promise
}

/** A port that nobody listens on: 0 would switch MQTT off. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
