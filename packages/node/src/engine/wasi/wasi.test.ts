import { describe, expect, it } from 'vitest'
import type { CallLimits } from '../engine.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { assemble } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { errno } from './errno.ts'
import { wasiFunctions } from './table.ts'

const engine = createEngine()

/** Runs a body with all of WASI imported under its names, and `$log` at hand. */
function run(body: string, data = '', options: { seed?: number; limits?: Partial<CallLimits> } = {}) {
  const imports = wasiFunctions.map(({ module, name, type }) => {
    const results = type.results.length === 0 ? '' : '(result i32)'
    return `(import "${module}" "${name}" (func $${name} (param ${type.params.join(' ')}) ${results}))`
  })
  const module = engine.load(
    engine.prepare(
      assemble(`(module ${imports.join('\n')}
        (import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        ${data}
        (func (export "go") (param i32) (result i32) ${body}))`),
    ),
    { mayBlock: false },
  )
  const host = new RecordingHost()
  const outcome = module.call(testCall('go', host, options))
  if (outcome instanceof Promise) throw new Error('suspended')
  return { outcome, code: outcome.type === 'returned' ? outcome.code : undefined, lines: host.lines }
}

/** Two vectors: 5 bytes at 100, then `more` at 105. */
const vectors = (text: string) =>
  `(data (i32.const 8) "\\64\\00\\00\\00\\05\\00\\00\\00\\69\\00\\00\\00\\${(text.length - 5).toString(16).padStart(2, '0')}\\00\\00\\00")
   (data (i32.const 100) "${text.replaceAll('\n', '\\n')}")`
const write = (fd: number) => `(call $fd_write (i32.const ${fd}) (i32.const 8) (i32.const 2) (i32.const 0))`

describe('standard output', () => {
  it('becomes log lines, of whole lines and of what is left at the end', () => {
    const { code, lines } = run(
      `(drop ${write(1)}) (drop (call $log (i32.const 4) (i32.const 100) (i32.const 3))) (drop ${write(2)}) (i32.load (i32.const 0))`,
      vectors('one\ntwo\nthree'),
    )
    expect(code).toBe(13)
    expect(lines).toEqual([
      '5 wasmCode one',
      '5 wasmCode two',
      '4 wasmCode one',
      '5 wasmCode one',
      '5 wasmCode two',
      '5 wasmCode three',
      '5 wasmCode three',
    ])
  })

  it('is written out when the guest traps or exits', () => {
    expect(run(`(drop ${write(1)}) (unreachable)`, vectors('no newline')).lines).toEqual(['5 wasmCode no newline'])
    const exit = run(`(drop ${write(1)}) (call $proc_exit (i32.const 0)) (i32.const 0)`, vectors('no newline'))
    expect(exit.lines).toEqual(['5 wasmCode no newline'])
    expect(exit.outcome).toMatchObject({ type: 'failed', error: 'EXIT', message: 'proc_exit(0)' })
  })

  it('is cut to the length of a line', () => {
    const { lines } = run(write(1), vectors('abcdefghij\nk'), { limits: { logLineBytes: 7 } })
    expect(lines).toEqual(['5 wasmCode abcdefg', '5 wasmCode k'])
  })

  it('has two descriptors', () => {
    expect(run(write(0), vectors('123456')).code).toBe(errno.badf)
    expect(run(write(3), vectors('123456')).code).toBe(errno.badf)
    expect(run('(call $fd_fdstat_get (i32.const 1) (i32.const 0))').code).toBe(errno.success)
    expect(run('(call $fd_fdstat_get (i32.const 99) (i32.const 0))').code).toBe(errno.badf)
  })
})

