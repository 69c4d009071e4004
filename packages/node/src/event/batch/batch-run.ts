import {
  type BatchHeader,
  batchHash,
  decodeMessage,
  type HandlerResult,
  type Message,
  type ProjectKey,
  type Receipt,
  type ReceiptStatus,
  sha256,
  toHex,
  Writer,
} from '@w3bstream/protocol'
import type { ProjectStore, ProjectTip, ProjectTransaction } from '../../database/database.ts'
import type { HandlerOutcome } from '../../engine/engine.ts'
import { DefinitionEditor } from '../../project/change/editor.ts'
import {
  type ChangeResult,
  defaultProjectSettings,
  type ProjectChange,
  type ProjectDefinition,
} from '../../project/definition.ts'
import { applyRows } from '../../project/definition-rows.ts'
import { positionToCollect } from '../auto-collect.ts'
import { type DecidedBatch, type ExecutorServices, packedPart } from '../executor/executor.ts'
import { FlowMessages } from '../flow/flow-messages.ts'
import { flowProblems } from '../flow/plan.ts'
import { failureLine, notRun, resultOf, resultOfCall } from '../handler-result.ts'
import type { CurrentCall } from '../host/current-call.ts'
import { HandlerHost } from '../host/handler-host.ts'
import type { Progress } from '../host/progress.ts'
import type { LiveModules } from '../live-modules.ts'
import { type Route, Router } from '../router.ts'
import { answeredEffect } from '../settle/answer-message.ts'
import { admitFiring } from '../timers/cron/fired.ts'
import { firingOf } from '../timers/cron/firing.ts'
import type { Stopped } from '../witness.ts'
import { Repetitions, repetitionKey } from './repetitions.ts'
import { type SealedBatch, sealBatch } from './seal.ts'

export interface BatchInput {
  readonly project: ProjectKey
  readonly projectBytes: Uint8Array
  readonly header: BatchHeader
  readonly batch: DecidedBatch
  readonly stopped: readonly Stopped[]
}

export interface BatchRunDeps {
  readonly store: ProjectStore
  readonly modules: LiveModules
  readonly services: ExecutorServices
  readonly progress: Progress
  readonly transaction: ProjectTransaction
}

const noAddress = new Uint8Array(20)
const seedDomain = new TextEncoder().encode('w3bstream/seed/v1')

/** One batch on its way through the handlers. */
export class BatchRun {
  definition: ProjectDefinition | undefined
  readonly #project: ProjectKey
  readonly #projectBytes: Uint8Array
  readonly #header: BatchHeader
  readonly #batch: DecidedBatch
  readonly #hash: Uint8Array
  readonly #transaction: ProjectTransaction
  readonly #deps: BatchRunDeps
  readonly #stopped: readonly Stopped[]
  readonly #editor: DefinitionEditor
  readonly #host: HandlerHost
  readonly #flow: FlowMessages
  readonly #repetitions: Repetitions
  readonly #receipts: Receipt[] = []
  /** Which handler of which message, for its seed. */
  readonly #place = new Writer(16)
  #router: Router | undefined

