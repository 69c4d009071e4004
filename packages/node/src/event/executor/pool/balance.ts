import type { ProjectKey } from '@w3bstream/protocol'

/** A project in its thread, with the share of time in which it had a batch to run. */
export interface Placement {
  readonly project: ProjectKey
  readonly thread: number
  /** 0 to 1. */
  readonly demand: number
}

export interface Move {
  readonly project: ProjectKey
  readonly to: number
}

/** What a move must gain at least, in threads: less is not worth opening a project again, and might go back and forth. */
const leastGain = 0.25

/** Moves that even out what is asked of the threads, until a thread that is asked for too much can no longer be relieved. */
export function balance(threads: number, placements: readonly Placement[]): Move[] {
  const loads = Array.from({ length: threads }, () => 0)
  const rest = new Set(placements)
  for (const { thread, demand } of placements) loads[thread]! += demand
  const moves: Move[] = []
  for (;;) {
    const hot = loads.indexOf(Math.max(...loads))
    const cold = loads.indexOf(Math.min(...loads))
    // One that is asked for no more than it can do keeps nobody waiting.
    if (loads[hot]! <= 1) return moves
    const gap = loads[hot]! - loads[cold]!
    const chosen = nearest(
      [...rest].filter(({ thread, demand }) => thread === hot && gap - demand >= leastGain),
      gap / 2,
    )
    if (!chosen || chosen.demand < leastGain) return moves
    rest.delete(chosen)
    loads[hot]! -= chosen.demand
    loads[cold]! += chosen.demand
    moves.push({ project: chosen.project, to: cold })
  }
}

function nearest(candidates: readonly Placement[], wanted: number): Placement | undefined {
  const distance = ({ demand }: Placement) => Math.abs(demand - wanted)
  return candidates.reduce<Placement | undefined>(
    (best, one) => (best && distance(best) <= distance(one) ? best : one),
    undefined,
  )
}
