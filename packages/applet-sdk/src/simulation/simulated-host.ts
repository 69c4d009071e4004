import { createHash } from 'node:crypto'
import type {
  AppletHost,
  AppletTransaction,
  FaultReason,
  MaybePromise,
  SqlRequest,
  SqlResult,
} from '../engine-contract.ts'
import type { SimulatedDatabase } from './database.ts'

/** An answer that a contract gives in a simulation. What is left out fits any call. */
export interface ScriptedRead {
  readonly chainId?: bigint
  readonly to?: string
  /** Beginning of the call's data, hexadecimal. */
  readonly data?: string
  /** Hexadecimal; undefined: the read fails. */
  readonly returns?: string
}

/** An answer that the node's services give. */
export interface ScriptedAnswer {
  /** For example `/system/read_tx`. */
  readonly path: string
  /** @default 200 */
  readonly statusCode?: number
  /** @default '' */
  readonly body?: string
}

export interface SimulatedHostOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly database?: SimulatedDatabase
  readonly reads?: readonly ScriptedRead[]
  readonly answers?: readonly ScriptedAnswer[]
  /** Every transaction is refused, as with a chain that cannot be reached. @default false */
  readonly refuseTransactions?: boolean
}

export interface LogLine {
  readonly level: number
  readonly source: 'wasmCode' | 'wasmExportFunc'
  readonly message: string
}

/** Where an event came from. */
export interface EventOrigin {
  /** When it came by MQTT. */
  readonly message?: { topic: string; payload: Uint8Array }
  /** When a device sent it. */
  readonly publisher?: { key: string; signed: boolean }
}

/** All that a handler did, in the order it did it. */
export interface Effects {
  readonly logs: LogLine[]
  readonly transactions: (AppletTransaction & { hash: string })[]
  readonly mqtt: { topic: string; payload: Uint8Array }[]
  readonly apiCalls: string[]
  readonly metrics: string[]
  readonly writes: { key: string; value: Uint8Array }[]
  /** Statements that may change tables. */
  readonly statements: SqlRequest[]
}

function noEffects(): Effects {
  return { logs: [], transactions: [], mqtt: [], apiCalls: [], metrics: [], writes: [], statements: [] }
}

/** Stands in for the node around one applet: keeps its KV and tables from event to event and records what it does. */
export class SimulatedHost implements AppletHost {
  readonly kv = new Map<string, Uint8Array>()
  /** Of the handler that runs or ran last. */
  effects: Effects = noEffects()
  private origin: EventOrigin = {}
  private kvBefore = new Map<string, Uint8Array>()
  private sent = 0
  private readonly options: SimulatedHostOptions
  private readonly fault: (reason: FaultReason, message: string) => Error

  constructor(options: SimulatedHostOptions, deps: { fault(reason: FaultReason, message: string): Error }) {
    this.options = options
    this.fault = deps.fault
  }

  /** Before a handler is called. */
  begin(origin: EventOrigin = {}): void {
    this.origin = origin
    this.effects = noEffects()
    this.kvBefore = new Map(this.kv)
    this.options.database?.begin()
  }

  /** After it returned. */
  commit(): void {
    this.options.database?.commit()
  }

  /** After it failed: writes and effects are undone, log lines stay. */
  rollback(): void {
    this.options.database?.rollback()
    this.kv.clear()
    for (const [key, value] of this.kvBefore) this.kv.set(key, value)
    this.effects = { ...noEffects(), logs: this.effects.logs }
  }

  /** Runs a query of the test itself. */
  query(request: SqlRequest): SqlResult {
    return this.database().query(request)
  }

  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void {
    this.effects.logs.push({ level, source, message })
  }

  kvGet(key: string): Uint8Array | undefined {
    return this.kv.get(key)
  }

  kvPut(key: string, value: Uint8Array): void {
    // A Buffer's `slice` would go on showing the guest's memory.
    const copy = Uint8Array.from(value)
    this.kv.set(key, copy)
    this.effects.writes.push({ key, value: copy })
  }

  sqlExecute(request: SqlRequest): MaybePromise<SqlResult> {
    const result = this.database().execute(request)
    this.effects.statements.push(request)
    return result
  }

  sqlQuery(request: SqlRequest): MaybePromise<SqlResult> {
    return this.database().query(request)
  }

  env(key: string): string | undefined {
    const values = this.options.env ?? {}
    return Object.hasOwn(values, key) ? values[key] : undefined
  }

  /** The hash is made up, different for each transaction, the same in every run. */
  sendTransaction(transaction: AppletTransaction): string {
    if (this.options.refuseTransactions) throw this.fault('Chain', 'the test refuses transactions')
    const hash = `0x${createHash('sha256')
      .update(`transaction ${this.sent++}`)
      .digest('hex')}`
    this.effects.transactions.push({ ...transaction, hash })
    return hash
  }

  callContract(call: { chainId: bigint; to: string; data: string }): Uint8Array {
    const found = this.options.reads?.find(
      (read) =>
        (read.chainId === undefined || read.chainId === call.chainId) &&
        (read.to === undefined || sameHex(read.to, call.to)) &&
        (read.data === undefined || bareHex(call.data).startsWith(bareHex(read.data))),
    )
    if (found?.returns === undefined) {
      throw this.fault('Chain', `no answer scripted for ${call.to} ${call.data} on chain ${call.chainId}`)
    }
    return Buffer.from(bareHex(found.returns), 'hex')
  }

  publishMqtt(topic: string, payload: Uint8Array): void {
    this.effects.mqtt.push({ topic, payload: Uint8Array.from(payload) })
  }

  mqttMessage(): { topic: string; payload: Uint8Array } | undefined {
    return this.origin.message
  }

  publisher(): { key: string; signed: boolean } | undefined {
    return this.origin.publisher
  }

  /** Accepts every request that is JSON, those of the web as the node does; bodies and refusals come from the test's answers. */
  apiCall(request: Uint8Array): Uint8Array {
    const text = Buffer.from(request).toString()
    this.effects.apiCalls.push(text)
    const url = urlOf(text)
    const answer = this.options.answers?.find((candidate) => candidate.path === url?.pathname)
    const accepted = url === undefined ? 400 : /^https?:$/.test(url.protocol) ? 202 : 200
    const statusCode = answer?.statusCode ?? accepted
    return Buffer.from(
      JSON.stringify({
        Status: statusCode === 200 ? '200 OK' : String(statusCode),
        StatusCode: statusCode,
        Proto: 'HTTP/1.1',
        Header: {},
        Body: Buffer.from(answer?.body ?? '').toString('base64'),
      }),
    )
  }

  submitMetrics(json: string): void {
    this.effects.metrics.push(json)
  }

  private database(): SimulatedDatabase {
    if (!this.options.database) throw this.fault('NoDatabase', 'the test states no database')
    return this.options.database
  }
}

function bareHex(text: string): string {
  return text.replace(/^0x/i, '').toLowerCase()
}

function sameHex(left: string, right: string): boolean {
  return bareHex(left) === bareHex(right)
}

/** Kits put the system's address before URLs of the web too. */
function urlOf(request: string): URL | undefined {
  try {
    return new URL((JSON.parse(request).Url as string).replace(/^w3bstream:\/\/w3bstream\.com(?=https?:)/, ''))
  } catch {
    return undefined
  }
}
