import { describe } from 'vitest'
import { consensusSuite } from './consensus.suite.ts'
import { algorithms } from './index.ts'

for (const [kind, open] of Object.entries(algorithms)) describe(kind, () => consensusSuite(open))
