import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CliError, type FileProblem } from '../errors.ts'
import { readProjectFile } from './read.ts'

const whole = `
version: 1
name: weather
description: Stations that earn
public: false
applets:
  - name: station
    source: applet/index.ts
    routes:
      - { event: DEFAULT, handler: start }
      - { event: day, handler: closeDay, metrics: true }
    kv: { shared: stations }
  - { name: other, wasm: build/other.wasm }
devices:
  - { key: s1, name: Station 1, publicKey: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK' }
env: { TOKEN: '0x01' }
tables:
  readings:
    description: what came
    columns:
      id: { type: int64, autoincrement: true }
      station: text
      price: { type: decimal, length: 10, decimal: 2, nullable: true, default: '0', description: per kWh }
    unique: [[id]]
    index: [[station, id]]
limits: { wallClockMs: 1000 }
settings: { rollbackOnNegative: true }
chains: { operator: default, required: [31337, iotex-testnet] }
consensus: { kind: poa }
minNodes: 1
retention: {}
facts: []
`

function problemsOf(text: string, code = 'PROJECT_FILE_INVALID'): readonly FileProblem[] {
  try {
    readProjectFile(text, 'w3bstream.yaml')
  } catch (error) {
    if (error instanceof CliError && error.fault.code === code && 'problems' in error.fault) return error.fault.problems
    throw error
  }
  throw new Error('the file was accepted')
}

const places = (problems: readonly FileProblem[]) =>
  problems.map(({ line, column, path }) => `${line}:${column} ${path}`)

