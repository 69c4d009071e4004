import {
  type BatchHeader,
  batchHash,
  type Certificate,
  type Commit,
  type CommitSignature,
  commitOf,
  encodeBatchHeader,
  encodeCertificate,
  fromHex,
  type Message,
  messageProblem,
  type ProjectKey,
  W3bstreamError,
} from '@w3bstream/protocol'
import {
  type Committee,
  type Consensus,
  type ConsensusOutput,
  defaultConsensusOptions,
  type HistoryTip,
  type OpenConsensus,
} from '../consensus/consensus.ts'
import { DatabaseError } from '../database/errors.ts'
import { ApiError } from '../endpoint/api-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { BatchPace } from './batch-pace.ts'
import { type Executor, packedPart, type TimedBatch } from './executor/executor.ts'
import { type Committed, Mailbox, type MailboxLimits, type Waiting } from './mailbox.ts'
import { type OrderedMessages, orderMessages } from './order.ts'

export interface PipelineOptions {
  readonly mailbox: MailboxLimits
  readonly batch: MailboxLimits
  /** How long a batch waits for company, milliseconds. */
  readonly batchWaitMs: number
  /** How long a batch should keep the project's thread, milliseconds; the next one is cut by what the last ones took. */
  readonly turnMs: number
}

export interface PipelineDeps {
  readonly executor: Pick<Executor, 'execute' | 'putCertificate'>
  /** Opens the project's store when there is something to do, and again after {@link Pipeline.closed}. What it throws is the answer. */
  openStore(): Promise<HistoryTip>
  readonly consensus: OpenConsensus
  /** Signs a commit as this node. */
  sign(commit: Commit): Uint8Array
  /** This node's address, 20 bytes. */
  readonly address: Uint8Array
  readonly now: () => number
  readonly logger: Logger
  /** Commits of batches at the end of the history that a crash left without a certificate, oldest first. */
  uncertified(project: ProjectKey): Promise<readonly Commit[]>
  /** Told of each batch before its senders are answered. What it throws is logged: the batch is on disk whatever follows. */
  onCommitted(batch: TimedBatch, messages: OrderedMessages): void
}

/**
 * The way of one project's messages: mailbox, order, consensus, execution, answer. A batch is cut whenever consensus takes
 * one; while one is written to disk the next fills, so that a commit is shared by as many messages as came meanwhile. The
 * store is open only while there is something to do; messages that come while it is not wait in the mailbox.
 */
export class Pipeline {
  readonly project: ProjectKey
  readonly #options: PipelineOptions
  readonly #deps: PipelineDeps
  readonly #mailbox: Mailbox
  readonly #projectBytes: Uint8Array
  readonly #pace: BatchPace
  /** Undefined while the store is closed. */
  #consensus: Consensus | undefined
  #committed: HistoryTip | undefined
  #opening: Promise<void> | undefined
  /** No more batches are cut, because the store is to be closed. */
  #pausing = false
  #usedMs: number
  #inFlight = 0
  #certifying = 0
  #failed = false
  /** Messages of failed batches that are tried again, each in a batch of its own. */
  #alone: Waiting[] = []
  /** What comes before these when the batches in flight have failed. */
  #again: Waiting[] = []
  #scheduled = false
  /** Who waits until there is nothing to do, or nothing under way. */
  #waiters: { until: () => boolean; resolve: () => void }[] = []

  constructor(project: ProjectKey, options: PipelineOptions, deps: PipelineDeps) {
    this.project = project
    this.#projectBytes = fromHex(project, 32)
    this.#options = options
    this.#deps = deps
    this.#mailbox = new Mailbox(options.mailbox)
    this.#pace = new BatchPace({ mostMessages: options.batch.messages, turnMs: options.turnMs })
    this.#usedMs = deps.now()
  }

  /** Opens the store and continues the project's history. @throws what `openStore` throws */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Whether the store is open, and to stay so for now. */
  get isOpen(): boolean {
    return this.#consensus !== undefined
  }

  /** Cuts no more batches; resolves when those that were cut are answered and certified. The store may then be closed. */
  async pause(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    this.#pausing = true
    await this.#when(() => !this.#underWay)
  }

