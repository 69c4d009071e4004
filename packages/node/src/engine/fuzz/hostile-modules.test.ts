import { describe, expect, it } from 'vitest'
import type { CallLimits, HandlerOutcome } from '../engine.ts'
import { EngineError } from '../errors.ts'
import { hostTable } from '../host/table.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { moduleCeilings } from '../limits.ts'
import { limits as memoryLimits, name, s32, u32, vector } from '../module/byte-writer.ts'
import { op } from '../module/code.ts'
import { assemble } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'

const engine = createEngine()
const memory = '(memory (export "memory") 2)'
const alloc = '(func (export "alloc") (param i32) (result i32) (i32.const 1024))'

function call(bytes: Uint8Array, limits: Partial<CallLimits> = {}, payload: Uint8Array | string = 'x') {
  const host = new RecordingHost()
  const module = engine.load(engine.prepare(bytes), { mayBlock: false })
  const run = (handler: string) => module.call(testCall(handler, host, { limits, payload })) as HandlerOutcome
  return { run, host }
}

/** Calls a handler twice: whatever it did, the second call must end like the first. */
function twice(text: string, limits: Partial<CallLimits> = {}): { outcome: HandlerOutcome; host: RecordingHost } {
  const { run, host } = call(assemble(`(module ${text})`), limits)
  const outcome = run('start')
  expect(run('start')).toEqual(outcome)
  return { outcome, host }
}

describe('programs', () => {
  const fuel = 1_000_000

  it.each([
    ['an endless loop', '(loop $l (br $l))', ''],
    ['an endless loop that calls', '(loop $l (call $g) (br $l))', '(func $g)'],
    [
      'endless tail calls',
      '(return_call $tail (i32.const 1))',
      '(func $tail (param i32) (result i32) (return_call $tail (local.get 0)))',
    ],
    ['a flood of host calls', '(loop $l (drop (call $yield)) (br $l))', ''],
    [
      'large fills again and again',
      '(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br $l))',
      '',
    ],
  ])('%s uses up all fuel and no more', (_, body, more) => {
    const { outcome } = twice(
      `(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32))) ${memory} ${more}
       (func (export "start") (param i32) (result i32) ${body} (i32.const 0))`,
      { fuel },
    )
    expect(outcome).toMatchObject({ type: 'failed', error: 'FUEL_LIMIT', fuel: BigInt(fuel) })
  })

  it.each([
    ['recursion', '(call $f (local.get 0))', ''],
    [
      'mutual recursion',
      '(call $g (local.get 0))',
      '(func $g (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))',
    ],
    ['recursion through a table', '(call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))', ''],
    [
      'recursion with large frames',
      '(call $g (local.get 0))',
      `(func $g (param i32) (result i32) ${'(local v128)'.repeat(500)} (i32.add (i32.const 1) (call $f (local.get 0))))`,
    ],
  ])('%s ends at a counted depth', (_, body, more) => {
    const { outcome } = twice(
      `${memory} (table 1 funcref) (elem (i32.const 0) $f) ${more}
       (func $f (export "start") (param i32) (result i32) (i32.add (i32.const 1) ${body}))`,
    )
    expect(outcome).toMatchObject({ type: 'failed', error: 'STACK_LIMIT', message: expect.stringContaining('524288') })
  })

  it('a bomb of memory gets what the limit allows and pays for it', () => {
    const { outcome } = twice(
      `${memory} (func (export "start") (param i32) (result i32)
        (loop $l (br_if $l (i32.ne (memory.grow (i32.const 7)) (i32.const -1))))
        (memory.size))`,
      { memoryPages: 100 },
    )
    expect(outcome).toMatchObject({ type: 'returned', code: 100 - ((100 - 2) % 7), limits: ['MEMORY_LIMIT'] })
    expect(outcome.fuel).toBeGreaterThan(98n * 8000n)
  })

  it('a bomb of tables gets what the limit allows', () => {
    const { outcome } = twice(
      `${memory} (table $t 1 funcref) (func (export "start") (param i32) (result i32)
        (loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 100)) (i32.const -1))))
        (table.size $t))`,
      { tableEntries: 1000 },
    )
    expect(outcome).toMatchObject({ type: 'returned', code: 901, limits: ['TABLE_LIMIT'] })
  })

  it('a flood of host calls ends at their limit', () => {
    const { outcome } = twice(
      `(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32))) ${memory}
       (func (export "start") (param i32) (result i32) (loop $l (drop (call $yield)) (br $l)) (i32.const 0))`,
      { hostCalls: 1000 },
    )
    expect(outcome).toMatchObject({ error: 'HOST_CALL_LIMIT', message: 'more than 1000 calls of host functions' })
  })

  it('a flood of log lines is cut, and the receipt says so', () => {
    const { outcome, host } = twice(
      `(import "env" "ws_log" (func $log (param i32 i32 i32) (result i32))) ${memory}
       (func (export "start") (param i32) (result i32) (local $n i32)
        (loop $l (drop (call $log (i32.const 4) (i32.const 0) (i32.const 60000)))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 500))))
        (i32.const 0))`,
      { logLines: 50, logLineBytes: 300 },
    )
    expect(outcome).toMatchObject({ type: 'returned', limits: ['LOG_LIMIT'] })
    expect(host.lines).toHaveLength(2 * 51)
    expect(Math.max(...host.lines.map((line) => line.length))).toBeLessThan(400)
  })

  it('huge values are refused before they are copied', () => {
    const { outcome, host } = twice(
      `(import "env" "ws_set_db" (func $put (param i32 i32 i32 i32) (result i32)))
       (memory (export "memory") 100)
       (func (export "start") (param i32) (result i32) (call $put (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 6000000)))`,
    )
    expect(outcome).toMatchObject({ type: 'returned', code: 2, limits: ['TRANSFER_LIMIT'] })
    expect(host.values.size).toBe(0)
  })

  it.each([
    ['gives an address outside', '(i32.const -9)', { type: 'returned', code: 5 }],
    ['traps', '(unreachable)', { type: 'returned', code: 5 }],
    ['calls itself without end', '(i32.add (i32.const 1) (call $alloc (local.get 0)))', { error: 'STACK_LIMIT' }],
    ['loops', '(loop $l (br $l)) (i32.const 0)', { error: 'FUEL_LIMIT' }],
    [
      'asks for the data again',
      '(call $data (i32.const 1) (i32.const 0) (i32.const 4))',
      { type: 'returned', code: 0 },
    ],
  ])('an alloc that %s ends in a code', (_, body, wanted) => {
    const { outcome } = twice(
      `(import "env" "ws_get_data" (func $data (param i32 i32 i32) (result i32))) ${memory}
       (func $alloc (export "alloc") (param i32) (result i32) ${body})
       (func (export "start") (param i32) (result i32) (call $data (local.get 0) (i32.const 0) (i32.const 4)))`,
      { fuel: 100_000_000 },
    )
    expect(outcome).toMatchObject(wanted)
  })

  it('a module may import all there is', () => {
    const imports = [...hostTable.values()].map(([host], index) => {
      const { params, results } = host!.type
      const type = `(param ${params.join(' ')}) (result ${results.join(' ')})`
      return `(import "${host!.module}" "${host!.name}" (func $i${index} ${type}))`
    })
    const { outcome } = twice(
      `${imports.join('\n')} ${memory} ${alloc} (func (export "start") (param i32) (result i32) (i32.const 3))`,
    )
    expect(outcome).toMatchObject({ type: 'returned', code: 3 })
  })
})

