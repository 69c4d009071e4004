import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../errors.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { assemble, bumpAlloc } from '../testing/assemble.ts'
import { parseModule } from './parse.ts'

const engine = createEngine()
const handler = '(func (export "start") (param i32) (result i32) (i32.const 0))'
const memory = '(memory (export "memory") 1)'

function problemsOf(wasm: Uint8Array): readonly string[] {
  try {
    engine.prepare(wasm)
    return []
  } catch (error) {
    if (error instanceof EngineError && error.fault.code === 'MODULE_INVALID') return error.fault.problems
    throw error
  }
}

const complaints = (text: string) => problemsOf(assemble(`(module ${text})`))

/** Uses every section that the reader knows. */
const rich = assemble(`(module
  (type $handler (func (param i32) (result i32)))
  (import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "ws_get_data" (func $data (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (table $t 4 funcref)
  (memory (export "memory") 1 10)
  (global $g (mut i64) (i64.const -5))
  (elem $e func $go)
  (data (i32.const 16) "hello")
  (data $passive "later")
  ${bumpAlloc}
  (func $init (global.set $g (i64.const 9)))
  (start $init)
  (func $go (export "start") (type $handler)
    (table.set $t (i32.const 1) (ref.func $go))
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 5))
    (drop (memory.grow (i32.const 1)))
    (drop (f64x2.splat (f64.const 1)))
    (block (br_table 0 0 (local.get 0)))
    (i32.add (memory.size) (call $log (i32.const 4) (i32.const 16) (i32.const 5)))))`)

describe('prepare', () => {
  it('names code, handlers and imports', () => {
    const prepared = engine.prepare(rich)
    expect(prepared.codeHash).toMatch(/^[0-9a-f]{64}$/)
    expect(prepared.handlers).toEqual(['start'])
    expect(prepared.imports).toEqual(['env.ws_log', 'env.ws_get_data', 'wasi_snapshot_preview1.proc_exit'])
  })

  it('writes a module that is valid and depends on the original only', () => {
    const prepared = engine.prepare(rich)
    expect(parseModule(prepared.bytes).start).toBeUndefined()
    expect(createEngine().prepare(rich.slice()).bytes).toEqual(prepared.bytes)
  })

  it('refuses a module cut at any byte', () => {
    for (let length = 0; length < rich.length; length++) expect(problemsOf(rich.subarray(0, length))).not.toEqual([])
  })

  it('accepts or refuses a module with any bytes changed, and the accepted one compiles', () => {
    const change = fc.record({ at: fc.nat(rich.length - 1), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const broken = Uint8Array.from(rich)
        for (const { at, to } of changes) broken[at] = to
        if (problemsOf(broken).length === 0) engine.load(engine.prepare(broken), { mayBlock: false })
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses what is not WebAssembly, and what is too large', () => {
    expect(problemsOf(Buffer.from('hello'))).toHaveLength(1)
    const small = createEngine({ moduleBytes: 100 })
    expect(() => small.prepare(rich)).toThrow(expect.objectContaining({ code: 'MODULE_TOO_LARGE' }))
  })

  it('says everything that is wrong at once', () => {
    const problems = complaints(`
      (import "env" "ws_log" (func (param i32) (result i32)))
      (import "env" "ws_get_data" (func (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "no_such" (func))
      (import "other" "thing" (func))
      (import "env" "g" (global i32))
      (memory 1)
      (func (export "run") (param i64) (result i32) (i32.const 0))`)
    expect(problems).toEqual([
      'the memory is not exported under the name "memory"',
      'import env.ws_log has type (i32) -> i32, wanted (i32, i32, i32) -> i32',
      'import wasi_snapshot_preview1.no_such is unknown',
      'import other.thing is unknown',
      'import env.g is a global; only functions can be imported',
      'no handler: export at least one function (i32) -> i32',
      'export alloc (i32) -> i32 is missing; ws_get_data hand over data',
    ])
  })

  it.each([
    ['no memory', handler],
    ['an imported memory', `(import "env" "memory" (memory 1)) (export "memory" (memory 0)) ${handler}`],
    ['a shared memory', `(memory (export "memory") 1 2 shared) ${handler}`],
    ['a function as memory', `(memory 1) (func (export "memory")) ${handler}`],
    ['two memories', `${memory} (memory $b 1) ${handler}`],
    ['an alloc of another type', `${memory} ${handler} (func (export "alloc") (param i32))`],
    ['alloc alone', `${memory} ${bumpAlloc}`],
    ['a reserved name', `${memory} ${handler} (func (export "w3bstream:pages"))`],
    ['an _initialize with parameters', `${memory} ${handler} (func (export "_initialize") (param i32))`],
    ['a huge table', `${memory} ${handler} (table 1000000 funcref)`],
    ['one name with two types', `(import "env" "x" (func)) (import "env" "x" (func (param i32))) ${memory} ${handler}`],
    ['threads', `${memory} (func (export "start") (param i32) (result i32) (i32.atomic.load (i32.const 0)))`],
    [
      'relaxed SIMD',
      `${memory} (func (export "start") (param i32) (result i32)
        (drop (i8x16.relaxed_swizzle (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))) (i32.const 0))`,
    ],
    ['exceptions', `${memory} (tag $e) (func (export "start") (param i32) (result i32) (throw $e))`],
    [
      'so many locals that there is no room for the counters',
      `${memory} ${handler} (func $f ${'(local i32)'.repeat(49_999)} (call $f))`,
    ],
    ['a memory of 64 bits', `(memory (export "memory") i64 1) ${handler}`],
  ])('refuses %s', (_, text) => {
    expect(complaints(text)).not.toEqual([])
  })

  it('accepts both generations of signatures, and unknown functions of env', () => {
    expect(
      complaints(`
        (import "env" "ws_send_tx" (func (param i32 i32) (result i32)))
        (import "env" "ws_call_contract" (func (param i32 i32 i32 i32) (result i32)))
        (import "env" "mystery" (func (param f32)))
        ${memory} ${bumpAlloc} ${handler}`),
    ).toEqual([])
    expect(
      complaints(`(import "env" "ws_send_tx" (func (param i32 i32 i32) (result i32))) ${memory} ${handler}`),
    ).toEqual([
      'import env.ws_send_tx has type (i32, i32, i32) -> i32, wanted (i32, i32, i32, i32, i32) -> i32 or (i32, i32) -> i32',
    ])
  })
})
