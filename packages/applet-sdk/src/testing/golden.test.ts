import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AppletEngine } from '../engine-contract.ts'
import { kitDirectory } from '../kit.ts'
import { handlerCoverage } from './coverage.ts'
import { formatReport } from './format-report.ts'
import { compareGolden, type GoldenReceipt } from './golden.ts'
import { type TestedApplet, testBuiltApplet } from './test-applet.ts'

/** Stands in for the log example in versions that behave differently. */
function engine(version: { text: string; fuel: bigint }): AppletEngine {
  return {
    load: () => ({
      handlers: ['start', 'other'],
      call: ({ host, payload }) => {
        host.log(4, 'wasmCode', `${version.text} ${Buffer.from(payload)}`)
        host.kvPut('last', Uint8Array.of(0, 255))
        return { type: 'returned', code: 0, fuel: version.fuel }
      },
    }),
    fault: (_, message) => new Error(message),
  }
}
/** These tests are about results, not about the compiler. */
const built: TestedApplet = {
  wasm: new Uint8Array(0),
  stats: { bytes: 0, durationMs: 0, handlers: [], imports: [] },
  warnings: [],
}
const first = { text: 'received', fuel: 1000n }

describe('golden receipts', () => {
  let directory = ''
  let golden = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'golden-'))
    golden = join(directory, 'tests', 'log.golden.json')
    await cp(join(kitDirectory(), 'examples', 'log'), directory, { recursive: true })
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('are written when asked for, then compared', async () => {
    expect((await testBuiltApplet(directory, built, engine(first))).files[0]?.golden).toEqual([])
    await testBuiltApplet(directory, built, engine(first), { golden: 'update' })
    const [receipt] = JSON.parse(await readFile(golden, 'utf8')) as GoldenReceipt[]
    expect(receipt).toMatchObject({ handler: 'start', code: 0, fuel: 1000, kv: [['last', '0x00ff']] })
    expect((await testBuiltApplet(directory, built, engine(first))).failed).toBe(0)
  })

  it('tell what has changed, and fail the test', async () => {
    await testBuiltApplet(directory, built, engine(first), { golden: 'update' })
    const report = await testBuiltApplet(directory, built, engine({ text: 'got', fuel: 1100n }))
    expect(report.failed).toBe(1)
    const text = formatReport(report)
    expect(text).toContain('golden, event 1, fuel: was 1000, is 1100 (+10.0 %)')
    expect(text).toMatch(/golden, event 1, logs\[0\]: was "4 received .*", is "4 got .*"/)
    expect(
      (await testBuiltApplet(directory, built, engine({ ...first, fuel: 1100n }), { fuelTolerance: 0.1 })).failed,
    ).toBe(0)
    expect(
      (await testBuiltApplet(directory, built, engine({ text: 'got', fuel: 1n }), { golden: 'ignore' })).files[0]
        ?.golden,
    ).toEqual([])
  })

  it.each(['{', '{}', '[1]'])('that cannot be read (%s) are said to be so', async (content) => {
    await writeFile(golden, content)
    expect((await testBuiltApplet(directory, built, engine(first))).files[0]?.problem).toContain(
      '--update writes it anew',
    )
  })
})

describe('compareGolden', () => {
  const receipt: GoldenReceipt = {
    handler: 'h',
    code: 0,
    fuel: 10,
    logs: ['4 a'],
    kv: [],
    sql: [],
    transactions: [],
    mqtt: [],
    apiCalls: [],
    metrics: [],
  }

  it('names events that came and went, and a result that became a failure', () => {
    expect(compareGolden([receipt], [])).toEqual(['event 1: is missing'])
    expect(compareGolden([], [receipt])).toEqual(['event 1: is new'])
    const { code: _, ...rest } = receipt
    expect(compareGolden([receipt], [{ ...rest, error: 'TRAP', message: 'unreachable' }])).toEqual([
      'event 1, code: was 0, is nothing',
      'event 1, error: was nothing, is "TRAP"',
      'event 1, message: was nothing, is "unreachable"',
    ])
  })
})

describe('coverage of handlers', () => {
  it('counts the events of each and names those that no test calls', () => {
    const event = (handler: string) => ({ handler, mistakes: [], trace: [], result: undefined as never })
    const files = [{ file: 'a', description: '', golden: [], events: [event('x'), event('x'), event('unknown')] }]
    expect(handlerCoverage(['x', 'y'], files)).toEqual({ events: { x: 2, y: 0 }, missing: ['y'], percent: 50 })
    expect(handlerCoverage([], [])).toMatchObject({ percent: 100 })
  })
})
