import { type ProjectKey, Writer } from '@w3bstream/protocol'
import { encodeLocal } from '../../chain/chain.ts'
import type {
  LogRow,
  MaybePromise,
  OutboxEntry,
  ProjectTransaction,
  SqlLimits,
  SqlRequest,
  SqlResult,
} from '../../database/database.ts'
import { type HostContext, HostFault, type Transaction } from '../../engine/engine.ts'
import type { HostFiles } from '../../engine/wasi/files/host-files.ts'
import type { FileRecords } from '../../engine/wasi/files/records.ts'
import type { Asset, ProjectDefinition } from '../../project/definition.ts'
import { answerApiCall, transactionSpace } from '../api-call/api-call.ts'
import type { ExecutorServices } from '../executor/executor.ts'
import { projectFiles } from '../project-files.ts'
import { takeTransaction } from '../traffic/transactions.ts'
import type { Witness } from '../witness.ts'
import { WriteSet } from '../write-set.ts'
import type { CurrentCall } from './current-call.ts'
import { EffectList, transactionBody } from './effect-list.ts'
import { HeldBytes } from './held-bytes.ts'
import { LogLines } from './log-lines.ts'
import { Outside } from './outside.ts'
import type { Progress } from './progress.ts'
import { SqlCalls } from './sql-calls.ts'

/** Makes the files that a project deploys readable. */
export interface AssetSource {
  of(assets: readonly Asset[]): FileRecords
}

/**
 * The world as a handler of one batch sees it: reads go to the batch's transaction, writes into a set, effects and log lines
 * into lists. One object serves all calls of a batch; {@link begin} and {@link end} enclose each.
 */
export class HandlerHost implements HostContext {
  readonly writes = new WriteSet()
  /** Logical writes of handlers that succeeded, in order; what the state digest is over. */
  readonly digest = new Writer(1024)
  definition: ProjectDefinition
  readonly #project: ProjectKey
  readonly #projectBytes: Uint8Array
  readonly #height: bigint
  readonly #timeMs: number
  readonly #transaction: ProjectTransaction
  readonly #services: ExecutorServices
  readonly #progress: Progress
  readonly #assets: AssetSource
  readonly #held = new HeldBytes()
  readonly #lines: LogLines
  readonly #effects: EffectList
  readonly #sql: SqlCalls
  readonly #outside: Outside
  #call: CurrentCall | undefined

  constructor(
    batch: {
      project: ProjectKey
      projectBytes: Uint8Array
      height: bigint
      timeMs: number
      definition: ProjectDefinition
    },
    deps: {
      transaction: ProjectTransaction
      services: ExecutorServices
      progress: Progress
      modules: { readonly assets: AssetSource }
    },
  ) {
    this.#project = batch.project
    this.#projectBytes = batch.projectBytes
    this.#height = batch.height
    this.#timeMs = batch.timeMs
    this.definition = batch.definition
    this.#transaction = deps.transaction
    this.#services = deps.services
    this.#progress = deps.progress
    this.#assets = deps.modules.assets
    this.#lines = new LogLines(batch.timeMs)
    this.#effects = new EffectList(batch.projectBytes, batch.height)
    this.#sql = new SqlCalls({ transaction: deps.transaction, held: this.#held })
    this.#outside = new Outside({ held: this.#held, progress: deps.progress })
  }

  get logs(): readonly LogRow[] {
    return this.#lines.rows
  }

  get effects(): readonly OutboxEntry[] {
    return this.#effects.entries
  }

  get witness(): Witness {
    return this.#outside.witness
  }

  begin(call: CurrentCall): void {
    this.#call = call
    this.#held.begin()
    this.#progress.enter(call.messageIndex, call.ordinal)
  }

  /** Goes on with another handler: what it does is kept or dropped together with all since {@link begin}. */
  next(call: CurrentCall): void {
    this.#progress.leave()
    this.#call = call
    this.#progress.enter(call.messageIndex, call.ordinal)
  }

  /** Ends a call: its writes and effects count, or are dropped. Log lines stay either way. */
  async end(keep: boolean): Promise<void> {
    this.#progress.leave()
    if (keep) await this.#keep()
    else await this.#drop()
    this.#call = undefined
  }

  /** Whether {@link end} has nothing to await: no SQL was written and nothing signed. */
  get plain(): boolean {
    return this.#sql.untouched && this.#effects.pending === 0
  }

  /** {@link end} for a plain call, without a promise. */
  endPlain(keep: boolean): void {
    this.#progress.leave()
    if (keep) this.writes.keep(this.digest)
    else {
      this.writes.drop()
      this.#held.drop()
    }
    this.#call = undefined
  }

  /** A measurement by the node itself of what a device sent, whatever its handlers do. */
  collect(messageIndex: number, json: string): void {
    this.#effects.add(messageIndex, { kind: 'metric', json })
  }

  /** A log line by the node itself about a handler. */
  note(call: CurrentCall, level: number, message: string): void {
    this.#lines.add(call, 'handler', level, message)
  }

  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void {
    this.#lines.add(this.#current, source, level, message)
  }

