import { type Fault, type ProjectKey, type Sfid, W3bstreamError } from '@w3bstream/protocol'
import { DatabaseError } from '../../../database/errors.ts'
import { EngineError } from '../../../engine/errors.ts'
import { VfsError } from '../../../vfs/errors.ts'
import type { Stopped } from '../../witness.ts'
import type { SnapshotReport } from '../auto-snapshots.ts'
import { ExecutorError } from '../errors.ts'
import type { DecidedBatch, ExecutorOptions, ExecutorServices, OutboxChange } from '../executor.ts'

/** What a worker is told at its birth. */
export interface WorkerData {
  readonly options: ExecutorOptions
  /** See `watchdog.ts`. */
  readonly progress: SharedArrayBuffer
}

export type Request =
  | { type: 'open'; project: ProjectKey; slot: number }
  | { type: 'execute'; batch: DecidedBatch; stopped: readonly Stopped[] }
  | { type: 'removeLogs'; project: ProjectKey; instanceId: Sfid }
  | { type: 'inspect'; wasm: Uint8Array }
  | { type: 'close'; project: ProjectKey }
  | { type: 'stop' }

/** Told without an answer. */
export type Notice =
  | { type: 'outbox'; project: ProjectKey; changes: readonly OutboxChange[] }
  | { type: 'certificate'; project: ProjectKey; height: bigint; certificate: Uint8Array }

export type ToWorker =
  | { type: 'request'; id: number; request: Request }
  | { type: 'notice'; notice: Notice }
  | { type: 'answer'; id: number; outcome: Outcome }

export type FromWorker =
  /** The thread can begin. */
  | { type: 'ready' }
  | { type: 'answer'; id: number; outcome: Outcome }
  | { type: 'service'; id: number; name: Exclude<keyof ExecutorServices, 'release'>; argument: unknown }
  | { type: 'release'; argument: Parameters<ExecutorServices['release']>[0] }
  | { type: 'fault'; error: WireError }
  | { type: 'snapshot'; report: Omit<SnapshotReport, 'error'> & { error?: WireError } }

export type Outcome = { ok: true; value: unknown } | { ok: false; error: WireError }

/** An error on its way to another thread, which keeps neither class nor fields of errors. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly fault?: Fault
}

const classes: Record<string, new (fault: never, options?: { message?: string }) => W3bstreamError> = {
  DatabaseError,
  EngineError,
  ExecutorError,
  VfsError,
}

export function toWire(error: unknown): WireError {
  if (error instanceof W3bstreamError) return { name: error.name, message: error.message, fault: error.fault }
  return error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack }
    : { name: 'Error', message: String(error) }
}

export function fromWire({ name, message, stack, fault }: WireError): Error {
  const known = classes[name]
  if (fault && known) return new known(fault as never, { message })
  return fault ? new W3bstreamError(fault, { message }) : Object.assign(new Error(message), { name, stack })
}
