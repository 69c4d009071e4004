/**
 * Executors run projects: each open project belongs to one executor thread, which holds its store, its applets and its
 * definition. An executor executes decided batches in order and answers when they are on disk. It carries nothing out:
 * effects come back to whoever asked.
 */
import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { SignedTransaction } from '../../chain/chain.ts'
import type { ProjectTip } from '../../database/database.ts'
import type { Transaction } from '../../engine/engine.ts'
import type { DefinitionChange } from '../../project/definition-rows.ts'
import type { AutoSnapshotOptions } from './auto-snapshots.ts'

/** The entry of this index among those that stand one behind the other and end where `ends` says. */
export function packedPart(bytes: Uint8Array, ends: Uint32Array, index: number): Uint8Array {
  return bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index])
}

/** A batch as consensus decided it. */
export interface DecidedBatch {
  readonly project: ProjectKey
  /** Canonical header. */
  readonly header: Uint8Array
  /** Ids of the messages, 32 bytes each, one after the other. */
  readonly ids: Uint8Array
  /** Canonical messages, one after the other, and where each ends. */
  readonly messages: Uint8Array
  readonly ends: Uint32Array
}

/** An effect that was committed, as settling needs it. */
export interface CommittedEffect {
  readonly id: Uint8Array
  readonly index: number
  readonly messageIndex: number
  readonly kind: string
  /** Canonical body. */
  readonly body: Uint8Array
  readonly local: string
}

/** What came of a batch; everything in it is on disk. */
export interface ExecutedBatch {
  readonly height: bigint
  readonly receiptsRoot: Uint8Array
  readonly effectsRoot: Uint8Array
  readonly stateDigest: Uint8Array
  /** Canonical receipts, one after the other, and where each ends. */
  readonly receipts: Uint8Array
  readonly ends: Uint32Array
  readonly effects: readonly CommittedEffect[]
  /** `unknown` when the batch was found on disk, its thread having ended before it could tell. */
  readonly definitionChanges: readonly DefinitionChange[] | 'unknown'
  readonly logs: number
  /** When the project's flow wants a timer message: null when it waits for nothing, undefined when the batch says nothing. */
  readonly flowWakeMs: number | null | undefined
}

/** A batch with what it cost this machine, which is no part of the history. */
export interface TimedBatch extends ExecutedBatch {
  /** From the beginning of its execution to its commit, milliseconds. */
  readonly tookMs: number
}

export interface SignRequest {
  readonly project: ProjectKey
  readonly height: bigint
  readonly accountId: Sfid
  readonly transaction: Transaction
}

/** What executing threads ask of the node while a handler waits. Answers are recorded as the batch's witness. */
export interface ExecutorServices {
  /** @param request.height the batch that asks; if it is not committed, what was signed for it is released */
  sign(request: SignRequest): Promise<SignedTransaction>
  release(transaction: Pick<SignedTransaction, 'chainId' | 'from' | 'nonce'>): void
  call(request: { chainId: bigint; to: string; data: string }): Promise<Uint8Array>
}

/** What an examination of a module found. */
export interface ModuleReport {
  readonly codeHash: string
  readonly handlers: readonly string[]
  readonly reducers: readonly string[]
  readonly imports: readonly string[]
  /** The module as it will be run, to be kept beside the original under this name. */
  readonly prepared: { readonly name: string; readonly bytes: Uint8Array }
}

export interface OutboxChange {
  readonly id: Uint8Array
  readonly state?: 'INIT' | 'PENDING' | 'IN_BLOCK' | 'CONFIRMED' | 'FAILED'
  readonly local?: string
  readonly detail?: string
  readonly attempts?: number
}

export interface Executor {
  start(): Promise<void>
  /** Opens a project's store, makes it when there is none. */
  open(project: ProjectKey): Promise<ProjectTip>
  /**
   * Batches of one project are executed in the order of the calls; the one that was committed last may be given again.
   * @throws ExecutorError, DatabaseError; then the store stands where it stood
   */
  execute(batch: DecidedBatch): Promise<TimedBatch>
  /** Notes what became of effects, and certificates; on disk soon after. */
  updateOutbox(project: ProjectKey, changes: readonly OutboxChange[]): void
  putCertificate(project: ProjectKey, height: bigint, certificate: Uint8Array): void
  /** Forgets the log lines of an instance. */
  removeLogs(project: ProjectKey, instanceId: Sfid): Promise<void>
  /** @throws EngineError MODULE_INVALID, MODULE_TOO_LARGE */
  inspectModule(wasm: Uint8Array): Promise<ModuleReport>
  /**
   * Closes the project's store when the batches that were given are executed.
   * @returns whether something is left to do without a message: effects that are not settled, batches without a certificate
   */
  close(project: ProjectKey): Promise<boolean>
  stop(): Promise<void>
}

/** Kinds of executors; the keys are the node's option. */
export interface ExecutorOptions {
  /** Threads. @default see NodeOptions.workers */
  readonly workers: number
  /** Where stores and modules are, and of which kind. */
  readonly database: { readonly kind: 'sqlite' | 'memory'; readonly directory: string }
  readonly modulesDirectory: string
  /** Size of a module, bytes. @default 16 MiB */
  readonly moduleBytes: number
  /** Snapshots that threads take of their projects. @default none */
  readonly snapshots?: AutoSnapshotOptions
  /** Applet instances kept alive in a thread; the one unused longest is let go. @default 256 */
  readonly liveModules: number
  /**
   * JavaScript memory of one thread, MiB; a thread that needs more ends and is replaced. Memories of guests are beside it.
   * @default 512, several times what the largest batch may hold
   */
  readonly threadHeapMiB?: number
}
