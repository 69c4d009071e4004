import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { LogFormat } from '../telemetry/pino-logger.ts'

/** A TCP port; 0 lets the system choose a free one. */
type Port = number

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a node takes at most before it answers "too large" or "busy". */
export interface NodeLimits {
  /** Bytes of one event's payload. @default 1 MiB */
  readonly payloadBytes: number
  /** Bytes of an uploaded module. @default 16 MiB, enough for Go and Rust with their standard libraries */
  readonly moduleBytes: number
  /** Bytes of all files of the VFS: modules, what was made of them, assets. @default 16 GiB */
  readonly vfsBytes: number
  /** Messages that wait in one project's mailbox. @default 10_000 */
  readonly mailboxMessages: number
  /** Bytes that wait in one project's mailbox. @default 32 MiB */
  readonly mailboxBytes: number
  /** Messages of one batch. @default 1000, where a group commit has long paid off */
  readonly batchMessages: number
  /** Bytes of one batch. @default 8 MiB */
  readonly batchBytes: number
  /** How long a batch waits for company once its first message came, milliseconds. @default 0: only while the last one is being committed */
  readonly batchWaitMs: number
  /** What a batch should take at most, milliseconds; its size follows from what the last ones took. @default 50 */
  readonly turnMs: number
  /** Projects that are open at once; the next one waits until one with nothing to do is closed, or has had a turn. @default 256 */
  readonly openProjects: number
  /** A project with nothing to do for so long is closed; its next message opens it. Milliseconds. @default 60_000 */
  readonly idleProjectMs: number
  /** HTTP and WebSocket connections. @default 10_000 */
  readonly httpConnections: number
  /** MQTT connections. @default 10_000 */
  readonly mqttConnections: number
}

/** All that a node can be told at its start. `parseNodeOptions` (parse-options.ts) makes it from flags and environment. */
export interface NodeOptions {
  /** Directory of everything the node keeps; created with mode 0700. @default ./w3bstream-data */
  readonly dataDir: string
  /**
   * Address of the management port.
   * @default 127.0.0.1: whoever operates the node sits on the machine or comes through a proxy with TLS
   */
  readonly host: string
  /**
   * Address of the ports that devices use: events, MQTT, MQTT over WebSocket.
   * @default 0.0.0.0: devices are elsewhere, and each of them shows a token
   */
  readonly deviceHost: string
  /** Management API, events too. @default 8888 */
  readonly httpPort: Port
  /** Events only. @default 8889 */
  readonly eventPort: Port | 'off'
  /** @default 1883 */
  readonly mqttPort: Port | 'off'
  /** @default 'off' */
  readonly mqttWsPort: Port | 'off'
  /** Certificate and key, PEM files; HTTP, MQTT and WebSocket then speak TLS only. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** `mqtt://` or `mqtts://` URL of a broker to attach to, besides or (with `mqttPort` off) instead of the own endpoint. */
  readonly mqttBroker?: string
  /** Password of the account `admin`, set at each start. Without it a random one is made at the first start. */
  readonly adminPassword?: string
  /** Encrypts the wallet's files. Without it the node keeps a random one beside them, in a file of mode 0600. */
  readonly keystorePassphrase?: string
  /** `ws://` or `wss://` URL of a prover that `/system/gen_zk_proof` asks. @default none, and it answers an error */
  readonly zkProver?: string
  /** Networks in CIDR form that HTTP requests of applets may reach though they are not public. @default [] */
  readonly outboundPrivate: readonly string[]
  /** JSON array of chains, added to the built-in table (same chain id or name: replacing). */
  readonly chains?: string
  /** Host names that a wallet's login message may be made for. @default the host names the node listens on */
  readonly loginDomains: readonly string[]
  /** Addresses that may log in by wallet. @default [] everyone */
  readonly whiteList: readonly string[]
  /** Life of a login token, milliseconds. @default 3_600_000 (an hour) */
  readonly sessionMs: number
  /** @default 'info' */
  readonly logLevel: LogLevel
  /** Form of the log lines. @default text when standard error is a terminal, otherwise JSON */
  readonly logFormat?: LogFormat
  /** Threads that run projects. @default the processors, at most 8: the main thread waits for them when they are busy */
  readonly workers: number
  /** A snapshot of each project's state at each multiple of this height; 0 for none but those asked for. @default 0 */
  readonly snapshotEvery: number
  /** Snapshots of a project that stay when another is taken. @default 2, so that one is whole while the other is read */
  readonly snapshotKeep: number
  readonly limits: NodeLimits
}

export const defaultNodeLimits: NodeLimits = {
  payloadBytes: 1024 * 1024,
  moduleBytes: 16 * 1024 * 1024,
  vfsBytes: 16 * 1024 ** 3,
  mailboxMessages: 10_000,
  mailboxBytes: 32 * 1024 * 1024,
  batchMessages: 1000,
  batchBytes: 8 * 1024 * 1024,
  batchWaitMs: 0,
  turnMs: 50,
  openProjects: 256,
  idleProjectMs: 60_000,
  httpConnections: 10_000,
  mqttConnections: 10_000,
}

export const defaultNodeOptions: NodeOptions = {
  dataDir: resolve('w3bstream-data'),
  host: '127.0.0.1',
  deviceHost: '0.0.0.0',
  httpPort: 8888,
  eventPort: 8889,
  mqttPort: 1883,
  mqttWsPort: 'off',
  outboundPrivate: [],
  loginDomains: [],
  whiteList: [],
  sessionMs: 3_600_000,
  logLevel: 'info',
  workers: Math.min(8, availableParallelism()),
  snapshotEvery: 0,
  snapshotKeep: 2,
  limits: defaultNodeLimits,
}

/** Names of the options whose value is never shown. */
const secrets: ReadonlySet<string> = new Set(['adminPassword', 'keystorePassphrase'])

/** The effective configuration as it may be printed: secrets struck out, URLs without their credentials. */
export function printable(options: NodeOptions): Record<string, unknown> {
  const entries = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, secrets.has(name) ? '***' : value] as const)
  const shown: Record<string, unknown> = Object.fromEntries(entries)
  if (options.mqttBroker) shown.mqttBroker = strikeUrl(options.mqttBroker)
  if (options.zkProver) shown.zkProver = strikeUrl(options.zkProver)
  if (options.chains) shown.chains = strikeChains(options.chains)
  return shown
}

/** An RPC endpoint's path and query often are its API key. */
function strikeChains(text: string): unknown {
  const chains: unknown = JSON.parse(text)
  if (!Array.isArray(chains)) return '***'
  return chains.map((chain: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(chain).map(([name, value]) => [
        name,
        typeof value === 'string' && /^[a-z]+:\/\//i.test(value) ? strikeUrl(value) : value,
      ]),
    ),
  )
}

function strikeUrl(text: string): string {
  if (!URL.canParse(text)) return '***'
  const url = new URL(text)
  const rest = url.pathname.length > 1 || url.search ? '/***' : ''
  return `${url.protocol}//${url.username || url.password ? '***@' : ''}${url.host}${rest}`
}
