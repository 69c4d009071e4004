import { existsSync } from 'node:fs'
import { MqttError } from './errors.ts'

/** Bounds of the endpoint: whatever a peer can make grow has one. */
export interface MqttLimits {
  /** Network connections at a time. @default 20000, at some 10 KiB each a small node's memory */
  readonly connections: number
  /** Bytes of one packet, both directions; told to MQTT 5 clients. @default 1 MiB + 64 KiB, an event of 1 MiB with its topic and header */
  readonly packetBytes: number
  /** Bytes of a packet before its sender is known. @default 64 KiB, a CONNECT with a will */
  readonly connectPacketBytes: number
  /** @default 1024 */
  readonly maxTopicBytes: number
  /** @default 32 */
  readonly maxTopicLevels: number
  /** @default 256 */
  readonly clientIdBytes: number
  /** @default 100 */
  readonly subscriptionsPerSession: number
  /** Messages of one connection between arrival and commit; the Receive Maximum told to MQTT 5 clients. @default 1024 */
  readonly inflightMessages: number
  /** Their bytes; beyond, the connection is not read. @default 4 MiB */
  readonly inflightBytes: number
  /** Bytes of all connections between arrival and commit; beyond, publishers are not read. @default 64 MiB */
  readonly totalInflightBytes: number
  /** Bytes of all packets of which only a part has arrived; beyond, their senders are disconnected. @default 64 MiB */
  readonly totalPartialBytes: number
  /** Messages of QoS 1 and 2 sent to a client and not acknowledged. @default 64 */
  readonly outgoingInflight: number
  /** Messages waiting in one session for its client. Beyond, the newest is refused and counted. @default 1000 */
  readonly queuedMessages: number
  /** @default 1 MiB */
  readonly queuedBytes: number
  /** Bytes waiting in a connection for a slow client. Beyond, QoS 0 is refused and counted, QoS 1 and 2 stay queued. @default 1 MiB */
  readonly writeBufferBytes: number
  /** How long a client may stay beyond that before it is disconnected, milliseconds. @default 30000 */
  readonly slowClientMs: number
  /** Retained messages per project. Beyond, new ones are refused and counted. @default 1000 */
  readonly retainedMessages: number
  /** Sessions kept, with and without a connection. @default 100000 */
  readonly sessions: number
  /** Sessions of one device or account. @default 64 */
  readonly sessionsPerPrincipal: number
  /** The longest a session outlives its connection, seconds. @default 604800, seven days */
  readonly sessionExpirySeconds: number
  /** Topic aliases in each direction. @default 16 */
  readonly topicAliases: number
  /** Time for the first packet and the authentication, milliseconds. @default 10000 */
  readonly connectTimeoutMs: number
  /** The longest keep-alive that MQTT 5 clients get, seconds, also when they want none. @default 3600 */
  readonly keepAliveSeconds: number
}

export interface MqttListener {
  /** 0 takes any free port. */
  readonly port: number
  /** @default '0.0.0.0' */
  readonly host?: string
}

export interface MqttOptions {
  /** Plain MQTT over TCP; undefined is off. */
  readonly tcp?: MqttListener
  /** MQTT over WebSocket, sub-protocol `mqtt`, any path; undefined is off. */
  readonly ws?: MqttListener
  /** The same over TLS; need `tls`. */
  readonly tcpTls?: MqttListener
  readonly wsTls?: MqttListener
  /** PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Where persistent sessions are kept across restarts: `<dataDir>/mqtt.db`; undefined keeps them in memory only. */
  readonly dataDir?: string
  /** Written into error answers as `sources`. @default 'srv-applet-mgr@0.1.0' */
  readonly source?: string
  readonly limits?: Partial<MqttLimits>
}

export const defaultMqttLimits: MqttLimits = {
  connections: 20_000,
  packetBytes: 1_114_112,
  connectPacketBytes: 65_536,
  maxTopicBytes: 1024,
  maxTopicLevels: 32,
  clientIdBytes: 256,
  subscriptionsPerSession: 100,
  inflightMessages: 1024,
  inflightBytes: 4_194_304,
  totalInflightBytes: 67_108_864,
  totalPartialBytes: 67_108_864,
  outgoingInflight: 64,
  queuedMessages: 1000,
  queuedBytes: 1_048_576,
  writeBufferBytes: 1_048_576,
  slowClientMs: 30_000,
  retainedMessages: 1000,
  sessions: 100_000,
  sessionsPerPrincipal: 64,
  sessionExpirySeconds: 604_800,
  topicAliases: 16,
  connectTimeoutMs: 10_000,
  keepAliveSeconds: 3600,
}

/** What the protocol's own fields can hold. */
const ceilings: Partial<Record<keyof MqttLimits, number>> = {
  packetBytes: 268_435_455,
  connectPacketBytes: 268_435_455,
  maxTopicBytes: 65_535,
  clientIdBytes: 65_535,
  inflightMessages: 65_535,
  outgoingInflight: 65_535,
  topicAliases: 65_535,
  keepAliveSeconds: 43_690,
  sessionExpirySeconds: 0xfffffffe,
}

/**
 * The limits in force.
 * @throws MqttError MQTT_OPTIONS with every mistake
 */
export function checkMqttOptions(options: MqttOptions): MqttLimits {
  const limits = { ...defaultMqttLimits, ...options.limits }
  const problems: string[] = []
  for (const [name, value] of Object.entries(limits)) {
    const key = name as keyof MqttLimits
    const least = key === 'topicAliases' || key === 'retainedMessages' || key === 'sessionExpirySeconds' ? 0 : 1
    if (!(key in defaultMqttLimits)) problems.push(`limits.${name}: unknown`)
    else if (!Number.isInteger(value) || value < least || value > (ceilings[key] ?? Number.MAX_SAFE_INTEGER))
      problems.push(`limits.${name}: ${value}, wanted an integer from ${least} to ${ceilings[key] ?? '2^53-1'}`)
  }
  for (const name of ['tcp', 'ws', 'tcpTls', 'wsTls'] as const) {
    const port = options[name]?.port ?? 0
    if (!Number.isInteger(port) || port < 0 || port > 65_535) problems.push(`${name}.port: ${port}, wanted 0 to 65535`)
  }
  if ((options.tcpTls || options.wsTls) && !options.tls) problems.push('tls: missing, tcpTls and wsTls need it')
  for (const file of options.tls ? [options.tls.certFile, options.tls.keyFile] : [])
    if (!existsSync(file)) problems.push(`tls: no file ${file}`)
  if (problems.length > 0) throw new MqttError({ code: 'MQTT_OPTIONS', problems })
  return limits
}