/** A module of one page with such bodies (locals and code without the last `end`), all `(i32) -> i32`; the first is `start`. */
function moduleOf(bodies: readonly (readonly number[])[], data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const section = (id: number, content: readonly number[]) => Buffer.from([id, ...u32(content.length), ...content])
  const dataHead = [1, 0, op.i32Const, 0, op.end, ...u32(data.length)]
  const codes = bodies.map((body) => Buffer.from([...u32(body.length + 1), ...body, op.end]))
  const code = Buffer.concat([Buffer.from(u32(bodies.length)), ...codes])
  const pages = Math.max(1, Math.ceil(data.length / 65_536))
  return Buffer.concat([
    Buffer.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, vector([[0x60, 1, 0x7f, 1, 0x7f]])),
    section(3, vector(bodies.map(() => [0]))),
    section(5, vector([memoryLimits(pages, undefined)])),
    section(
      7,
      vector([
        [...name('memory'), 2, 0],
        [...name('start'), 0, 0],
      ]),
    ),
    Buffer.from([10, ...u32(code.length)]),
    code,
    Buffer.from([11, ...u32(dataHead.length + data.length), ...dataHead]),
    data,
  ])
}

const constant = (value: number) => [op.i32Const, ...s32(value)]
const repeat = (count: number, bytes: readonly number[]) => Array.from({ length: count }, () => bytes).flat()

