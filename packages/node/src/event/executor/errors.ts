import { W3bstreamError } from '@w3bstream/protocol'

export type ExecutorFault =
  | { code: 'EXECUTOR_STOPPED' }
  | { code: 'PROJECT_NOT_OPEN'; project: string }
  /** The batch does not follow what is on disk: one before it failed. */
  | { code: 'BATCH_OUT_OF_ORDER'; height: bigint; wanted: bigint }
  /** The thread ended and will be replaced. */
  | { code: 'WORKER_LOST'; detail: string }

export class ExecutorError extends W3bstreamError<ExecutorFault> {}
