import {
  decodeEffectBody,
  decodeMessage,
  type EffectBody,
  type Message,
  type ProjectKey,
  ProtocolError,
  toHex,
  W3bstreamError,
} from '@w3bstream/protocol'
import type { TransactionOutcome } from '../../chain/chain.ts'
import type { EffectState, OutboxRow, ProjectReader } from '../../database/database.ts'
import { ApiError } from '../../endpoint/api-error.ts'
import { backoffMs } from '../../util/backoff.ts'
import { rest } from '../../util/rest.ts'
import { encodeResponse } from '../api-call/response.ts'
import type { CommittedEffect, ExecutedBatch, OutboxChange } from '../executor/executor.ts'
import { answerMessage, emittedMessage } from './answer-message.ts'
import { type ApiCallsDeps, carryOutCall, type PlacedCall, sortOf } from './api-calls.ts'
import { Lane } from './lane.ts'
import { type LaneName, laneOptions } from './lanes.ts'
import type { MetricOwner, ProjectMetrics } from './project-metrics.ts'
import { TransactionEnds } from './transaction-ends.ts'
import { TryLater } from './try-later.ts'

/** Rest before an effect is tried again, milliseconds. */
const retryRest = { minMs: 1000, maxMs: 60_000 }

export interface SettleDeps extends Omit<ApiCallsDeps, 'ends' | 'reader'> {
  /** Hands transactions to the dispatcher, which reports their end to {@link Settle.transactionEnded}. */
  dispatch(project: ProjectKey, rows: readonly OutboxRow[]): void
  /** Publishes on behalf of a project; resolves when it was handed to the sessions or the broker. */
  publishMqtt(project: ProjectKey, topic: string, payload: Uint8Array): Promise<void>
  reader(project: ProjectKey): Promise<Pick<ProjectReader, 'outbox' | 'outboxPending' | 'messages'>>
  /** Opens the project if it is not. */
  updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): Promise<void>
  /** Puts a message through the project's log. */
  submit(project: ProjectKey, message: Message): Promise<unknown>
  onSettled(project: ProjectKey, id: Uint8Array, state: EffectState): void
  readonly metrics: ProjectMetrics
  /** Nothing for a project that is gone. */
  ownerOf(project: ProjectKey): MetricOwner | undefined
}

/** How an effect ended. */
interface End {
  readonly state: 'CONFIRMED' | 'FAILED'
  readonly detail: string
}

/**
 * Carries out what committed batches ask for. Each effect stays in the outbox until it is done, so a crash means that it is
 * tried again: transactions are sent exactly once, since what is sent was signed before; the rest at least once, requests
 * under the same idempotency key. Answers enter the history exactly once: an effect and its answer are settled in one batch.
 * What memory has no room for waits in the outbox until there is.
 */
export class Settle {
  readonly #deps: SettleDeps
  readonly #lanes: Readonly<Record<LaneName, Lane>>
  readonly #ends = new TransactionEnds()
  readonly #laneOf = new WeakMap<OutboxRow, LaneName | undefined>()
  readonly #attempts = new WeakMap<OutboxRow, number>()

