import { type EffectBody, effectId, type Hex, type ProjectKey, Writer } from '@w3bstream/protocol'
import { encodeLocal, type SignedTransaction } from '../chain/chain.ts'
import type {
  LogRow,
  MaybePromise,
  OutboxEntry,
  ProjectTransaction,
  SqlRequest,
  SqlResult,
  SqlValue,
} from '../database/database.ts'
import { DatabaseError } from '../database/errors.ts'
import { type HostContext, HostFault, type Transaction } from '../engine/engine.ts'
import type { HostFiles } from '../engine/wasi/files/host-files.ts'
import type { FileRecords } from '../engine/wasi/files/records.ts'
import type { Asset, Instance, ProjectDefinition } from '../project/definition.ts'
import { answerApiCall } from './api-call/api-call.ts'
import type { ExecutorServices } from './executor/executor.ts'
import { projectFiles } from './project-files.ts'
import { takeTransaction } from './traffic/transactions.ts'
import { maxAnswerBytes, Witness } from './witness.ts'
import { digestTags, WriteSet } from './write-set.ts'

/** Log lines of a batch; a store numbers them with 20 bits. Those above are dropped, whatever the limits of single calls. */
const maxBatchLines = 1_000_000
const maxBatchLogBytes = 64 * 1024 * 1024
/**
 * Bytes that the handlers of one batch hold in memory until its commit: writes, effects, answers. 64 KiB for each message of
 * the largest batch; without a bound, a guest that writes as fast as it can would take the whole process down.
 */
const maxHeldBytes = 64 * 1024 * 1024
/** What the holding of anything costs beside its bytes. */
const heldOverhead = 128

/** Told when the thread is busy with a guest, so that a watchdog can tell a loop from a wait. */
export interface Progress {
  /** @param ranMs how long it ran before it waited, milliseconds. @default 0 */
  enter(messageIndex: number, ordinal: number, ranMs?: number): void
  leave(): void
  /** {@link leave} for a wait. @returns how long the guest has run, milliseconds */
  pause(): number
}

/** Makes the files that a project deploys readable. */
export interface AssetSource {
  of(assets: readonly Asset[]): FileRecords
}

/** What a handler may see of the message that it runs for. */
export interface CurrentCall {
  readonly messageIndex: number
  /** Number of the handler among those of the message. */
  readonly ordinal: number
  readonly eventId: string
  readonly eventType: string
  readonly topic: string
  /** The sender's clock, milliseconds. */
  readonly timestampMs: number
  /** When the node received the message, milliseconds. */
  readonly receivedMs: number
  /** Empty when no device sent the message. */
  readonly publisherKey: string
  /** Whether the device signed the message; else a member vouches for it. */
  readonly signed: boolean
  readonly payload: Uint8Array
  readonly instance: Instance
  readonly namespace: string
}

/**
 * The world as a handler of one batch sees it: reads go to the batch's transaction, writes into a set, effects and log lines
 * into lists. One object serves all calls of a batch; {@link begin} and {@link end} enclose each.
 */
