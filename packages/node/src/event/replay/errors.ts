import { W3bstreamError } from '@w3bstream/protocol'

export type ReplayFault =
  /** No such batches: the project's history ends at `tip`. */
  | { code: 'REPLAY_RANGE'; from: bigint; to: bigint; tip: bigint }
  /** The history lacks something that cannot be executed without. */
  | { code: 'REPLAY_HISTORY'; height: bigint; detail: string }

export class ReplayError extends W3bstreamError<ReplayFault> {}
