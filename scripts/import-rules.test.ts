import { describe, expect, it } from 'vitest'
import { importsOf, violation } from './import-rules.ts'

const check = (file: string, from: string) => violation(file, { from, line: 1 })
const inNode = (file: string) => `packages/node/src/${file}`

describe('finding imports', () => {
  it('sees every form, with its line', () => {
    const text = `// import { no } from 'comment'
import type { A } from './a.ts'
import {
  b,
} from './b.ts'
import './c.ts'
export { d } from './d.ts'
const e = await import('./e.ts')
const f = "import { g } from './g.ts'"
`
    expect(importsOf(text)).toEqual([
      { from: './a.ts', line: 2 },
      { from: './b.ts', line: 3 },
      { from: './c.ts', line: 6 },
      { from: './d.ts', line: 7 },
      { from: './e.ts', line: 8 },
    ])
  })
})

describe('import rules', () => {
  it.each([
    ['upwards', inNode('engine/inline/x.ts'), '../../event/ingest.ts'],
    ['from util into a component', inNode('util/queue.ts'), '../database/database.ts'],
    ['from the node into the command line', inNode('node/x.ts'), '../cli/io.ts'],
    ["into another component's inside", inNode('engine/x.ts'), '../database/sqlite/open.ts'],
    ['into another package by path', inNode('engine/x.ts'), '../../../protocol/src/index.ts'],
    ['of libp2p outside network', inNode('consensus/driver.ts'), '@libp2p/tcp'],
    ['of secp256k1 outside the wallet', inNode('chain/x.ts'), 'secp256k1'],
    ['of the node by the client', 'packages/client/src/http.ts', '@w3bstream/node'],
    ['of anything of ours by the protocol', 'packages/protocol/src/batch.ts', '@w3bstream/client'],
    ['of anything of ours by the applet kit', 'packages/applet-sdk/src/index.ts', '@w3bstream/protocol'],
  ])('refuse an import %s', (_, file, from) => {
    expect(check(file, from)).toBeTypeOf('string')
  })

  it.each([
    ['downwards', inNode('event/ingest.ts'), '../database/sqlite/open.ts'],
    ["of another component's contract", inNode('engine/x.ts'), '../database/database.ts'],
    ["of another component's errors", inNode('engine/x.ts'), '../database/errors.ts'],
    ['inside a component', inNode('engine/inline/x.ts'), '../host/table.ts'],
    ['of telemetry', inNode('engine/x.ts'), '../telemetry/logger.ts'],
    ['of the protocol by the client', 'packages/client/src/http.ts', '@w3bstream/protocol'],
    ['of secp256k1 by the wallet', inNode('wallet/signing.ts'), 'secp256k1'],
    ['of a part of its own package by name', 'packages/protocol/src/batch.ts', '#sha256'],
  ])('let an import %s pass', (_, file, from) => {
    expect(check(file, from)).toBeUndefined()
  })
})
