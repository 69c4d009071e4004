import { describe, expect, it } from 'vitest'
import { processIo } from '../packages/node/src/cli/io.ts'
import { createProgram } from '../packages/node/src/cli/program.ts'
import { commandLines, commandProblem, npmScripts, relativeLinks } from './doc-rules.ts'
import { errorCodes } from './error-codes.ts'

const fence = '```'

describe('documents', () => {
  it('have relative links, outside of code', () => {
    const text = `[a](b.md#c) [x](https://x.y) [t](#top)\n\`[no](no.md)\`\n${fence}\n[no](no.md)\n${fence}\n![i](img/i.png)`
    expect(relativeLinks(text)).toEqual([
      { target: 'b.md', line: 1 },
      { target: 'img/i.png', line: 6 },
    ])
  })

  it('name npm scripts', () => {
    expect(
      npmScripts('`npm run bench -- --only x`\nnpm install && npm run --silent check:docs').map(({ name }) => name),
    ).toEqual(['bench', 'check:docs'])
  })

  it('hold command lines in blocks and spans, over several lines too', () => {
    const text = `Run \`w3bstream doctor --json\`.\n${fence}sh\n$ w3bstream start \\\n  --http-port 1\nTOKEN=$(w3bstream device add s1 -p w | jq .x)\n${fence}\nw3bstream is a word here`
    expect(commandLines(text).map(({ words, line }) => [words.join(' '), line])).toEqual([
      ['doctor --json', 1],
      ['start --http-port 1', 4],
      ['device add s1 -p w', 5],
    ])
  })

  const program = createProgram(processIo(), '')
  it.each([
    'doctor --json',
    'project deploy -f x.yaml --dry-run',
    'project create|list',
    'device …',
    'help start',
    '--help',
    'logs -f',
  ])('may say w3bstream %s', (line) => {
    expect(commandProblem(program, line.split(' '))).toBeUndefined()
  })
  it.each(['docter', 'project make', 'project create|make', 'start --http-prot 1', 'logs -x'])(
    'may not say w3bstream %s',
    (line) => {
      expect(commandProblem(program, line.split(' '))).toBeTypeOf('string')
    },
  )
})

describe('error codes', () => {
  it('are found in unions of faults and of codes, not in comments', () => {
    const source = `export type Fault =
  | { code: 'A_ONE'; x: 'NOT_THIS' }
  /** code: 'IN_COMMENT' */
  | { code: 'A_TWO' | 'A_THREE' }
export class E {}
export type ThingCode =
  /** why */
  | 'B_ONE'
  | 'B_TWO'
export class F {}
`
    expect(errorCodes(source)).toEqual(['A_ONE', 'A_TWO', 'A_THREE', 'B_ONE', 'B_TWO'])
  })
})
