import { batchHash, type Commit, type CommitSignature, equalBytes } from '@w3bstream/protocol'
import { expect, it } from 'vitest'
import {
  type Committee,
  defaultConsensusOptions,
  type HistoryTip,
  type OpenConsensus,
  type Proposal,
} from './consensus.ts'

const member = new Uint8Array(20).fill(7)
const committee: Committee = { project: new Uint8Array(32).fill(1), epoch: 0n, members: [member], self: member }
const genesis: HistoryTip = { height: 0n, batchHash: new Uint8Array(32), timeMs: 0 }

function proposal(nowMs: number): Proposal {
  return { messagesRoot: new Uint8Array(32).fill(nowMs % 251), messageCount: 1, chainHeads: [], nowMs }
}

/** The exam of a consensus algorithm with a committee of one. */
export function consensusSuite(open: OpenConsensus): void {
  const start = () => open(committee, genesis, defaultConsensusOptions)
  const decide = (consensus: ReturnType<OpenConsensus>, nowMs: number) => {
    const [output] = consensus.propose(proposal(nowMs))
    if (output?.type !== 'decide') throw new Error('not decided')
    return output.header
  }
  const commitOf = (header: ReturnType<typeof decide>, state = 9): Commit => ({
    project: header.project,
    epoch: header.epoch,
    height: header.height,
    batch: batchHash(header),
    receipts: new Uint8Array(32),
    effects: new Uint8Array(32),
    facts: new Uint8Array(32),
    state: new Uint8Array(32).fill(state),
  })
  const signature: CommitSignature = { member, signature: new Uint8Array(65) }

  it('decides heights without gaps, each batch naming the one before', () => {
    const consensus = start()
    const first = decide(consensus, 1000)
    const second = decide(consensus, 1001)
    expect([first.height, second.height]).toEqual([1n, 2n])
    expect(equalBytes(second.previous, batchHash(first))).toBe(true)
  })

  it('keeps the project’s clock from running backwards', () => {
    const consensus = start()
    expect(decide(consensus, 1000).timeMs).toBe(1000)
    expect(decide(consensus, 400).timeMs).toBe(1000)
  })

  it('is busy while its pipeline is full, and not after an execution', () => {
    const consensus = start()
    const first = decide(consensus, 1)
    decide(consensus, 2)
    expect(consensus.acceptsWork()).toBe(false)
    expect(() => consensus.propose(proposal(3))).toThrow(expect.objectContaining({ code: 'CONSENSUS_BUSY' }))
    consensus.executed(commitOf(first))
    expect(consensus.acceptsWork()).toBe(true)
  })

  it('asks for a signature after the execution only, and certifies with it', () => {
    const consensus = start()
    const commit = commitOf(decide(consensus, 1))
    expect(consensus.executed(commit)).toEqual([{ type: 'sign', commit }])
    expect(consensus.signed(commit, signature)).toEqual([
      { type: 'certificate', certificate: { commit, signatures: [signature] } },
    ])
  })

  it('reports a result that differs from its own', () => {
    const consensus = start()
    const header = decide(consensus, 1)
    consensus.executed(commitOf(header))
    expect(consensus.signed(commitOf(header, 8), signature)).toEqual([{ type: 'divergence', height: 1n, signature }])
  })

  it('refuses signatures of strangers and for heights that are not open', () => {
    const consensus = start()
    const commit = commitOf(decide(consensus, 1))
    const stranger = { ...signature, member: new Uint8Array(20).fill(8) }
    expect(() => consensus.signed(commit, stranger)).toThrow(expect.objectContaining({ code: 'CONSENSUS_NOT_MEMBER' }))
    expect(() => consensus.executed({ ...commit, height: 5n })).toThrow(
      expect.objectContaining({ code: 'CONSENSUS_HEIGHT' }),
    )
  })

  it('continues from the disk after a failed execution', () => {
    const consensus = start()
    decide(consensus, 1)
    decide(consensus, 2)
    consensus.reset(genesis)
    expect(consensus.acceptsWork()).toBe(true)
    expect(decide(consensus, 3).height).toBe(1n)
  })

  it('does not open for a node outside the committee', () => {
    const outside = { ...committee, self: new Uint8Array(20) }
    expect(() => open(outside, genesis, defaultConsensusOptions)).toThrow(
      expect.objectContaining({ code: 'CONSENSUS_NOT_MEMBER' }),
    )
  })
}