  constructor(deps: SettleDeps) {
    this.#deps = deps
    const lane = (name: LaneName) =>
      new Lane(laneOptions[name], {
        takes: (row) => this.#nameLane(row) === name,
        run: (project, row, signal) => this.#run(project, row, signal),
        pending: async (project, range) => (await deps.reader(project)).outboxPending(range),
        logger: deps.logger,
      })
    this.#lanes = {
      mqtt: lane('mqtt'),
      system: lane('system'),
      web: lane('web'),
      proof: lane('proof'),
      end: lane('end'),
    }
  }

  /** Effects of a batch that was just committed. @param publisherOf key of the device that sent a message of the batch */
  committed(project: ProjectKey, batch: ExecutedBatch, publisherOf: (messageIndex: number) => string): void {
    if (batch.effects.length === 0) return
    const rows = batch.effects.map((effect) => toRow(effect, batch.height, this.#deps.now()))
    this.#record(project, rows.filter(isMetric), ({ messageIndex }) => publisherOf(messageIndex))
    this.#take(project, rows)
  }

  /** Effects that are not done, in their order, as they were found at the start. */
  async resume(project: ProjectKey, rows: readonly OutboxRow[]): Promise<void> {
    this.#take(project, rows)
    const metrics = rows.filter(isMetric)
    if (metrics.length === 0) return
    const publishers = await this.#publishers(project, metrics)
    this.#record(project, metrics, (row) => publishers.get(row) ?? '')
  }

  /** From now on effects may go out through the endpoints. */
  open(): void {
    for (const lane of Object.values(this.#lanes)) lane.open()
  }

  /** Tries nothing again from now on; what is not done stays in the outbox. */
  close(): void {
    for (const lane of Object.values(this.#lanes)) lane.close()
  }

  /** Carries out nothing of a project that is being removed. */
  forget(project: ProjectKey): void {
    for (const lane of Object.values(this.#lanes)) lane.forget(project)
    this.#deps.metrics.forget(project)
  }

  /** A transaction has come to its end: noted in the project's history, as whatever comes back from outside. */
  async transactionEnded(project: ProjectKey, effectId: Uint8Array, outcome: TransactionOutcome): Promise<void> {
    const { blockNumber, ...told } = outcome
    const end = { effectId: toHex(effectId), ...told, blockNumber: blockNumber?.toString() }
    const payload = new TextEncoder().encode(JSON.stringify(end))
    await this.#deps.submit(project, answerMessage(effectId, '', payload, this.#deps.now()))
    this.#ends.ended(effectId, outcome.state)
  }

  #take(project: ProjectKey, rows: readonly OutboxRow[]): void {
    const transactions = rows.filter(({ kind }) => kind === 'transaction')
    if (transactions.length > 0) this.#deps.dispatch(project, transactions)
    for (const lane of Object.values(this.#lanes)) lane.add(project, rows)
  }

  #nameLane(row: OutboxRow): LaneName | undefined {
    if (!this.#laneOf.has(row)) this.#laneOf.set(row, laneOf(row))
    return this.#laneOf.get(row)
  }

  async #run(project: ProjectKey, row: OutboxRow, signal: AbortSignal): Promise<number | undefined> {
    const attempts = this.#attempts.get(row) ?? row.attempts
    try {
      await this.#end(project, row, await this.#carryOut({ project, row, attempts }, signal))
      return undefined
    } catch (error) {
      if (signal.aborted) return undefined
      return this.#failed(project, row, attempts + 1, error)
    }
  }

  /** What may succeed later is tried again, at growing distances; the rest has come to its end. */
  async #failed(project: ProjectKey, row: OutboxRow, attempts: number, error: unknown): Promise<number | undefined> {
    const detail = error instanceof Error ? error.message : String(error)
    this.#deps.logger.warn('an effect failed', { project, kind: row.kind, failures: attempts }, error)
    if (isPermanent(error)) {
      await this.#end(project, row, { state: 'FAILED', detail })
      return undefined
    }
    this.#attempts.set(row, attempts)
    await this.#update(project, { id: row.id, attempts, detail })
    return Math.max(backoffMs(attempts, retryRest), error instanceof TryLater ? error.afterMs : 0)
  }

  async #carryOut(effect: Omit<PlacedCall, 'call'>, signal: AbortSignal): Promise<End> {
    const { project, row } = effect
    const body = decodeEffectBody(row.body)
    if (body.kind === 'api') return this.#answerCall({ ...effect, call: body }, signal)
    if (body.kind === 'mqtt') await this.#deps.publishMqtt(project, body.topic, body.payload)
    if (body.kind === 'event') await this.#deliver(project, emittedMessage(row.id, body, this.#deps.now()), signal)
    return { state: 'CONFIRMED', detail: '' }
  }

  async #answerCall(placed: PlacedCall, signal: AbortSignal): Promise<End> {
    const { project, row, call } = placed
    const { response, failure } = await carryOutCall(placed, { ...this.#deps, ends: this.#ends }, signal)
    const payload = encodeResponse(response, call.header)
    await this.#deliver(project, answerMessage(row.id, call.eventType, payload, this.#deps.now()), signal)
    return failure === undefined ? { state: 'CONFIRMED', detail: '' } : { state: 'FAILED', detail: failure }
  }

  /** Puts an answer into the history however long that takes: what was done outside is not done again for it. */
  async #deliver(project: ProjectKey, message: Message, signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        await this.#deps.submit(project, message)
        return
      } catch (error) {
        if (isPermanent(error)) throw error
        this.#deps.logger.debug('an answer waits for its project', { project, failures }, error)
        await rest(backoffMs(failures, retryRest), signal)
      }
    }
  }

  #record(project: ProjectKey, rows: readonly OutboxRow[], publisherOf: (row: OutboxRow) => string): void {
    const owner = this.#deps.ownerOf(project)
    for (const row of rows) {
      try {
        const body = decodeEffectBody(row.body)
        if (owner && body.kind === 'metric') this.#deps.metrics.record(project, owner, publisherOf(row), body.json)
        void this.#end(project, row, { state: 'CONFIRMED', detail: '' })
      } catch (error) {
        void this.#failed(project, row, row.attempts + 1, error)
      }
    }
  }

  /** Keys of the devices whose messages led to these effects. */
  async #publishers(project: ProjectKey, rows: readonly OutboxRow[]): Promise<Map<OutboxRow, string>> {
    const reader = await this.#deps.reader(project)
    const publishers = new Map<OutboxRow, string>()
    for (const height of new Set(rows.map((row) => row.height))) {
      const messages = await reader.messages(height)
      for (const row of rows) {
        const message = row.height === height && messages[row.messageIndex]
        if (message) publishers.set(row, decodeMessage(message.message).publisherKey)
      }
    }
    return publishers
  }

  async #end(project: ProjectKey, { id }: OutboxRow, { state, detail }: End): Promise<void> {
    await this.#update(project, { id, state, detail })
    this.#deps.onSettled(project, id, state)
  }

  /** What cannot be written down is done again after a restart. */
  async #update(project: ProjectKey, change: OutboxChange): Promise<void> {
    try {
      await this.#deps.updateOutbox(project, [change])
    } catch (error) {
      this.#deps.logger.debug('the outbox could not be updated', { project, effect: toHex(change.id) }, error)
    }
  }
}

function isMetric({ kind }: OutboxRow): boolean {
  return kind === 'metric'
}

/** Transactions and metrics go other ways. What cannot be read goes where its failure is written down. */
function laneOf({ kind, body }: OutboxRow): LaneName | undefined {
  if (kind === 'mqtt') return 'mqtt'
  if (kind === 'event') return 'system'
  if (kind !== 'api') return undefined
  try {
    const call: EffectBody = decodeEffectBody(body)
    return call.kind === 'api' ? sortOf(call) : 'system'
  } catch {
    return 'system'
  }
}

function toRow(effect: CommittedEffect, height: bigint, updatedMs: number): OutboxRow {
  const { id, index, messageIndex, kind, body, local } = effect
  return { height, index, messageIndex, id, kind, body, local, state: 'INIT', attempts: 0, detail: '', updatedMs }
}

/** Nothing will change the outcome: the topic cannot be published to, the project is gone, the effect is damaged. */
function isPermanent(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 400 && error.status < 500 && error.status !== 429
  return error instanceof ProtocolError || (error instanceof W3bstreamError && error.code === 'MQTT_TOPIC')
}
