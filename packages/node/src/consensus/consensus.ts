/**
 * Consensus puts a project's messages into one order that all honest members of its subnet share, and gathers their
 * signatures over what they executed. It promises: batches are decided at heights without gaps; no two honest members see
 * different batches at one height; a certificate exists only for a batch that a quorum executed alike. The algorithms are
 * pure functions `step(state, input) -> outputs` (`<kind>/step.ts`); clock, disk, keys and network are with the driver.
 */
import type { BatchHeader, Certificate, ChainHead, Commit, CommitSignature } from '@w3bstream/protocol'

/** Messages that a member would like to see in the next batch. */
export interface Proposal {
  readonly messagesRoot: Uint8Array
  readonly messageCount: number
  readonly chainHeads: readonly ChainHead[]
  /** The proposer's clock, milliseconds. */
  readonly nowMs: number
}

/** Where a project's history ends: what the next batch follows. */
export interface HistoryTip {
  readonly height: bigint
  readonly batchHash: Uint8Array
  readonly timeMs: number
}

/** Who takes part. */
export interface Committee {
  readonly project: Uint8Array
  readonly epoch: bigint
  /** Addresses in ascending order. */
  readonly members: readonly Uint8Array[]
  /** This node's address. */
  readonly self: Uint8Array
}

export type ConsensusOutput =
  /** The batch is final; execute it. */
  | { type: 'decide'; header: BatchHeader }
  /** Sign this commit, and hand the signature back as an input. */
  | { type: 'sign'; commit: Commit }
  | { type: 'certificate'; certificate: Certificate }
  /** Another member executed the batch with a different result. */
  | { type: 'divergence'; height: bigint; signature: CommitSignature }

/** One project's consensus at one member. */
export interface Consensus {
  /** False when a proposal would only pile up. Endpoints answer "busy" on it. */
  acceptsWork(): boolean
  /** Offers the next batch. @throws ConsensusError CONSENSUS_BUSY */
  propose(proposal: Proposal): readonly ConsensusOutput[]
  /** The batch was executed and is on disk. */
  executed(commit: Commit): readonly ConsensusOutput[]
  /** A member's signature over a commit, this node's own included. */
  signed(commit: Commit, signature: CommitSignature): readonly ConsensusOutput[]
  /** Execution failed before the commit (disk full, …): continue from what is on disk. */
  reset(tip: HistoryTip): void
}

export type OpenConsensus = (committee: Committee, tip: HistoryTip, options: ConsensusOptions) => Consensus

export interface ConsensusOptions {
  /** Batches that are decided and not yet executed. @default 2: one executes while the next is handed over */
  readonly pipeline: number
}

export const defaultConsensusOptions: ConsensusOptions = { pipeline: 2 }