export class HandlerHost implements HostContext {
  readonly writes = new WriteSet()
  readonly logs: LogRow[] = []
  readonly effects: OutboxEntry[] = []
  readonly witness = new Witness()
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
  #call: CurrentCall | undefined
  #pending: { body: EffectBody; signed?: SignedTransaction }[] = []
  #sqlWrites: { request: SqlRequest; result: SqlResult }[] = []
  #savepoint = false
  #logBytes = 0
  #heldBytes = 0
  #heldBefore = 0

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
  }

  begin(call: CurrentCall): void {
    this.#call = call
    this.#heldBefore = this.#heldBytes
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
    this.#pending = []
    this.#sqlWrites = []
    this.#savepoint = false
  }

  /** Whether {@link end} has nothing to await: no SQL was written and nothing signed. */
  get plain(): boolean {
    return !this.#savepoint && this.#pending.length === 0
  }

  /** {@link end} for a plain call, without a promise. */
  endPlain(keep: boolean): void {
    this.#progress.leave()
    if (keep) this.writes.keep(this.digest)
    else {
      this.writes.drop()
      this.#heldBytes = this.#heldBefore
    }
    this.#call = undefined
  }

  /** A measurement by the node itself of what a device sent, whatever its handlers do. */
  collect(messageIndex: number, json: string): void {
    this.#addEffect(messageIndex, { kind: 'metric', json })
  }

  /** A log line by the node itself about a handler. */
  note(call: CurrentCall, level: number, message: string): void {
    this.#row(call, 'handler', level, message)
  }

  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void {
    this.#row(this.#current, source, level, message)
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
    this.#hold(key.length + value.length)
    // Copied into the pool of small buffers: an array of its own would cost more than the write.
    this.writes.put(this.#current.namespace, key, Buffer.from(value))
  }

  sqlExecute(request: SqlRequest): MaybePromise<SqlResult> {
    this.#hold(
      sizeOf([request.statement, ...request.params.map((param) => (param.type === 'null' ? '' : param.value))]),
    )
    const timed = { ...request, clockMs: this.#timeMs }
    const run = () => this.#transaction.sqlExecute(timed, this.#sqlLimits)
    const done = (result: SqlResult) => {
      this.#sqlWrites.push({ request, result })
      // What was done is not refused any more; the next one is.
      this.#heldBytes += sizeOf(result.rows.flat())
      return result
    }
    if (this.#savepoint) return sqlFault(run, done)
    this.#savepoint = true
    const mark = this.#transaction.savepoint()
    return mark instanceof Promise ? mark.then(() => sqlFault(run, done)) : sqlFault(run, done)
  }

  sqlQuery(request: SqlRequest): MaybePromise<SqlResult> {
    return sqlFault(
      () => this.#transaction.sqlQuery({ ...request, clockMs: this.#timeMs }, this.#sqlLimits),
      (result) => result,
    )
  }

  env(key: string): string | undefined {
    return this.definition.env.find(([name]) => name === key)?.[1]
  }

  async sendTransaction(transaction: Transaction): Promise<string> {
    this.#reserveEffect(transaction.data.length)
    const { accountId } = this.definition.project
    const noteSent = await takeTransaction(this.definition, this.#timeMs, this.#state)
    const signed = await this.#ask(
      'sign',
      () => this.#services.sign({ project: this.#project, height: this.#height, accountId, transaction }),
      (answer) => new TextEncoder().encode(encodeLocal(answer)),
    )
    noteSent()
    this.#pending.push({ body: transactionBody(signed), signed })
    return signed.hash
  }

  callContract(call: { chainId: bigint; to: string; data: string }): Promise<Uint8Array> {
    return this.#ask(
      'call',
      () => this.#services.call(call),
      (answer) => answer,
    )
  }

  publishMqtt(topic: string, payload: Uint8Array): void {
    this.#reserveEffect(topic.length + payload.length)
    this.#pending.push({ body: { kind: 'mqtt', topic, payload: payload.slice() } })
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
      nextEffect: () => this.effects.length + this.#pending.length,
      reserve: (effects, bytes) => this.#reserveEffect(bytes, effects),
      push: (body) => void this.#pending.push({ body }),
      sendTransaction: (transaction) => this.sendTransaction(transaction),
    })
  }

  /** A new event of the project, which enters its log once the batch is on disk. */
  emitEvent(eventType: string, payload: Uint8Array): void {
    this.#reserveEffect(eventType.length + payload.length)
    this.#pending.push({ body: { kind: 'event', eventType, payload: payload.slice() } })
  }

  /** A write into a name space that no applet sees, as part of the call. @param value null removes the key */
  putState(namespace: string, key: string, value: Uint8Array | null): void {
    this.#hold(key.length + (value?.length ?? 0))
    this.writes.put(namespace, key, value)
  }

  submitMetrics(json: string): void {
    this.#reserveEffect(json.length)
    this.#pending.push({ body: { kind: 'metric', json } })
  }

  files(): HostFiles {
    const { settings, assets } = this.definition
    const { payload, eventType, eventId, publisherKey, signed, topic, timestampMs, receivedMs } = this.#current
    const event = { eventType, eventId, publisherKey, signed, topic, timestampMs, receivedMs, batchMs: this.#timeMs }
    return projectFiles(
      { assets: this.#assets.of(assets), event, payload, limits: settings.limits },
      { writes: this.writes, transaction: this.#transaction, hold: (bytes) => this.#hold(bytes) },
    )
  }

  get #current(): CurrentCall {
    if (!this.#call) throw new Error('host used outside of a call')
    return this.#call
  }

  #row({ instance, eventId }: CurrentCall, source: string, level: number, message: string): void {
    if (this.logs.length >= maxBatchLines || this.#logBytes >= maxBatchLogBytes) return
    this.#logBytes += message.length
    const { instanceId, appletId } = instance
    const index = this.logs.length
    this.logs.push({ index, appletId, instanceId, source, level, message, timeMs: this.#timeMs, eventId })
  }

  #reserveEffect(bytes: number, count = 1): void {
    const { effects } = this.definition.settings.limits
    if (this.#pending.length + count > effects)
      throw new HostFault('Limit', `more than ${effects} effects in one call`, { limit: 'EFFECT_LIMIT' })
    this.#hold(bytes)
  }

  /** Counts what is kept until the commit. The same on every member, because it follows from the batch. */
  #hold(bytes: number): void {
    const held = this.#heldBytes + bytes + heldOverhead
    if (held > maxHeldBytes)
      throw new HostFault('Limit', `the batch would hold more than ${maxHeldBytes} bytes`, { limit: 'BATCH_LIMIT' })
    this.#heldBytes = held
  }

  get #state() {
    return { writes: this.writes, transaction: this.#transaction }
  }

  get #sqlLimits(): { rows: number; bytes: number } {
    const { sqlRows, sqlResultBytes } = this.definition.settings.limits
    return { rows: sqlRows, bytes: sqlResultBytes }
  }

  /** Asks the world outside; the thread is free meanwhile, and what was answered is written down. */
  async #ask<T>(kind: 'sign' | 'call', question: () => Promise<T>, encode: (answer: T) => Uint8Array): Promise<T> {
    const { messageIndex, ordinal } = this.#current
    this.#hold(0)
    const ranMs = this.#progress.pause()
    try {
      const answer = await question()
      const encoded = encode(answer)
      if (encoded.length > maxAnswerBytes) throw new Error(`an answer of ${encoded.length} bytes is too large`)
      // The witness keeps it whatever becomes of the handler.
      this.#heldBytes += encoded.length
      this.#heldBefore += encoded.length
      this.witness.record({ messageIndex, kind, answered: true, answer: encoded })
      return answer
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.witness.record({ messageIndex, kind, answered: false, answer: new TextEncoder().encode(text) })
      throw new HostFault('Chain', text, { cause: error })
    } finally {
      this.#progress.enter(messageIndex, ordinal, ranMs)
    }
  }

  async #keep(): Promise<void> {
    this.writes.keep(this.digest)
    for (const { request, result } of this.#sqlWrites) writeSqlDigest(this.digest, request, result)
    if (this.#savepoint) await this.#transaction.releaseSavepoint()
    for (const { body, signed } of this.#pending) this.#addEffect(this.#current.messageIndex, body, signed)
  }

  #addEffect(messageIndex: number, body: EffectBody, signed?: SignedTransaction): void {
    const index = this.effects.length
    const effect = { id: effectId(this.#projectBytes, this.#height, index), index, messageIndex, body }
    this.effects.push({ effect, local: signed ? encodeLocal(signed) : '' })
  }

  async #drop(): Promise<void> {
    this.writes.drop()
    this.#heldBytes = this.#heldBefore
    if (this.#savepoint) await this.#transaction.rollbackToSavepoint()
    for (const { signed } of this.#pending) if (signed) this.#services.release(signed)
  }
}

function transactionBody({ chainId, chainName, to, value, data, operator }: SignedTransaction): EffectBody {
  return { kind: 'transaction', chainId, chainName, to: to.toLowerCase() as Hex, value, data, operator }
}

function sqlFault<T>(run: () => MaybePromise<T>, done: (result: T) => T): MaybePromise<T> {
  try {
    const result = run()
    return result instanceof Promise
      ? result.then(done, (error: unknown) => Promise.reject(toFault(error)))
      : done(result)
  } catch (error) {
    throw toFault(error)
  }
}

/** Faults of the statement are the guest's; those of the disk are the node's and end the batch. */
function toFault(error: unknown): unknown {
  if (error instanceof DatabaseError && error.code.startsWith('SQL_'))
    return new HostFault('Sql', error.message, {
      cause: error,
      ...(error.code === 'SQL_LIMIT' && { limit: 'SQL_LIMIT' }),
    })
  return error
}

/** Near enough for a bound. */
function sizeOf(values: readonly (SqlValue | undefined)[]): number {
  let size = 0
  for (const value of values) size += typeof value === 'string' || value instanceof Uint8Array ? value.length + 16 : 16
  return size
}

function writeSqlDigest(digest: Writer, { statement, params }: SqlRequest, result: SqlResult): void {
  digest.u8(digestTags.sql).text(statement).uint(params.length)
  for (const param of params) digest.text(param.type).text(plain(param.type === 'null' ? null : param.value))
  digest.uint(result.changes).uint(result.rows.length)
  for (const row of result.rows) for (const value of row) digest.text(plain(value))
}

function plain(value: unknown): string {
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value} ${String(value)}`
}
