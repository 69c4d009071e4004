import { randomBytes, randomUUID } from 'node:crypto'
import {
  decodeEffectBody,
  type EffectBody,
  type Message,
  ownMessage,
  type ProjectKey,
  ProtocolError,
  toHex,
  W3bstreamError,
} from '@w3bstream/protocol'
import type { Chains, TransactionOutcome } from '../chain/chain.ts'
import type { EffectState, OutboxRow } from '../database/database.ts'
import { ApiError } from '../endpoint/api-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { backoffMs } from '../util/backoff.ts'
import type { CommittedEffect, ExecutedBatch, OutboxChange } from './executor/executor.ts'
import { respond } from './system-api.ts'

/** Rest before an effect is tried again, milliseconds. */
const retryRest = { minMs: 1000, maxMs: 60_000 }
const maxRetries = 10_000

export interface SettleDeps {
  /** Hands transactions to the dispatcher, which reports their end to {@link Settle.transactionEnded}. */
  dispatch(project: ProjectKey, rows: readonly OutboxRow[]): void
  /** Publishes on behalf of a project; resolves when it was handed to the sessions or the broker. */
  publishMqtt(project: ProjectKey, topic: string, payload: Uint8Array): Promise<void>
  readonly chains: Pick<Chains, 'readTransaction'>
  updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): void
  /** Puts a message through the project's log. */
  submit(project: ProjectKey, message: Message): Promise<unknown>
  onSettled(project: ProjectKey, id: Uint8Array, state: EffectState): void
  readonly now: () => number
  readonly logger: Logger
}

/**
 * Carries out what committed batches ask for. Each effect stays in the outbox until it is done, so a crash means that it is
 * tried again: transactions are sent exactly once, since what is sent was signed before; the rest at least once.
 */
export class Settle {
  readonly #deps: SettleDeps
  /** Effects that wait until the endpoints stand; undefined from then on. */
  readonly #retries = new Set<NodeJS.Timeout>()
  #closed = false
  #held: { project: ProjectKey; row: OutboxRow }[] | undefined = []

  constructor(deps: SettleDeps) {
    this.#deps = deps
  }

  /** Effects of a batch that was just committed. */
  committed(project: ProjectKey, batch: ExecutedBatch): void {
    if (batch.effects.length === 0) return
    this.resume(
      project,
      batch.effects.map((effect) => toRow(effect, batch.height, this.#deps.now())),
    )
  }

  /** Effects that are not done, in their order; also those that were found at the start. */
  resume(project: ProjectKey, rows: readonly OutboxRow[]): void {
    const transactions = rows.filter((row) => row.kind === 'transaction')
    if (transactions.length > 0) this.#deps.dispatch(project, transactions)
    for (const row of rows) {
      if (row.kind === 'transaction') continue
      if (this.#held) this.#held.push({ project, row })
      else this.#begin(project, row)
    }
  }

  /** From now on effects may go out through the endpoints. */
  open(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const { project, row } of held) this.#begin(project, row)
  }

  /** Tries nothing again from now on; what is not done stays in the outbox. */
  close(): void {
    this.#closed = true
    for (const timer of this.#retries) clearTimeout(timer)
    this.#retries.clear()
  }

  #begin(project: ProjectKey, row: OutboxRow, failures = 0): void {
    Promise.resolve()
      .then(() => this.#carryOut(project, row, decodeEffectBody(row.body)))
      .catch((error: unknown) => this.#failed(project, row, failures + 1, error))
  }

  /** What may succeed later is tried again, at growing distances; the rest has come to its end. */
  #failed(project: ProjectKey, row: OutboxRow, failures: number, error: unknown): void {
    if (this.#closed) return
    const detail = error instanceof Error ? error.message : String(error)
    this.#deps.logger.warn('an effect failed', { project, kind: row.kind, failures }, error)
    if (isPermanent(error)) {
      this.#end(project, row.id, 'FAILED', detail)
      return
    }
    this.#deps.updateOutbox(project, [{ id: row.id, attempts: failures, detail }])
    // Beyond this many they wait in the outbox for the node's next start, not in memory.
    if (this.#retries.size >= maxRetries) return
    const timer = setTimeout(
      () => {
        this.#retries.delete(timer)
        this.#begin(project, row, failures)
      },
      backoffMs(failures, retryRest),
    ).unref()
    this.#retries.add(timer)
  }

  /** A transaction has come to its end: noted in the project's history, as whatever comes back from outside. */
  async transactionEnded(project: ProjectKey, effectId: Uint8Array, outcome: TransactionOutcome): Promise<void> {
    const { blockNumber, ...told } = outcome
    const end = { effectId: toHex(effectId), ...told, blockNumber: blockNumber?.toString() }
    const payload = new TextEncoder().encode(JSON.stringify(end))
    await this.#deps.submit(project, answerMessage(effectId, '', payload, this.#deps.now()))
  }

  async #carryOut(project: ProjectKey, row: OutboxRow, body: EffectBody): Promise<void> {
    if (body.kind === 'mqtt') await this.#deps.publishMqtt(project, body.topic, body.payload)
    if (body.kind === 'api') await this.#answerCall(project, row.id, body)
    this.#end(project, row.id, 'CONFIRMED', '')
  }

  async #answerCall(
    project: ProjectKey,
    effectId: Uint8Array,
    body: Extract<EffectBody, { kind: 'api' }>,
  ): Promise<void> {
    const { status, text } = await this.#call(body)
    const response = respond(status, body.header, text)
    await this.#deps.submit(project, answerMessage(effectId, body.eventType, response, this.#deps.now()))
  }

  async #call(body: Extract<EffectBody, { kind: 'api' }>): Promise<{ status: number; text: string }> {
    if (body.url === '/system/hello')
      return { status: 200, text: JSON.stringify(`{"async message": "hello ${body.header.name?.[0] ?? ''}"}`) }
    try {
      const request = JSON.parse(new TextDecoder().decode(body.body)) as { chainName: string; hash: string }
      return { status: 200, text: JSON.stringify({ transaction: await this.#deps.chains.readTransaction(request) }) }
    } catch (error) {
      return { status: 500, text: JSON.stringify({ error: error instanceof Error ? error.message : String(error) }) }
    }
  }

  #end(project: ProjectKey, id: Uint8Array, state: EffectState, detail: string): void {
    this.#deps.updateOutbox(project, [{ id, state, detail }])
    this.#deps.onSettled(project, id, state)
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

/** What came back from outside, as a message; with an event type it is routed like an event. */
function answerMessage(effectId: Uint8Array, eventType: string, payload: Uint8Array, nowMs: number): Message {
  const eventId = `${randomUUID()}_monitor`
  // Whatever is tried twice, the project hears of it once.
  const idempotencyKey = `effect:${toHex(effectId)}`
  return ownMessage('answer', nowMs, { nonce: randomBytes(16), payload, eventType, eventId, idempotencyKey })
}
