import { expect, it } from 'vitest'
import { outputHash, readManifest } from '../scripts/generated.ts'
import { gatherSources, inputHash } from '../scripts/sources.ts'

it('has been compiled from the present sources: else run `npm run build -w contracts`', () => {
  expect(readManifest()).toEqual({ input: inputHash(gatherSources()), output: outputHash() })
})