  kvGet(key: string): MaybePromise<Uint8Array | undefined> {
    return this.writes.get(this.#transaction, this.#current.namespace, key)
  }

  kvPut(key: string, value: Uint8Array): void {
    const { kvKeyBytes, kvValueBytes } = this.definition.settings.limits
    if (value.length > kvValueBytes)
      throw new HostFault('Limit', `value of ${value.length} bytes, at most ${kvValueBytes}`, {
        limit: 'KV_VALUE_LIMIT',
      })
    if (Buffer.byteLength(key) > kvKeyBytes)
      throw new HostFault('Limit', `key of ${Buffer.byteLength(key)} bytes, at most ${kvKeyBytes}`, {
        limit: 'KV_KEY_LIMIT',
      })
    this.#held.hold(key.length + value.length)
    // Copied into the pool of small buffers: an array of its own would cost more than the write.
    this.writes.put(this.#current.namespace, key, Buffer.from(value))
  }

  sqlExecute(request: SqlRequest): MaybePromise<SqlResult> {
    return this.#sql.execute({ ...request, clockMs: this.#timeMs }, this.#sqlLimits)
  }

  sqlQuery(request: SqlRequest): MaybePromise<SqlResult> {
    return this.#sql.query({ ...request, clockMs: this.#timeMs }, this.#sqlLimits)
  }

  env(key: string): string | undefined {
    return this.definition.env.find(([name]) => name === key)?.[1]
  }

  async sendTransaction(transaction: Transaction): Promise<string> {
    this.#reserveEffect(transaction.data.length)
    const { accountId } = this.definition.project
    const noteSent = await takeTransaction(this.definition, this.#timeMs, this.#state)
    const signed = await this.#outside.ask(
      'sign',
      this.#current,
      () => this.#services.sign({ project: this.#project, height: this.#height, accountId, transaction }),
      (answer) => new TextEncoder().encode(encodeLocal(answer)),
    )
    noteSent()
    this.#effects.push(transactionBody(signed), signed)
    return signed.hash
  }

  callContract(call: { chainId: bigint; to: string; data: string }): Promise<Uint8Array> {
    return this.#outside.ask(
      'call',
      this.#current,
      () => this.#services.call(call),
      (answer) => answer,
    )
  }

  publishMqtt(topic: string, payload: Uint8Array): void {
    this.#reserveEffect(topic.length + payload.length)
    this.#effects.push({ kind: 'mqtt', topic, payload: payload.slice() })
  }

  mqttMessage(): { topic: string; payload: Uint8Array } | undefined {
    const { topic, payload } = this.#current
    return topic === '' ? undefined : { topic, payload }
  }

  publisher(): { key: string; signed: boolean } | undefined {
    const { publisherKey: key, signed } = this.#current
    return key === '' ? undefined : { key, signed }
  }

  apiCall(request: Uint8Array): MaybePromise<Uint8Array> {
    return answerApiCall(request, {
      project: this.#projectBytes,
      height: this.#height,
      timeMs: this.#timeMs,
      outboundHosts: this.definition.settings.outboundHosts,
      nextEffect: () => this.#effects.next,
      reserve: (effects, bytes) => this.#reserveEffect(bytes, effects),
      push: (body) => this.#effects.push(body),
      sendTransaction: (transaction) => this.sendTransaction(transaction),
      transactionPlace: (id) => this.writes.get(this.#transaction, transactionSpace, id),
      putTransactionPlace: (id, place) => this.putState(transactionSpace, id, place),
    })
  }

  /** A new event of the project, which enters its log once the batch is on disk. */
  emitEvent(eventType: string, payload: Uint8Array): void {
    this.#reserveEffect(eventType.length + payload.length)
    this.#effects.push({ kind: 'event', eventType, payload: payload.slice() })
  }

  /** A write into a name space that no applet sees, as part of the call. @param value null removes the key */
  putState(namespace: string, key: string, value: Uint8Array | null): void {
    this.#held.hold(key.length + (value?.length ?? 0))
    this.writes.put(namespace, key, value)
  }

  submitMetrics(json: string): void {
    this.#reserveEffect(json.length)
    this.#effects.push({ kind: 'metric', json })
  }

  files(): HostFiles {
    const { settings, assets } = this.definition
    const { payload, eventType, eventId, publisherKey, signed, topic, timestampMs, receivedMs } = this.#current
    const event = { eventType, eventId, publisherKey, signed, topic, timestampMs, receivedMs, batchMs: this.#timeMs }
    return projectFiles(
      { assets: this.#assets.of(assets), event, payload, limits: settings.limits },
      { writes: this.writes, transaction: this.#transaction, hold: (bytes) => this.#held.hold(bytes) },
    )
  }

  get #current(): CurrentCall {
    if (!this.#call) throw new Error('host used outside of a call')
    return this.#call
  }

  #reserveEffect(bytes: number, count = 1): void {
    const { effects } = this.definition.settings.limits
    if (this.#effects.pending + count > effects)
      throw new HostFault('Limit', `more than ${effects} effects in one call`, { limit: 'EFFECT_LIMIT' })
    this.#held.hold(bytes)
  }

  get #state() {
    return { writes: this.writes, transaction: this.#transaction }
  }

  get #sqlLimits(): SqlLimits {
    const { sqlRows, sqlResultBytes } = this.definition.settings.limits
    return { rows: sqlRows, bytes: sqlResultBytes }
  }

  async #keep(): Promise<void> {
    this.writes.keep(this.digest)
    await this.#sql.keep(this.digest)
    this.#effects.keep(this.#current.messageIndex)
  }

  async #drop(): Promise<void> {
    this.writes.drop()
    this.#held.drop()
    await this.#sql.drop()
    this.#effects.drop((signed) => this.#services.release(signed))
  }
}