describe('the project file', () => {
  it('accepts a file with all sections', () => {
    const file = readProjectFile(whole, 'w3bstream.yaml')
    expect(file.applets?.[0]?.routes?.[1]).toEqual({ event: 'day', handler: 'closeDay', metrics: true })
  })

  it('lists every mistake at its line and column', () => {
    const problems = problemsOf(`version: 2
name: Weather!
aplets: []
applets:
  - name: a
    routes:
      - { event: x, handlr: y }
  - name: a
    wasm: a.wasm
    source: a.ts
devices:
  - key: 7
  - key: d
  - key: d
env:
  1BAD: x
tables:
  t:
    columns: { a: text, b: strng, c: { type: text, lenght: 3 }, d: [] }
  u:
    columns: { a: text }
    unique: [[nope]]
limits: { wallClockMs: 0 }
`)
    expect(places(problems)).toEqual([
      '1:10 version',
      '2:7 name',
      '3:1 aplets',
      '7:9 applets[0].routes[0]',
      '7:21 applets[0].routes[0].handlr',
      '12:10 devices[0].key',
      '16:3 env.1BAD',
      '19:28 tables.t.columns.b',
      '19:52 tables.t.columns.c.lenght',
      '19:68 tables.t.columns.d',
      '23:24 limits.wallClockMs',
    ])
  })

  it('looks into public keys, among the other mistakes', () => {
    const keys = ['did:key:zbad', 'z6Mk', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK']
    const devices = keys.map((publicKey, i) => `  - { key: d${i}, publicKey: '${publicKey}' }`).join('\n')
    const problems = problemsOf(`version: 1\nname: A\ndevices:\n${devices}\n  - { key: 7 }\n`)
    expect(places(problems)).toEqual([
      '2:7 name',
      '4:27 devices[0].publicKey',
      '5:27 devices[1].publicKey',
      '7:12 devices[3].key',
    ])
    expect(problems[1]?.message).toMatch('multicodec prefix')
  })

  it('suggests the key or value that was meant', () => {
    const messages = problemsOf(
      'version: 1\nname: a\naplets: []\ntables: { t: { columns: { a: strng, b: txt } } }\n',
    ).map((p) => p.message)
    expect(messages[0]).toMatch('did you mean "applets"')
    expect(messages[2]).toMatch('did you mean "text"')
  })

  it('finds contradictions inside sections that are well-formed', () => {
    const problems = problemsOf(`version: 1
name: a
applets:
  - { name: a, wasm: a.wasm, source: a.ts }
  - { name: a, wasm: b.wasm, routes: [{ event: e, handler: h }, { event: e, handler: i }] }
  - name: c
devices: [{ key: d }, { key: d }]
tables:
  u:
    columns: { a: { type: text, autoincrement: true } }
    unique: [[nope]]
database: {}
settings: { outboundHosts: [api.example.com, 'nota_host:x'] }
`)
    expect(places(problems)).toEqual([
      '4:5 applets[0]',
      '5:13 applets[1].name',
      '5:74 applets[1].routes[1].event',
      '6:5 applets[2]',
      '7:30 devices[1].key',
      '10:48 tables.u.columns.a.autoincrement',
      '11:15 tables.u.unique[0][0]',
      '12:1 database',
      '13:46 settings.outboundHosts[1]',
    ])
  })

  it.each([
    ['not YAML', 'a: [', 1],
    ['a repeated key', 'version: 1\nname: a\nname: b\n', 3],
    ['text', 'hello', 1],
    ['nothing', '', 1],
    ['a list', '- 1', 1],
  ])('refuses %s', (_, text, line) => {
    expect(problemsOf(text)[0]?.line).toBe(line)
  })

  it('lists more mistakes than the schema library buffers by itself', () => {
    const devices = Array.from({ length: 50 }, (_, i) => `  - { kee: d${i} }`).join('\n')
    expect(problemsOf(`version: 1\nname: a\ndevices:\n${devices}\n`)).toHaveLength(100)
  })

  it('refuses a bomb of aliases', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `  - &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
    expect(problemsOf(`version: 1\nname: a\nfacts:\n  - &a0 [x]\n${levels.join('\n')}\n`)[0]?.message).toMatch(/alias/i)
  })

  it('shows the form of a map that was given as text, and says what pbft would need', () => {
    expect(problemsOf('version: 1\nname: a\nconsensus: pbft\n')[0]?.message).toBe(
      'wanted a map such as { kind: pbft }, found "pbft"',
    )
    const file = 'version: 1\nname: a\nconsensus: { kind: pbft }\n'
    expect(problemsOf(file, 'PROJECT_FILE_UNSUPPORTED')[0]?.message).toMatch(/^pbft lets several nodes agree.*poa/)
  })

  it('takes the forms of docs/build/project-file.md', () => {
    const guide = readFileSync(new URL('../../../../../docs/build/project-file.md', import.meta.url), 'utf8')
    const [full = '', later = ''] = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block)
    expect(readProjectFile(full, 'w3bstream.yaml').name).toBe('weather')
    const beyond = problemsOf(`version: 1\nname: a\n${later}`, 'PROJECT_FILE_UNSUPPORTED')
    expect(beyond.map(({ path }) => path)).toEqual(['consensus.kind', 'minNodes', 'retention', 'facts'])
  })

  it('refuses what this version cannot honour instead of ignoring it', () => {
    const problems = problemsOf(
      `version: 1
name: a
minNodes: 4
consensus: { kind: pbft }
retention: { logs: { age: 30d, archive: true } }
facts: [{ name: f, event: e, field: t, readings: 16, statement: { measure: average, above: 20 } }]
`,
      'PROJECT_FILE_UNSUPPORTED',
    )
    expect(places(problems)).toEqual(['4:20 consensus.kind', '3:11 minNodes', '5:12 retention', '6:8 facts'])
  })
})

describe('variables of the environment', () => {
  const file = (env: string) => `version: 1\nname: weather\nenv:\n${env}`
  const ref = (name: string) => `$\{${name}}`

  it('fill values of env, and nothing else', () => {
    const env = `  TOKEN: ${ref('TOKEN')}\n  URL: https://${ref('HOST')}/${ref('TOKEN')}\n  PRICE: $5\n`
    const text = `${file(env)}description: ${ref('TOKEN')}\n`
    const filled = readProjectFile(text, 'w3bstream.yaml', { TOKEN: '0x01', HOST: 'a.b' })
    expect(filled.env).toEqual({ TOKEN: '0x01', URL: 'https://a.b/0x01', PRICE: '$5' })
    expect(filled.description).toBe(ref('TOKEN'))
  })

  it('are not filled twice', () => {
    const { env } = readProjectFile(file(`  A: ${ref('A')}\n  B: $${ref('A')}\n`), 'w3bstream.yaml', { A: ref('B') })
    expect(env).toEqual({ A: ref('B'), B: ref('A') })
  })

  it('are all named when they are not set', () => {
    expect(problemsOf(file(`  A: ${ref('FIRST')}\n  B: ${ref('SECOND')} ${ref('THIRD')}\n`))).toEqual([
      expect.objectContaining({ line: 4, path: 'env.A', message: expect.stringContaining('FIRST') }),
      expect.objectContaining({ line: 5, path: 'env.B', message: expect.stringContaining('SECOND') }),
      expect.objectContaining({ line: 5, path: 'env.B', message: expect.stringContaining('THIRD') }),
    ])
  })
})
