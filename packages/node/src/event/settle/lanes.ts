import type { LaneOptions } from './lane.ts'

/** The sorts of work outside; each has room of its own, so that none stands in another's way. */
export type LaneName = 'mqtt' | 'system' | 'web' | 'proof' | 'end'

const mebibyte = 1024 * 1024

export const laneOptions: Readonly<Record<LaneName, LaneOptions>> = {
  mqtt: { held: 10_000, heldPerProject: 2500, heldBytes: 32 * mebibyte, running: 1000, runningPerProject: 250 },
  /** Short calls of the node and of chains. */
  system: { held: 2000, heldPerProject: 500, heldBytes: 16 * mebibyte, running: 64, runningPerProject: 16 },
  /** HTTP requests to servers outside. */
  web: { held: 1000, heldPerProject: 250, heldBytes: 32 * mebibyte, running: 64, runningPerProject: 8 },
  proof: { held: 100, heldPerProject: 25, heldBytes: 16 * mebibyte, running: 4, runningPerProject: 2 },
  /** Ends of transactions; each is waited for, which costs memory only. */
  end: { held: 10_000, heldPerProject: 2500, heldBytes: 16 * mebibyte, running: 10_000, runningPerProject: 2500 },
}
