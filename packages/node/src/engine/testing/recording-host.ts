import type { SqlRequest, SqlResult } from '../../database/database.ts'
import type { CallLimits, HandlerCall, HostContext, Transaction } from '../engine.ts'
import { defaultCallLimits } from '../limits.ts'
import { defaultFileLimits, type FileLimits, type HostFiles } from '../wasi/files/host-files.ts'
import { type FixedFile, fixedRecords, MemoryRecords } from '../wasi/files/memory-records.ts'
import type { FileRecords } from '../wasi/files/records.ts'

/** A host for tests: answers from fields that a test sets, and keeps what the guest did. */
export class RecordingHost implements HostContext {
  readonly lines: string[] = []
  readonly values = new Map<string, Uint8Array>()
  readonly environment = new Map<string, string>()
  readonly statements: SqlRequest[] = []
  readonly transactions: Transaction[] = []
  readonly contractCalls: { chainId: bigint; to: string; data: string }[] = []
  readonly published: { topic: string; payload: Uint8Array }[] = []
  readonly metrics: string[] = []
  /** What `/assets` and `/input` show, and what `/data` keeps from one call to the next. */
  assets: readonly FixedFile[] = []
  input: readonly FixedFile[] = []
  data: FileRecords = new MemoryRecords()
  fileLimits: Partial<FileLimits> = {}
  rows: SqlResult = { columns: [], rows: [], changes: 0 }
  message: { topic: string; payload: Uint8Array } | undefined
  device: { key: string; signed: boolean } | undefined
  /** When set, every method that may fail throws it. */
  error: Error | undefined

  log(level: number, source: string, message: string): void {
    this.lines.push(`${level} ${source} ${message}`)
  }

  kvGet(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    this.#check()
    return this.values.get(key)
  }

  kvPut(key: string, value: Uint8Array): void | Promise<void> {
    this.#check()
    this.values.set(key, value)
  }

  sqlExecute(request: SqlRequest): SqlResult {
    this.#check()
    this.statements.push(request)
    return this.rows
  }

  sqlQuery(request: SqlRequest): SqlResult {
    return this.sqlExecute(request)
  }

  env(key: string): string | undefined {
    return this.environment.get(key)
  }

  sendTransaction(transaction: Transaction): string {
    this.#check()
    this.transactions.push(transaction)
    return `0x${'ab'.repeat(32)}`
  }

  callContract(call: { chainId: bigint; to: string; data: string }): Uint8Array {
    this.#check()
    this.contractCalls.push(call)
    return Uint8Array.of(1, 2, 3)
  }

  publishMqtt(topic: string, payload: Uint8Array): void {
    this.#check()
    this.published.push({ topic, payload })
  }

  mqttMessage(): { topic: string; payload: Uint8Array } | undefined {
    return this.message
  }

  publisher(): { key: string; signed: boolean } | undefined {
    return this.device
  }

  apiCall(request: Uint8Array): Uint8Array {
    this.#check()
    return request
  }

  submitMetrics(json: string): void {
    this.#check()
    this.metrics.push(json)
  }

  files(): HostFiles {
    return {
      assets: fixedRecords(this.assets),
      input: fixedRecords(this.input),
      data: this.data,
      limits: { ...defaultFileLimits, ...this.fileLimits },
    }
  }

  #check(): void {
    if (this.error !== undefined) throw this.error
  }
}

/** A call with the default limits, a fixed clock and a fixed seed. */
export function testCall(
  handler: string,
  host: HostContext,
  options: { payload?: Uint8Array | string; limits?: Partial<CallLimits>; seed?: number } = {},
): HandlerCall {
  const { payload = '', limits, seed = 7 } = options
  return {
    handler,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    host,
    clockNs: 1_700_000_000_123_000_000n,
    seed: new Uint8Array(32).fill(seed),
    limits: { ...defaultCallLimits, ...limits },
  }
}
