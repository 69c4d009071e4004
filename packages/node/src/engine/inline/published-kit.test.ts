import { beforeAll, describe, expect, it } from 'vitest'
import type { HandlerOutcome, LoadedModule } from '../engine.ts'
import { compileApplet } from '../testing/compile-applet.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { createEngine } from './inline-engine.ts'

let module: LoadedModule
const host = new RecordingHost()
const ok = { type: 'returned', code: 0, fuel: expect.any(BigInt) }

beforeAll(async () => {
  const engine = createEngine()
  const applet = await compileApplet(new URL('../testing/assembly/kit.ts', import.meta.url))
  module = engine.load(engine.prepare(applet), { mayBlock: false })
}, 120_000)

function call(handler: string, payload = '', seed = 7): { outcome: HandlerOutcome; lines: string[] } {
  host.lines.length = 0
  const outcome = module.call(testCall(handler, host, { payload, seed }))
  if (outcome instanceof Promise) throw new Error('suspended')
  return { outcome, lines: [...host.lines] }
}

describe('an applet built with the published AssemblyScript kit', () => {
  it('reads its payload, and starts anew at each call', () => {
    for (const text of ['a', 'ä'.repeat(5000), 'c']) {
      const { outcome, lines } = call('echo', text)
      expect(outcome).toMatchObject({ ...ok, code: 1 })
      expect(lines[0]?.startsWith(`4 wasmCode ${text.slice(0, 2000)}`)).toBe(true)
    }
  })

  it('keeps values', () => {
    expect(call('store', 'one').lines).toEqual([])
    expect(call('store', 'two').lines).toEqual(['4 wasmCode before: one'])
  })

  it('runs SQL', () => {
    host.rows = { columns: [{ name: 'n', type: 'integer' }], rows: [[1n]], changes: 0 }
    expect(call('sql').outcome).toEqual(ok)
    expect(host.statements[0]).toEqual({
      statement: 'INSERT INTO t VALUES (?,?)',
      params: [
        { type: 'int64', value: 9007199254740993n },
        { type: 'string', value: 'x' },
      ],
    })
    expect(host.lines.at(-1)).toBe('4 wasmCode {"n":1}')
  })

  it('reaches chains', () => {
    const { lines } = call('chain')
    expect(lines.slice(1)).toEqual([`4 wasmCode 0x${'ab'.repeat(32)}`, '4 wasmCode 010203'])
    expect(host.transactions[0]).toMatchObject({ chainId: 4690n, to: '0x1234', data: '0xabcd' })
  })

  it('reaches environment, metrics and API', () => {
    host.environment.set('NAME', 'value')
    const { outcome, lines } = call('host')
    expect(outcome).toEqual(ok)
    expect(lines[0]).toBe('4 wasmCode value')
    expect(host.metrics).toEqual(['{"a":1}'])
    expect(lines.at(-1)).toContain('w3bstream://w3bstream.com/system/hello')
  })

  it('draws random numbers that follow from the seed', () => {
    expect(call('random', '', 1)).toEqual(call('random', '', 1))
    expect(call('random', '', 1)).not.toEqual(call('random', '', 2))
  })

  it('has its abort and trace written down', () => {
    const { outcome, lines } = call('builtins')
    expect(outcome).toMatchObject({ type: 'failed', error: 'TRAP' })
    expect(lines.slice(0, 2)).toEqual([
      '4 wasmCode trace: numbers [1.5, 2.5]',
      '2 wasmCode abort: from the kit at file.ts:3:4',
    ])
    expect(lines[2]).toMatch(/^2 wasmCode abort: from the compiler at .*kit\.ts:\d+:\d+$/)
  })
})
