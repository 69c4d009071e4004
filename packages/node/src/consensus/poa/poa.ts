import { equalBytes, toHex } from '@w3bstream/protocol'
import type { Committee, Consensus, ConsensusOptions, ConsensusOutput, HistoryTip } from '../consensus.ts'
import { ConsensusError } from '../errors.ts'
import { type PoaInput, type PoaState, step, unexecuted } from './step.ts'

/**
 * Proof of authority. This version seats one authority: a node that serves its projects alone.
 * @throws ConsensusError CONSENSUS_NOT_MEMBER when this node is not in the committee
 */
export function openPoa(committee: Committee, tip: HistoryTip, options: ConsensusOptions): Consensus {
  if (!committee.members.some((member) => equalBytes(member, committee.self)))
    throw new ConsensusError({ code: 'CONSENSUS_NOT_MEMBER', self: toHex(committee.self) })
  let state: PoaState = { committee, open: [], tip }
  const advance = (input: PoaInput): readonly ConsensusOutput[] => {
    const next = step(state, input)
    state = next.state
    return next.outputs
  }
  return {
    acceptsWork: () => unexecuted(state) < options.pipeline,
    propose(proposal) {
      const pending = unexecuted(state)
      if (pending >= options.pipeline)
        throw new ConsensusError({ code: 'CONSENSUS_BUSY', pending, limit: options.pipeline })
      return advance({ type: 'propose', proposal })
    },
    executed: (commit) => advance({ type: 'executed', commit }),
    signed: (commit, signature) => advance({ type: 'signed', commit, signature }),
    reset(to) {
      state = { committee, open: state.open.filter((batch) => batch.header.height <= to.height), tip: to }
    },
  }
}