describe('what a call is given', () => {
  it('has no arguments and no environment', () => {
    for (const name of ['args', 'environ'])
      expect(
        run(
          `(i32.store (i32.const 0) (i32.const 9))
           (drop (call $${name}_sizes_get (i32.const 0) (i32.const 4)))
           (i32.or (i32.load (i32.const 0)) (call $${name}_get (i32.const 0) (i32.const 0)))`,
        ).code,
      ).toBe(0)
  })

  it('has the time of the batch on every clock', () => {
    const read = (clock: number) =>
      run(`(drop (call $clock_time_get (i32.const ${clock}) (i64.const 0) (i32.const 0)))
        (i32.wrap_i64 (i64.div_u (i64.load (i32.const 0)) (i64.const 1000000000)))`).code
    expect([0, 1, 2, 3].map(read)).toEqual(Array<number>(4).fill(1_700_000_000))
    expect(run('(call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 0))').code).toBe(errno.inval)
  })

  it('has randomness that follows from the seed and goes on', () => {
    const body = `(drop (call $random_get (i32.const 0) (i32.const 4)))
      (drop (call $random_get (i32.const 4) (i32.const 4)))`
    const first = (seed: number) => run(`${body} (i32.load (i32.const 0))`, '', { seed }).code
    const second = run(`${body} (i32.load (i32.const 4))`, '', { seed: 1 }).code
    expect(first(1)).toBe(first(1))
    expect(first(1)).not.toBe(first(2))
    expect(first(1)).not.toBe(second)
    expect(run('(call $random_get (i32.const 0) (i32.const -1))').code).toBe(errno.inval)
    expect(run('(call $random_get (i32.const 65535) (i32.const 2))').code).toBe(errno.fault)
  })
})

describe('poll_oneoff', () => {
  /** One subscription to a clock: tag 0 at 8, time-out at 24, flags at 40. */
  const subscribe = (at: number, timeout: bigint, flags: number, tag = 0) => `
    (i64.store (i32.const ${at}) (i64.const ${at}))
    (i32.store8 (i32.const ${at + 8}) (i32.const ${tag}))
    (i64.store (i32.const ${at + 24}) (i64.const ${timeout}))
    (i32.store16 (i32.const ${at + 40}) (i32.const ${flags}))`
  const poll = (count: number) =>
    `(drop (call $poll_oneoff (i32.const 1000) (i32.const 2000) (i32.const ${count}) (i32.const 0)))`
  const now = `(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 8)))
    (i32.wrap_i64 (i64.sub (i64.load (i32.const 8)) (i64.const 1700000000123000000)))`

  it('wakes the first sleeper at the time it asked for', () => {
    const body = subscribe(1000, 500n, 0) + subscribe(1048, 300n, 0) + poll(2)
    expect(run(`${body} ${now}`).code).toBe(300)
    expect(run(`${body} (i32.load (i32.const 0))`).code).toBe(1)
    expect(run(`${body} (i32.load (i32.const 2000))`).code).toBe(1048)
  })

  it('knows absolute times, past ones too', () => {
    expect(run(`${subscribe(1000, 1_700_000_000_123_000_777n, 1)} ${poll(1)} ${now}`).code).toBe(777)
    expect(run(`${subscribe(1000, 5n, 1)} ${poll(1)} ${now}`).code).toBe(0)
  })

  it('does not wait when a descriptor is ready', () => {
    const body = subscribe(1000, 500n, 0) + subscribe(1048, 0n, 0, 2) + poll(2)
    expect(run(`${body} ${now}`).code).toBe(0)
    expect(run(`${body} (i32.load8_u (i32.const 2010))`).code).toBe(2)
  })

  it('refuses none and too many', () => {
    expect(run('(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))').code).toBe(errno.inval)
    expect(run('(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))').code).toBe(errno.inval)
    expect(run('(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 0))').code).toBe(errno.fault)
  })
})

describe('signals and sockets', () => {
  it('are not there', () => {
    for (const name of ['proc_raise', 'sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown']) {
      const params = wasiFunctions.find((f) => f.name === name)!.type.params.map((type) => `(${type}.const 0)`)
      expect(run(`(call $${name} ${params.join(' ')})`).code).toBe(errno.nosys)
    }
  })
})