  /** The store was closed; it is opened again when messages wait. */
  closed(): void {
    this.#consensus = undefined
    this.#opening = undefined
    this.#pausing = false
    this.#pump()
  }

  get acceptsWork(): boolean {
    return this.#mailbox.acceptsWork
  }

  /** Whether messages wait or are being executed, or batches are being certified. */
  get busy(): boolean {
    return this.#waiting > 0 || this.#underWay
  }

  /** When it last had something to do. */
  get usedMs(): number {
    return this.#usedMs
  }

  /** Counts as a use: whoever asked the project something will ask again. */
  touch(): void {
    this.#usedMs = this.#deps.now()
  }

  get #underWay(): boolean {
    return this.#inFlight > 0 || this.#certifying > 0
  }

  get #waiting(): number {
    return this.#alone.length + this.#mailbox.size
  }

  whenReady(callback: () => void): () => void {
    return this.#mailbox.whenReady(callback)
  }

  /** Resolves when the message's batch is on disk. @throws ApiError badRequest, MailboxFull, DiskFull, InternalServerError */
  offer(message: Message): Promise<Committed> {
    return new Promise((resolve, reject) => {
      // What could not be read back would fail every batch that it stood in.
      const problem = messageProblem(message)
      if (problem) return reject(new ApiError('badRequest', '', { fields: [{ ...problem, in: '' }] }))
      if (!this.#mailbox.offer({ message, resolve, reject }))
        return reject(new ApiError('MailboxFull', `${this.#mailbox.size} messages wait`, { retryAfterMs: 1000 }))
      this.#schedule()
    })
  }

  /** Resolves when everything that was offered has been answered. */
  drain(): Promise<void> {
    return this.#when(() => !this.busy)
  }

  async #open(): Promise<void> {
    try {
      const tip = await this.#deps.openStore()
      await this.#certifyRest()
      const { address: self } = this.#deps
      const committee: Committee = { project: this.#projectBytes, epoch: 0n, members: [self], self }
      this.#consensus = this.#deps.consensus(committee, tip, defaultConsensusOptions)
      this.#committed = tip
    } catch (error) {
      this.#opening = undefined
      this.#refuse(error)
      throw error
    }
    this.touch()
    // At least one batch is cut before anybody can close the store again.
    this.#pump()
  }

  /** Certifies what a crash left without. What cannot be read now is certified when the project is opened next. */
  async #certifyRest(): Promise<void> {
    try {
      for (const commit of await this.#deps.uncertified(this.project))
        this.#certify({ commit, signatures: [this.#sign(commit)] })
    } catch (error) {
      this.#deps.logger.error('batches were not certified', { project: this.project }, error)
    }
  }

  /** Nothing can be executed: the project is gone, or its store does not open. */
  #refuse(cause: unknown): void {
    const answer = cause instanceof ApiError ? cause : toAnswer(cause)
    if (answer !== cause) this.#deps.logger.error('a project could not be opened', { project: this.project }, cause)
    for (const { reject } of [...this.#alone.splice(0), ...this.#mailbox.take(everything)]) reject(answer)
    this.#announce()
  }

  /** The messages of one turn of the event loop are looked at together. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const pump = () => {
      this.#scheduled = false
      this.#pump()
    }
    if (this.#options.batchWaitMs > 0 && this.#mailbox.size < this.#options.batch.messages)
      setTimeout(pump, this.#options.batchWaitMs)
    else setImmediate(pump)
  }

  #pump(): void {
    // Whoever waits for a store that does not open is told by `#refuse`.
    if (!this.#consensus && this.#waiting > 0) this.open().catch(() => undefined)
    while (this.#consensus && !this.#pausing && !this.#failed && this.#waiting > 0 && this.#consensus.acceptsWork()) {
      const ordered = orderMessages(this.project, this.#take())
      const outputs = this.#consensus.propose({
        messagesRoot: ordered.root,
        messageCount: ordered.waiting.length,
        chainHeads: [],
        nowMs: this.#deps.now(),
      })
      for (const output of outputs) if (output.type === 'decide') this.#execute(output.header, ordered)
    }
    this.#announce()
  }

  #take(): Waiting[] {
    if (this.#alone.length > 0) return this.#alone.splice(0, 1)
    return this.#mailbox.take({ messages: this.#pace.messages, bytes: this.#options.batch.bytes })
  }

  #execute(header: BatchHeader, ordered: OrderedMessages): void {
    const { ids, messages, ends } = ordered
    this.#inFlight++
    this.#deps.executor.execute({ project: this.project, header: encodeBatchHeader(header), ids, messages, ends }).then(
      (executed) => this.#done(header, ordered, executed),
      (error: unknown) => this.#undone(ordered, error),
    )
  }

  #done(header: BatchHeader, ordered: OrderedMessages, executed: TimedBatch): void {
    this.#inFlight--
    this.touch()
    this.#pace.ran(ordered.waiting.length, executed.tookMs)
    this.#committed = { height: header.height, batchHash: batchHash(header), timeMs: header.timeMs }
    const { height, receipts, ends } = executed
    const commit = commitOf(header, { hash: this.#committed.batchHash, ...executed })
    this.#tellCommitted(executed, ordered)
    for (const [index, { resolve }] of ordered.waiting.entries()) {
      const messageId = ordered.ids.subarray(32 * index, 32 * index + 32)
      resolve({ messageId, height, index, receipt: packedPart(receipts, ends, index) })
    }
    const outputs = this.#consensus!.executed(commit)
    this.#certifying++
    this.#pump()
    // Nobody waits for the certificate; it is made when the answers are out.
    setImmediate(() => {
      try {
        this.#follow(outputs)
      } catch (error) {
        // Without a certificate the batch is certified when the project is opened next.
        this.#deps.logger.error('a batch was not certified', { project: this.project, height }, error)
      }
      this.#certifying--
      this.#announce()
    })
  }

  #tellCommitted(executed: TimedBatch, ordered: OrderedMessages): void {
    try {
      this.#deps.onCommitted(executed, ordered)
    } catch (error) {
      const { height } = executed
      this.#deps.logger.error('a committed batch was not followed up', { project: this.project, height }, error)
    }
  }

  #follow(outputs: readonly ConsensusOutput[]): void {
    for (const output of outputs)
      if (output.type === 'sign') this.#follow(this.#consensus!.signed(output.commit, this.#sign(output.commit)))
      else if (output.type === 'certificate') this.#certify(output.certificate)
      else if (output.type === 'divergence')
        this.#deps.logger.error('a member executed a batch differently', {
          project: this.project,
          height: output.height,
        })
  }

  #sign(commit: Commit): CommitSignature {
    return { member: this.#deps.address, signature: this.#deps.sign(commit) }
  }

  #certify(certificate: Certificate): void {
    this.#deps.executor.putCertificate(this.project, certificate.commit.height, encodeCertificate(certificate))
  }

  /**
   * A batch that could not be committed left no trace; those behind it fail too, then the project goes on from the disk. The
   * messages are tried again one by one, so that one which cannot be executed does not take the others along.
   */
  #undone({ waiting }: OrderedMessages, cause: unknown): void {
    const behindAnother = this.#failed
    this.#inFlight--
    this.#failed = true
    this.#deps.logger.error('a batch was not committed', { project: this.project, messages: waiting.length }, cause)
    if (behindAnother || (waiting.length > 1 && !isDiskFull(cause))) this.#again.push(...waiting)
    else for (const { reject } of waiting) reject(toAnswer(cause))
    if (this.#inFlight > 0) return
    this.#alone.unshift(...this.#again.splice(0))
    this.#consensus!.reset(this.#committed!)
    this.#failed = false
    this.#pump()
  }

  async #when(until: () => boolean): Promise<void> {
    while (!until()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiters.push({ until, resolve })
      await promise
    }
  }

  #announce(): void {
    if (this.#waiters.length === 0) return
    const due = this.#waiters.filter(({ until }) => until())
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter))
    for (const { resolve } of due) resolve()
  }
}

const everything: MailboxLimits = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

/** What the sender is told. The cause is in the node's log; its text may name files. */
function toAnswer(cause: unknown): ApiError {
  if (isDiskFull(cause))
    return new ApiError('DiskFull', 'the node’s disk is full; nothing was stored', { cause, retryAfterMs: 60_000 })
  const code = cause instanceof W3bstreamError ? cause.code : 'the log of the node has the reason'
  return new ApiError('InternalServerError', code, { cause })
}

function isDiskFull(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'DISK_FULL'
}