/** Refused with a reason, or run to an end. */
function refusedOrRun(bytes: Uint8Array): string {
  try {
    const { run } = call(bytes, { fuel: 50_000_000 })
    const outcome = run('start')
    expect(run('start')).toEqual(outcome)
    return outcome.type === 'returned' ? `returned ${outcome.code}` : outcome.error
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
}

describe('modules of an odd size', () => {
  it('10,000 nested blocks', () => {
    const body = [0, ...repeat(10_000, [op.block, 0x40]), ...repeat(10_000, [op.end]), ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('returned 1')
  })

  it('2,000 nested loops, each left by its end', () => {
    const body = [0, ...repeat(2000, [0x03, 0x40]), ...repeat(2000, [op.end]), ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('returned 1')
  })

  it('2,000 nested loops that never end', () => {
    const body = [0, ...repeat(2000, [0x03, 0x40]), op.br, ...u32(1999), ...repeat(2000, [op.end]), ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('FUEL_LIMIT')
  })

  it('a branch table of 60,000 labels out of 100 blocks', () => {
    const labels = Array.from({ length: 60_000 }, (_, index) => u32(index % 100)).flat()
    const table = [op.localGet, 0, 0x0e, ...u32(60_000), ...labels, 0]
    const body = [0, ...repeat(100, [op.block, 0x40]), ...table, ...repeat(100, [op.end]), ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('returned 1')
  })

  it('branch tables that leave thousands of values behind for each of their labels', () => {
    const table = [...repeat(1000, constant(1)), op.localGet, 0, 0x0e, ...u32(2000), ...repeat(2001, [0])]
    expect(refusedOrRun(moduleOf([[0, op.block, 0x40, ...table, op.end, ...constant(1)]]))).toBe('returned 1')
  })

  it('50,000 functions', () => {
    const next = (index: number) => [0, op.localGet, 0, op.call, ...u32(index + 1)]
    const bodies = Array.from({ length: 50_000 }, (_, index) => (index < 49_999 ? next(index) : [0, ...constant(1)]))
    expect(refusedOrRun(moduleOf(bodies))).toBe('STACK_LIMIT')
  })

  it('1,000 locals, and as many as V8 allows', () => {
    const locals = (count: number) => [1, ...u32(count), 0x7e, op.localGet, 0, op.call, 1]
    const last = [0, ...constant(1)]
    expect(refusedOrRun(moduleOf([locals(1000), last]))).toBe('returned 1')
    expect(refusedOrRun(moduleOf([locals(49_000), last]))).toBe('returned 1')
    expect(refusedOrRun(moduleOf([locals(49_999), last]))).toBe('MODULE_INVALID')
    expect(refusedOrRun(moduleOf([locals(0xffff_ffff), last]))).toBe('MODULE_INVALID')
  })

  it('40,000 locals that hand a NaN on from the last to the first', () => {
    const count = 40_000
    const moves = Array.from({ length: count - 1 }, (_, at) => [
      op.localGet,
      ...u32(at + 2),
      op.localSet,
      ...u32(at + 1),
    ])
    const made = [op.localGet, ...u32(count), 0x9f, op.localSet, ...u32(count)]
    const body = [1, ...u32(count), 0x7c, ...moves.flat(), ...made, ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('returned 1')
  })

  it('100,000 values on the operand stack', () => {
    const body = [0, ...repeat(100_000, constant(1)), ...repeat(99_999, [op.i32Add])]
    expect(refusedOrRun(moduleOf([body]))).toBe('STACK_LIMIT')
  })

  it('data of 14 MiB, and a file above the limit', () => {
    const data = Buffer.alloc(14 * 1024 * 1024, 7)
    expect(refusedOrRun(moduleOf([[0, ...constant(1)]], data))).toBe('returned 1')
    expect(refusedOrRun(moduleOf([[0, ...constant(1)]], Buffer.alloc(17 * 1024 * 1024)))).toBe('MODULE_TOO_LARGE')
  })

  it('a function of a megabyte', () => {
    const body = [0, ...repeat(250_000, [op.localGet, 0, 0x1a, 0x01]), ...constant(1)]
    expect(refusedOrRun(moduleOf([body]))).toBe('returned 1')
  })

  it('more exports, globals and tables than there may be', () => {
    const globals = (count: number) => Array.from({ length: count }, () => '(global (mut i32) (i32.const 0))').join('')
    const tables = (count: number) => Array.from({ length: count }, () => '(table 1 funcref)').join('')
    const start = '(func $s (export "start") (param i32) (result i32) (i32.const 1))'
    const prepared = (text: string) => refusedOrRun(assemble(`(module ${memory} ${start} ${text})`))
    expect(prepared(globals(moduleCeilings.mutableGlobals))).toBe('returned 1')
    expect(prepared(globals(moduleCeilings.mutableGlobals + 1))).toBe('MODULE_INVALID')
    expect(prepared(tables(moduleCeilings.tables + 1))).toBe('MODULE_INVALID')
    expect(prepared('(table 65536 funcref)')).toBe('returned 1')
    expect(prepared('(table 65536 funcref) (table 1 funcref)')).toBe('MODULE_INVALID')
    const exported = Array.from({ length: moduleCeilings.exports }, (_, index) => `(export "e${index}" (func $s))`)
    expect(prepared(exported.join(''))).toBe('MODULE_INVALID')
  })
})