  constructor(input: BatchInput, start: { definition?: ProjectDefinition; router?: Router }, deps: BatchRunDeps) {
    const { project, projectBytes, header, batch, stopped } = input
    this.#project = project
    this.#projectBytes = projectBytes
    this.#header = header
    this.#batch = batch
    this.#hash = batchHash(header)
    this.#stopped = stopped
    this.definition = start.definition
    this.#router = start.router
    this.#transaction = deps.transaction
    this.#deps = deps
    this.#editor = new DefinitionEditor(start.definition)
    this.#repetitions = new Repetitions(deps.transaction, header.timeMs)
    this.#host = new HandlerHost(
      { project, projectBytes, height: header.height, timeMs: header.timeMs, definition: start.definition! },
      deps,
    )
    this.#flow = new FlowMessages({
      host: this.#host,
      transaction: deps.transaction,
      timeMs: header.timeMs,
      module: (codeHash) => deps.modules.get(project, codeHash),
      seed: (index, ordinal) => this.#seed(index, ordinal),
      stopped: (index, ordinal) => this.#wasStopped(index, ordinal),
    })
  }

  /** Runs all messages in their order. What is returned is to be committed in the transaction that was given. */
  async all(tip: ProjectTip): Promise<SealedBatch> {
    const { ids, messages, ends } = this.#batch
    const decoded: Message[] = []
    for (let index = 0; index < ends.length; index++) {
      const message = decodeMessage(packedPart(messages, ends, index))
      const ran = this.#one(message, ids.subarray(index * 32, index * 32 + 32), index)
      const receipt = ran instanceof Promise ? await ran : ran
      this.#receipts.push(receipt)
      decoded.push(message)
    }
    return this.#seal(tip, decoded)
  }

  #one(message: Message, id: Uint8Array, index: number): Receipt | Promise<Receipt> {
    if (message.kind === 'config') return this.#change(message, id, index)
    if (message.kind === 'timer') return this.#timer(message, id, index)
    if (message.idempotencyKey !== '') return this.#once(message, id, index)
    return this.#run(message, id, index)
  }

  /** A firing of a cron job is executed once, however often it is put into the log. */
  async #timer(message: Message, id: Uint8Array, index: number): Promise<Receipt> {
    const firing = firingOf(message)
    const { writes, digest } = this.#host
    const state = { writes, digest, transaction: this.#transaction }
    const refusal = firing && this.definition && (await admitFiring(firing, this.definition, state))
    if (refusal) return { ...this.#receipt(message, id, index, 'refused'), detail: refusal }
    return this.#run(message, id, index)
  }

  /** Runs a message whose sender may repeat it; a repetition gets the results of the first. */
  async #once(message: Message, id: Uint8Array, index: number): Promise<Receipt> {
    const key = repetitionKey(message)
    const first = await this.#repetitions.first(key, this.#receipts, this.#keyWindowMs)
    if (first) {
      const detail = JSON.stringify({ duplicateOf: toHex(first.messageId) })
      return { ...this.#receipt(message, id, index, 'duplicate'), results: first.results, detail }
    }
    const receipt = await this.#run(message, id, index)
    // What was refused was not executed; its sender tries again under the same key.
    if (receipt.status !== 'refused') {
      this.#repetitions.note(key, index)
      const answered = answeredEffect(message)
      if (answered) await this.#transaction.outboxUpdate(answered, { state: 'CONFIRMED' })
    }
    return receipt
  }

  get #keyWindowMs(): number {
    return (this.definition?.settings ?? defaultProjectSettings).idempotencyWindowMs
  }

  #run(message: Message, id: Uint8Array, index: number): Receipt | Promise<Receipt> {
    const receipt = this.#receipt(message, id, index, 'ok')
    if (!this.#router || !this.definition) return { ...receipt, status: 'refused', detail: 'ProjectNotFound' }
    if (this.definition.project.state === 'paused' && message.kind === 'data')
      return { ...receipt, status: 'refused', detail: 'ProjectPaused' }
    if (this.#flow.takes(message, this.definition))
      return this.#flow.run(message, index, this.definition).then((told) => this.#withEffects({ ...receipt, ...told }))
    const sender = { publisherId: message.publisherId, messageId: id }
    const routes = message.eventType === '' ? [] : this.#router.find(message.eventType, sender)
    if (routes.length === 0) return { ...receipt, status: message.kind === 'answer' ? 'applied' : 'unrouted' }
    const position = positionToCollect(message, routes)
    if (position !== undefined) this.#host.collect(index, position)
    // The usual message has one handler and ends without waiting: no promise is made for it.
    if (routes.length === 1) {
      const result = this.#handle(routes[0]!, message, index, 0)
      return result instanceof Promise
        ? result.then((r) => this.#finish(receipt, [r]))
        : this.#finish(receipt, [result])
    }
    return this.#runAll(receipt, routes, message, index)
  }

  async #runAll(receipt: Receipt, routes: readonly Route[], message: Message, index: number): Promise<Receipt> {
    const results: HandlerResult[] = []
    for (const [ordinal, route] of routes.entries()) results.push(await this.#handle(route, message, index, ordinal))
    return this.#finish(receipt, results)
  }

  #finish(receipt: Receipt, results: readonly HandlerResult[]): Receipt {
    const failed = results.some((result) => result.error !== '')
    return this.#withEffects({ ...receipt, status: failed ? 'failed' : 'ok', results })
  }

  /** The effects that came since the receipt was begun are its own. */
  #withEffects(receipt: Receipt): Receipt {
    const { first } = receipt.effects
    return { ...receipt, effects: { first, count: this.#host.effects.length - first } }
  }

  #handle(route: Route, message: Message, index: number, ordinal: number): HandlerResult | Promise<HandlerResult> {
    const { instance } = route
    if (!instance) return notRun(route, 'INSTANCE_MISSING', 'the applet has no instance')
    if (instance.state === 'STOPPED') return notRun(route, 'INSTANCE_STOPPED', 'the instance is stopped')
    const { settings } = this.definition!
    const call: CurrentCall = {
      messageIndex: index,
      ordinal,
      eventId: message.eventId,
      eventType: message.eventType,
      timestampMs: message.timestampMs,
      receivedMs: message.receivedMs,
      topic: message.topic,
      publisherKey: message.publisherKey,
      signed: message.origin.type === 'signed',
      payload: message.payload,
      instance,
      namespace: route.namespace,
    }
    if (this.#wasStopped(index, ordinal)) {
      this.#host.witness.recordStop({ messageIndex: index, ordinal })
      this.#host.note(
        call,
        2,
        `${route.strategy.handler} was stopped: it ran for more than ${settings.limits.wallClockMs} ms`,
      )
      return { ...notRun(route, 'WALL_CLOCK', 'stopped by the watchdog'), codeHash: route.codeHash }
    }
    const module = this.#deps.modules.get(this.#project, route.module)
    this.#host.begin(call)
    const outcome = module.call({
      handler: route.strategy.handler,
      payload: message.payload,
      host: this.#host,
      clockNs: BigInt(this.#header.timeMs) * 1_000_000n,
      seed: this.#seed(index, ordinal),
      limits: settings.limits,
    })
    if (outcome instanceof Promise) return outcome.then((done) => this.#conclude(route, call, done))
    return this.#conclude(route, call, outcome)
  }

  #conclude(route: Route, call: CurrentCall, outcome: HandlerOutcome): HandlerResult | Promise<HandlerResult> {
    const undone = outcome.type === 'failed' || (outcome.code < 0 && this.definition!.settings.rollbackOnNegative)
    const result = resultOfCall(resultOf(route), outcome)
    if (outcome.type === 'failed') this.#host.note(call, 2, failureLine(result, outcome))
    if (!this.#host.plain) return this.#host.end(!undone).then(() => result)
    this.#host.endPlain(!undone)
    return result
  }

  async #change(message: Message, id: Uint8Array, index: number): Promise<Receipt> {
    const change = JSON.parse(new TextDecoder().decode(message.payload)) as ProjectChange
    await this.#transaction.savepoint()
    const result: ChangeResult = await this.#editor.apply(change, {
      project: this.#projectBytes,
      height: this.#header.height,
      index,
      timeMs: this.#header.timeMs,
      read: (kind, rowId) => this.#deps.store.definitionGet(kind, rowId),
      migrate: (schema) => this.#transaction.migrate(schema, this.#header.timeMs),
      flowProblems,
    })
    if (result.ok) await this.#transaction.releaseSavepoint()
    else await this.#transaction.rollbackToSavepoint()
    if (result.ok && this.#editor.takeTouched()) this.#useDefinition()
    return { ...this.#receipt(message, id, index, result.ok ? 'applied' : 'refused'), detail: JSON.stringify(result) }
  }

  /** Messages behind a change see it: the cut between old and new is exact. */
  #useDefinition(): void {
    const before = this.definition
    this.definition = applyRows(before, this.#editor.changes)
    if (!this.definition) return
    this.#host.definition = this.definition
    this.#flow.changed(before, this.definition)
    this.#router = new Router(this.definition)
  }

  #receipt(message: Message, messageId: Uint8Array, index: number, status: ReceiptStatus): Receipt {
    return {
      messageId,
      height: this.#header.height,
      index,
      status,
      vouchedBy: message.origin.type === 'signed' ? noAddress : this.#header.proposer,
      results: [],
      effects: { first: this.#host.effects.length, count: 0 },
      detail: '',
    }
  }

  /** Whether the watchdog stopped this run in an earlier attempt at the batch. */
  #wasStopped(index: number, ordinal: number): boolean {
    return this.#stopped.some((run) => run.messageIndex === index && run.ordinal === ordinal)
  }

  #seed(index: number, ordinal: number): Uint8Array {
    return sha256(seedDomain, this.#hash, this.#place.clear().uint(index).uint(ordinal).view())
  }

  #seal(tip: ProjectTip, messages: readonly Message[]): Promise<SealedBatch> {
    const ran = {
      header: this.#header,
      hash: this.#hash,
      batch: this.#batch,
      messages,
      receipts: this.#receipts,
      host: this.#host,
      definitionChanges: this.#editor.changes,
      usedKeys: this.#repetitions.used,
      keyWindowMs: this.#keyWindowMs,
      flowWakeMs: this.#flow.wakeMs,
    }
    return sealBatch(ran, tip, this.#transaction)
  }
}
