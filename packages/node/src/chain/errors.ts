import { W3bstreamError } from '@w3bstream/protocol'

/** A mistake in a chain table. */
export interface ChainProblem {
  /** Item and field, such as `[0].endpoint`; empty for the whole table. */
  readonly at: string
  /** What was given, cut to a readable length; `***` for what may be the address of an RPC service. */
  readonly value: string
  /** What would be right. */
  readonly wanted: string
}

/** What chains refuse or cannot do. Endpoints are not named: their path often is an API key. */
export type ChainFault =
  | { code: 'CHAIN_CONFIG_INVALID'; problems: readonly ChainProblem[] }
  | { code: 'CHAIN_NOT_FOUND'; chain: string }
  /** The network is of a kind that this call does not work on. */
  | { code: 'CHAIN_UNSUPPORTED'; chain: string; wanted: string }
  /** No answer in time, or an answer that says "later". */
  | { code: 'CHAIN_UNREACHABLE'; chain: string; detail: string }
  /** The endpoint serves another chain than the table says. */
  | { code: 'CHAIN_MISMATCH'; chain: string; wanted: number; found: number }
  | { code: 'TX_OPERATOR_UNKNOWN'; operator: string }
  | { code: 'TX_OPERATOR_TYPE'; operator: string; chain: string; wanted: string }
  | { code: 'TX_INVALID'; field: string; value: string; wanted: string }
  /** The chain would not execute it: a revert, or the account cannot pay. */
  | { code: 'TX_ESTIMATE_FAILED'; chain: string; reason: string }
  /** The chain's base fee is above the operator's cap. */
  | { code: 'TX_FEE_CAP'; chain: string; feePerGas: string; cap: string }
  /** The chain did not take a signed transaction. */
  | { code: 'TX_REFUSED'; chain: string; reason: string }
  | { code: 'TX_NOT_FOUND'; chain: string; hash: string }
  | { code: 'CALL_FAILED'; chain: string; reason: string }
  /** The local part of an outbox row is not what was written there. */
  | { code: 'OUTBOX_CORRUPT'; detail: string }

export class ChainError extends W3bstreamError<ChainFault> {}
