import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { parseNetwork } from '../outbound/address-policy.ts'
import type { LogFormat } from '../telemetry/pino-logger.ts'
import { defaultNodeLimits, defaultNodeOptions, type LogLevel, type NodeLimits, type NodeOptions } from './options.ts'

/** {@link NodeOptions} as flags and variables name them: one text each. */
export interface FlatOptions extends Omit<NodeOptions, 'tls' | 'limits'> {
  readonly tlsCert: string
  readonly tlsKey: string
  readonly limit: Partial<NodeLimits>
}

/** A value was refused; the message says what would be right. */
export class Unwanted extends Error {}

export interface OptionSpec<T> {
  /** What the value is called in the help, such as `DIR`. Absent: no flag, environment only. */
  readonly argument?: string
  /** Environment variable, read when the flag is absent. */
  readonly env: string
  readonly description: string
  /** Shown in the help. */
  readonly default?: string
  readonly repeatable?: boolean
  readonly secret?: boolean
  /** @throws Unwanted */
  read(text: string): T
}

type Table = { readonly [K in keyof FlatOptions]-?: OptionSpec<NonNullable<FlatOptions[K]>> }

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const logFormats: readonly LogFormat[] = ['json', 'text']

/** Each option once: from here come the flags of `w3bstream start`, its environment, and the checks. */
export const optionTable: Table = {
  dataDir: {
    argument: 'DIR',
    env: 'W3BSTREAM_DATA_DIR',
    description: 'directory of everything the node keeps',
    default: './w3bstream-data',
    read: (text) => resolve(nonEmpty(text)),
  },
  host: {
    argument: 'ADDRESS',
    env: 'W3BSTREAM_HOST',
    description: 'address of the management port; 0.0.0.0 opens it to others',
    default: defaultNodeOptions.host,
    read: hostName,
  },
  deviceHost: {
    argument: 'ADDRESS',
    env: 'W3BSTREAM_DEVICE_HOST',
    description: 'address of the event and MQTT ports',
    default: defaultNodeOptions.deviceHost,
    read: hostName,
  },
  httpPort: {
    argument: 'N',
    env: 'W3BSTREAM_HTTP_PORT',
    description: 'management API, and events; 0 takes a free port',
    default: '8888',
    read: port,
  },
  eventPort: {
    argument: 'N',
    env: 'W3BSTREAM_EVENT_PORT',
    description: 'events only; 0 = off',
    default: '8889',
    read: portOrOff,
  },
  mqttPort: {
    argument: 'N',
    env: 'W3BSTREAM_MQTT_PORT',
    description: 'MQTT; 0 = off',
    default: '1883',
    read: portOrOff,
  },
  mqttWsPort: {
    argument: 'N',
    env: 'W3BSTREAM_MQTT_WS_PORT',
    description: 'MQTT over WebSocket; 0 = off',
    default: '0',
    read: portOrOff,
  },
  tlsCert: {
    argument: 'FILE',
    env: 'W3BSTREAM_TLS_CERT',
    description: 'PEM certificate chain; with it HTTP, MQTT and WebSocket speak TLS only',
    read: readableFile,
  },
  tlsKey: {
    argument: 'FILE',
    env: 'W3BSTREAM_TLS_KEY',
    description: 'PEM private key of the certificate',
    read: readableFile,
  },
  mqttBroker: {
    argument: 'URL',
    env: 'W3BSTREAM_MQTT_BROKER',
    description: 'attach to this MQTT broker too, such as mqtt://broker:1883',
    read: (text) => url(text, ['mqtt:', 'mqtts:', 'ws:', 'wss:']),
  },
  zkProver: {
    argument: 'URL',
    env: 'W3BSTREAM_ZK_PROVER',
    description: 'prover that applets may ask for proofs, such as ws://prover:4001/api/proofs',
    read: (text) => url(text, ['ws:', 'wss:']),
  },
  outboundPrivate: {
    argument: 'CIDR,…',
    env: 'W3BSTREAM_OUTBOUND_PRIVATE',
    description: 'networks that HTTP requests of applets may reach though they are not public',
    read: (text) =>
      list(text).map((item) =>
        parseNetwork(item) ? item : refuse('networks such as 10.1.0.0/16, separated by commas'),
      ),
  },
  logLevel: {
    argument: 'LEVEL',
    env: 'W3BSTREAM_LOG_LEVEL',
    description: levels.join(', '),
    default: defaultNodeOptions.logLevel,
    read: (text) => levels.find((level) => level === text) ?? refuse(`one of ${levels.join(', ')}`),
  },
  logFormat: {
    argument: 'FORMAT',
    env: 'W3BSTREAM_LOG_FORMAT',
    description: logFormats.join(', '),
    default: 'text on a terminal, otherwise json',
    read: (text) => logFormats.find((format) => format === text) ?? refuse(`one of ${logFormats.join(', ')}`),
  },
  workers: {
    argument: 'N',
    env: 'W3BSTREAM_WORKERS',
    description: 'threads that run projects',
    default: 'processors, at most 8',
    read: (text) => integer(text, 1, 256),
  },
  snapshotEvery: {
    argument: 'N',
    env: 'W3BSTREAM_SNAPSHOT_EVERY',
    description: 'take a snapshot of each project at multiples of this height; 0 = never',
    default: '0',
    read: (text) => integer(text, 0, Number.MAX_SAFE_INTEGER),
  },
  snapshotKeep: {
    argument: 'N',
    env: 'W3BSTREAM_SNAPSHOT_KEEP',
    description: 'snapshots of a project that stay',
    default: '2',
    read: (text) => integer(text, 1, 1_000_000),
  },
  limit: {
    argument: 'NAME=N',
    env: 'W3BSTREAM_LIMITS',
    description: `changes a limit: ${Object.keys(defaultNodeLimits).join(', ')}`,
    repeatable: true,
    read: limits,
  },
  adminPassword: {
    env: 'W3BSTREAM_ADMIN_PASSWORD',
    description: 'password of the account admin; otherwise a random one is made at the first start and shown once',
    secret: true,
    read: (text) => (text.length >= 8 && text.length <= 256 ? text : refuse('8 to 256 characters')),
  },
  keystorePassphrase: {
    env: 'W3BSTREAM_KEYSTORE_PASSPHRASE',
    description: 'encrypts the wallet; otherwise a random one is kept in the data directory',
    secret: true,
    read: (text) => (text.length >= 8 && text.length <= 1024 ? text : refuse('8 to 1024 characters')),
  },
  chains: {
    env: 'W3BSTREAM_CHAINS',
    description: 'JSON array of chains: [{"chainID":31337,"name":"local","endpoint":"http://127.0.0.1:8545"}]',
    // What stands in it is checked when all options are put together: the help does not need the chain component.
    read: (text) => text,
  },
  loginDomains: {
    env: 'W3BSTREAM_LOGIN_DOMAINS',
    description: 'host names, separated by commas, that wallet logins are made for',
    read: list,
  },
  whiteList: {
    env: 'W3BSTREAM_WHITE_LIST',
    description: 'addresses, separated by commas, that may log in by wallet; empty means everyone',
    read: (text) =>
      list(text).map((item) =>
        /^0x[0-9a-f]{40}$/i.test(item)
          ? item.toLowerCase()
          : refuse('addresses (0x and 40 hexadecimal digits), separated by commas'),
      ),
  },
  sessionMs: {
    env: 'W3BSTREAM_SESSION_MS',
    description: 'life of a login token, milliseconds',
    default: String(defaultNodeOptions.sessionMs),
    read: (text) => integer(text, 1000, 365 * 86_400_000),
  },
}

