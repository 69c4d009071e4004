import { type BatchHeader, batchHash, type Commit, type CommitSignature, equalBytes, toHex } from '@w3bstream/protocol'
import type { Committee, ConsensusOutput, HistoryTip, Proposal } from '../consensus.ts'
import { ConsensusError } from '../errors.ts'

/** What an authority knows. Never mutated: each step returns the next. */
export interface PoaState {
  readonly committee: Committee
  /** Batches that are decided and not certified, oldest first. */
  readonly open: readonly OpenBatch[]
  readonly tip: HistoryTip
}

interface OpenBatch {
  readonly header: BatchHeader
  readonly commit?: Commit
  readonly signatures: readonly CommitSignature[]
}

export type PoaInput =
  | { type: 'propose'; proposal: Proposal }
  | { type: 'executed'; commit: Commit }
  | { type: 'signed'; commit: Commit; signature: CommitSignature }

type Step = { readonly state: PoaState; readonly outputs: readonly ConsensusOutput[] }

/** Signatures that make a certificate: more than half of the authorities. */
function poaQuorum(members: number): number {
  return Math.floor(members / 2) + 1
}

/** Decided batches that have not been executed yet. */
export function unexecuted(state: PoaState): number {
  return state.open.filter((batch) => !batch.commit).length
}

/** Proof of authority as a pure function: no clock, no key, no disk, no network. */
export function step(state: PoaState, input: PoaInput): Step {
  switch (input.type) {
    case 'propose':
      return propose(state, input.proposal)
    case 'executed':
      return executed(state, input.commit)
    case 'signed':
      return signed(state, input.commit, input.signature)
  }
}

/** A lone authority is always in turn, and its own word is a majority: what it proposes is decided. */
function propose(state: PoaState, proposal: Proposal): Step {
  const { committee, tip } = state
  const header: BatchHeader = {
    project: committee.project,
    epoch: committee.epoch,
    height: tip.height + 1n,
    previous: tip.batchHash,
    // The project's clock never runs backwards, whatever the machine's does.
    timeMs: Math.max(tip.timeMs, proposal.nowMs),
    proposer: committee.self,
    messagesRoot: proposal.messagesRoot,
    messageCount: proposal.messageCount,
    chainHeads: proposal.chainHeads,
  }
  return {
    state: {
      ...state,
      open: [...state.open, { header, signatures: [] }],
      tip: { height: header.height, batchHash: batchHash(header), timeMs: header.timeMs },
    },
    outputs: [{ type: 'decide', header }],
  }
}

function executed(state: PoaState, commit: Commit): Step {
  const batch = find(state, commit.height)
  const open = state.open.map((b) => (b === batch ? { ...b, commit } : b))
  return { state: { ...state, open }, outputs: [{ type: 'sign', commit }] }
}

function signed(state: PoaState, commit: Commit, signature: CommitSignature): Step {
  const batch = find(state, commit.height)
  if (!state.committee.members.some((member) => equalBytes(member, signature.member)))
    throw new ConsensusError({ code: 'CONSENSUS_NOT_MEMBER', self: toHex(signature.member) })
  if (batch.commit && !sameCommit(batch.commit, commit))
    return { state, outputs: [{ type: 'divergence', height: commit.height, signature }] }
  if (batch.signatures.some((known) => equalBytes(known.member, signature.member))) return { state, outputs: [] }
  const signatures = [...batch.signatures, signature].sort((a, b) => (toHex(a.member) < toHex(b.member) ? -1 : 1))
  if (signatures.length < poaQuorum(state.committee.members.length)) {
    const open = state.open.map((b) => (b === batch ? { ...b, signatures } : b))
    return { state: { ...state, open }, outputs: [] }
  }
  return {
    state: { ...state, open: state.open.filter((b) => b !== batch) },
    outputs: [{ type: 'certificate', certificate: { commit, signatures } }],
  }
}

function find(state: PoaState, height: bigint): OpenBatch {
  const batch = state.open.find((b) => b.header.height === height)
  if (batch) return batch
  const heights = state.open.map((b) => b.header.height).join(', ')
  throw new ConsensusError({ code: 'CONSENSUS_HEIGHT', height, wanted: `one of ${heights || 'none'}` })
}

function sameCommit(a: Commit, b: Commit): boolean {
  const parts = ['batch', 'receipts', 'effects', 'facts', 'state'] as const
  return parts.every((part) => equalBytes(a[part], b[part]))
}
