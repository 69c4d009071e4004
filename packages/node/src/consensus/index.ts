import type { OpenConsensus } from './consensus.ts'
import { openPoa } from './poa/poa.ts'

/** The algorithms; the keys are the `kind` of a project's configuration. */
export const algorithms = { poa: openPoa } as const satisfies Record<string, OpenConsensus>