/** `dataDir` to `--data-dir`. */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`
}

function refuse(wanted: string): never {
  throw new Unwanted(wanted)
}

function nonEmpty(text: string): string {
  return text.trim() === '' ? refuse('a path') : text
}

function integer(text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : refuse(`a whole number from ${min} to ${max}`)
}

function port(text: string): number {
  return integer(text, 0, 65_535)
}

function portOrOff(text: string): number | 'off' {
  return port(text) || 'off'
}

function hostName(text: string): string {
  return /^[a-zA-Z0-9.:_-]{1,253}$/.test(text) ? text : refuse('an IP address or a host name')
}

function readableFile(text: string): string {
  const path = resolve(nonEmpty(text))
  try {
    accessSync(path, constants.R_OK)
  } catch {
    refuse('a file that can be read')
  }
  return path
}

function url(text: string, protocols: readonly string[]): string {
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text
  return refuse(`a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(', ')}`)
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function limits(text: string): Partial<NodeLimits> {
  const names = Object.keys(defaultNodeLimits)
  const entries = list(text).map((item) => {
    const [name = '', value = ''] = item.split('=')
    if (!names.includes(name)) refuse(`NAME=N with a name out of ${names.join(', ')}`)
    return [name, integer(value, name === 'batchWaitMs' ? 0 : 1, Number.MAX_SAFE_INTEGER)] as const
  })
  return Object.fromEntries(entries)
}
