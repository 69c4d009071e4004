import { W3bstreamError } from '@w3bstream/protocol'

export type ProvingFault =
  /** The node has no prover. */
  | { code: 'PROVER_NONE' }
  | { code: 'PROVER_UNREACHABLE'; detail: string }
  | { code: 'PROVER_TIMEOUT'; limitMs: number }
  /** The prover's answer is no proof: it hung up, or said more than a proof can be. */
  | { code: 'PROVER_ANSWER'; detail: string }

export class ProvingError extends W3bstreamError<ProvingFault> {}
