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
import { type ExecutedBatch, type Executor, packedPart } from './executor/executor.ts'
import { type Committed, Mailbox, type MailboxLimits, type Waiting } from './mailbox.ts'
import { type OrderedMessages, orderMessages } from './order.ts'

export interface PipelineOptions {
  readonly mailbox: MailboxLimits
  readonly batch: MailboxLimits
  /** How long a batch waits for company, milliseconds. */
  readonly batchWaitMs: number
}

export interface PipelineDeps {
  readonly executor: Executor
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
  onCommitted(batch: ExecutedBatch, messages: OrderedMessages): void
}

/**
 * The way of one project's messages: mailbox, order, consensus, execution, answer. A batch is cut whenever consensus takes
 * one; while one is written to disk the next fills, so that a commit is shared by as many messages as came meanwhile.
 */
export class Pipeline {
  readonly #project: ProjectKey
  readonly #options: PipelineOptions
  readonly #deps: PipelineDeps
  readonly #mailbox: Mailbox
  readonly #consensus: Consensus
  readonly #projectBytes: Uint8Array
  #committed: HistoryTip
  #inFlight = 0
  #certifying = 0
  #failed = false
  /** Messages of failed batches that are tried again, each in a batch of its own. */
  #alone: Waiting[] = []
  /** What comes before these when the batches in flight have failed. */
  #again: Waiting[] = []
  #scheduled = false
  #idle: (() => void)[] = []

  private constructor(project: ProjectKey, tip: HistoryTip, options: PipelineOptions, deps: PipelineDeps) {
    this.#project = project
    this.#projectBytes = fromHex(project, 32)
    this.#options = options
    this.#deps = deps
    this.#mailbox = new Mailbox(options.mailbox)
    this.#committed = tip
    const committee: Committee = { project: this.#projectBytes, epoch: 0n, members: [deps.address], self: deps.address }
    this.#consensus = deps.consensus(committee, tip, defaultConsensusOptions)
  }

  /** Opens the project at the executor and continues its history. */
  static async open(project: ProjectKey, options: PipelineOptions, deps: PipelineDeps): Promise<Pipeline> {
    const pipeline = new Pipeline(project, await deps.executor.open(project), options, deps)
    for (const commit of await deps.uncertified(project))
      pipeline.#certify({ commit, signatures: [pipeline.#sign(commit)] })
    return pipeline
  }

  get acceptsWork(): boolean {
    return this.#mailbox.acceptsWork
  }

  /** Whether messages wait or are being executed, or batches are being certified. */
  get busy(): boolean {
    return this.#waiting > 0 || this.#inFlight > 0 || this.#certifying > 0
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
  async drain(): Promise<void> {
    while (this.busy) await new Promise<void>((resolve) => this.#idle.push(resolve))
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
    while (!this.#failed && this.#waiting > 0 && this.#consensus.acceptsWork()) {
      const ordered = orderMessages(this.#project, this.#take())
      const outputs = this.#consensus.propose({
        messagesRoot: ordered.root,
        messageCount: ordered.waiting.length,
        chainHeads: [],
        nowMs: this.#deps.now(),
      })
      for (const output of outputs) if (output.type === 'decide') this.#execute(output.header, ordered)
    }
    if (!this.busy) this.#announceIdle()
  }

  #take(): Waiting[] {
    return this.#alone.length > 0 ? this.#alone.splice(0, 1) : this.#mailbox.take(this.#options.batch)
  }

  #execute(header: BatchHeader, ordered: OrderedMessages): void {
    const { ids, messages, ends } = ordered
    this.#inFlight++
    this.#deps.executor
      .execute({ project: this.#project, header: encodeBatchHeader(header), ids, messages, ends })
      .then(
        (executed) => this.#done(header, ordered, executed),
        (error: unknown) => this.#undone(ordered, error),
      )
  }

  #done(header: BatchHeader, ordered: OrderedMessages, executed: ExecutedBatch): void {
    this.#inFlight--
    this.#committed = { height: header.height, batchHash: batchHash(header), timeMs: header.timeMs }
    const { height, receipts, ends } = executed
    const commit = commitOf(header, { hash: this.#committed.batchHash, ...executed })
    this.#tellCommitted(executed, ordered)
    for (const [index, { resolve }] of ordered.waiting.entries()) {
      const messageId = ordered.ids.subarray(32 * index, 32 * index + 32)
      resolve({ messageId, height, index, receipt: packedPart(receipts, ends, index) })
    }
    const outputs = this.#consensus.executed(commit)
    this.#pump()
    // Nobody waits for the certificate; it is made when the answers are out.
    this.#certifying++
    setImmediate(() => {
      try {
        this.#follow(outputs)
      } catch (error) {
        // Without a certificate the batch is certified when the project is opened next.
        this.#deps.logger.error('a batch was not certified', { project: this.#project, height }, error)
      }
      this.#certifying--
      if (!this.busy) this.#announceIdle()
    })
  }

  #tellCommitted(executed: ExecutedBatch, ordered: OrderedMessages): void {
    try {
      this.#deps.onCommitted(executed, ordered)
    } catch (error) {
      const { height } = executed
      this.#deps.logger.error('a committed batch was not followed up', { project: this.#project, height }, error)
    }
  }

  #follow(outputs: readonly ConsensusOutput[]): void {
    for (const output of outputs)
      if (output.type === 'sign') this.#follow(this.#consensus.signed(output.commit, this.#sign(output.commit)))
      else if (output.type === 'certificate') this.#certify(output.certificate)
      else if (output.type === 'divergence')
        this.#deps.logger.error('a member executed a batch differently', {
          project: this.#project,
          height: output.height,
        })
  }

  #sign(commit: Commit): CommitSignature {
    return { member: this.#deps.address, signature: this.#deps.sign(commit) }
  }

  #certify(certificate: Certificate): void {
    this.#deps.executor.putCertificate(this.#project, certificate.commit.height, encodeCertificate(certificate))
  }

  /**
   * A batch that could not be committed left no trace; those behind it fail too, then the project goes on from the disk. The
   * messages are tried again one by one, so that one which cannot be executed does not take the others along.
   */
  #undone({ waiting }: OrderedMessages, cause: unknown): void {
    const behindAnother = this.#failed
    this.#inFlight--
    this.#failed = true
    this.#deps.logger.error('a batch was not committed', { project: this.#project, messages: waiting.length }, cause)
    if (behindAnother || (waiting.length > 1 && !isDiskFull(cause))) this.#again.push(...waiting)
    else for (const { reject } of waiting) reject(toAnswer(cause))
    if (this.#inFlight > 0) return
    this.#alone.unshift(...this.#again.splice(0))
    this.#consensus.reset(this.#committed)
    this.#failed = false
    this.#pump()
  }

  #announceIdle(): void {
    const callbacks = this.#idle
    this.#idle = []
    for (const callback of callbacks) callback()
  }
}

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
