import { W3bstreamError } from '@w3bstream/protocol'

export type ConsensusFault =
  | { code: 'CONSENSUS_BUSY'; pending: number; limit: number }
  | { code: 'CONSENSUS_HEIGHT'; height: bigint; wanted: string }
  | { code: 'CONSENSUS_NOT_MEMBER'; self: string }

export class ConsensusError extends W3bstreamError<ConsensusFault> {}
