import type { Hex, Signer } from '@w3bstream/protocol'
import { ClientError } from './errors.ts'

export type TransportKind = 'http' | 'mqtt' | 'ws'

export interface ClientOptions {
  /**
   * The node: `http(s)://host:port` (with or without the path of the event route), `ws(s)://host:port/rpc`, or
   * `mqtt(s)://host:port`; in browsers MQTT goes over `ws(s)://`.
   */
  readonly url: string
  /** The project's full name. May be left out when `url` is the whole event route, which ends in it. */
  readonly channel?: string
  /** The device's token, or an account's access key with `credential: 'account'`. Not needed with a `signer`. */
  readonly token?: string
  /** @default by the URL's scheme: http, mqtt, ws */
  readonly transport?: TransportKind
  /**
   * Whose the token is. An account publishes for any device of its project (`deviceId`), in batches, over HTTP.
   * @default 'device'
   */
  readonly credential?: 'device' | 'account'
  /** Signs every event, which then needs no token. Over HTTP and WebSocket. Needs `project`. */
  readonly signer?: Signer
  /** The project's own id, which signatures cover. */
  readonly project?: Hex
  /** The device's key; over MQTT it lets `publish` wait for the handlers' results on `ack/<publisherKey>`. */
  readonly publisherKey?: string
  /** MQTT's protocol level. 4 is MQTT 3.1.1, in which a retry cannot be recognised. @default 5 */
  readonly mqttVersion?: 4 | 5
  /** Events under way at the same time. @default 16 */
  readonly concurrency?: number
  /** Events that wait for their turn. @default 1000 */
  readonly maxQueued?: number
  /** What `publish` does when that many wait: wait for room, or reject with QUEUE_FULL. @default 'wait' */
  readonly whenFull?: 'wait' | 'reject'
  /** Attempts after the first. @default 5 */
  readonly retries?: number
  /** The first wait before a retry; it doubles with each, milliseconds. @default 200 */
  readonly minDelayMs?: number
  /** The longest wait, also when the node names a longer one, milliseconds. @default 30_000 */
  readonly maxDelayMs?: number
  /** For one attempt, milliseconds. @default 15_000: above the longest that a node lets handlers run */
  readonly timeoutMs?: number
  /** Events of one batch, for an account. @default 100 */
  readonly batchEvents?: number
  /** @default the platform's */
  readonly fetch?: typeof fetch
  /** @default the platform's; Node.js has one from version 22 */
  readonly webSocket?: typeof WebSocket
}

export type Settings = ClientOptions & {
  readonly transport: TransportKind
  readonly channel: string
} & Required<
    Pick<
      ClientOptions,
      | 'credential'
      | 'mqttVersion'
      | 'concurrency'
      | 'maxQueued'
      | 'whenFull'
      | 'retries'
      | 'minDelayMs'
      | 'maxDelayMs'
      | 'timeoutMs'
      | 'batchEvents'
    >
  >

export const defaultClientOptions = {
  credential: 'device',
  mqttVersion: 5,
  concurrency: 16,
  maxQueued: 1000,
  whenFull: 'wait',
  retries: 5,
  minDelayMs: 200,
  maxDelayMs: 30_000,
  timeoutMs: 15_000,
  batchEvents: 100,
} as const

const schemes: Readonly<Record<TransportKind, readonly string[]>> = {
  http: ['http:', 'https:'],
  mqtt: ['mqtt:', 'mqtts:', 'ws:', 'wss:'],
  ws: ['ws:', 'wss:'],
}

const ranges = {
  concurrency: [1, 10_000],
  maxQueued: [0, 1_000_000],
  retries: [0, 1000],
  minDelayMs: [1, 3_600_000],
  maxDelayMs: [1, 3_600_000],
  timeoutMs: [1, 3_600_000],
  batchEvents: [1, 10_000],
} as const

/** @throws ClientError OPTIONS_INVALID with every mistake */
export function completeOptions(options: ClientOptions): Settings {
  const problems: string[] = []
  const url = URL.parse(options.url)
  if (!url) problems.push(`url: ${options.url.slice(0, 80)} is not a URL`)
  const transport = options.transport ?? transportOf(url?.protocol)
  if (url && !schemes[transport]?.includes(url.protocol))
    problems.push(`url: the scheme for ${transport} is ${schemes[transport]?.join(' or ')}`)
  const settings = { ...defaultClientOptions, ...defined(options), transport }
  const channel = options.channel ?? channelOf(url)
  if (!channel) problems.push('channel: is missing')
  problems.push(...credentialProblems(settings), ...rangeProblems(settings))
  if (problems.length > 0) throw new ClientError({ code: 'OPTIONS_INVALID', problems })
  return { ...settings, channel: channel! }
}

function transportOf(scheme: string | undefined): TransportKind {
  if (scheme === 'mqtt:' || scheme === 'mqtts:') return 'mqtt'
  return scheme === 'ws:' || scheme === 'wss:' ? 'ws' : 'http'
}

/** The last part of an event route. */
function channelOf(url: URL | null): string | undefined {
  const [, channel] = /\/event\/([^/]+)\/?$/.exec(url?.pathname ?? '') ?? []
  return channel && decodeURIComponent(channel)
}

function defined(options: ClientOptions): ClientOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as ClientOptions
}

function credentialProblems(settings: Omit<Settings, 'channel'>): string[] {
  const { transport, credential, signer, project, token } = settings
  const problems: string[] = []
  if (signer && transport === 'mqtt') problems.push('signer: signed events go over http or ws')
  if (signer && credential === 'account') problems.push('signer: a device signs, an account does not')
  if (signer && !/^0x[0-9a-f]{64}$/.test(project ?? ''))
    problems.push('project: a signature covers its 32 bytes, as 0x…')
  if (credential === 'account' && transport !== 'http') problems.push('credential: an account publishes over http')
  if (credential === 'account' && !token) problems.push('token: is missing')
  return problems
}

function rangeProblems(settings: Omit<Settings, 'channel'>): string[] {
  return Object.entries(ranges).flatMap(([name, [min, max]]) => {
    const value = settings[name as keyof typeof ranges]
    return Number.isInteger(value) && value >= min && value <= max
      ? []
      : [`${name}: ${value} is not in ${min} … ${max}`]
  })
}
