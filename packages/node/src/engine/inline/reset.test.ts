import { describe, expect, it } from 'vitest'
import type { CallLimits, LoadedModule } from '../engine.ts'
import { assemble } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { createEngine } from './inline-engine.ts'

const engine = createEngine()

function load(text: string): LoadedModule {
  return engine.load(engine.prepare(assemble(`(module ${text})`)), { mayBlock: false })
}

function codes(module: LoadedModule, handlers: string[], limits?: Partial<CallLimits>): (number | string)[] {
  return handlers.map((handler) => {
    const outcome = module.call(testCall(handler, new RecordingHost(), { limits }))
    if (outcome instanceof Promise) throw new Error('suspended')
    return outcome.type === 'returned' ? outcome.code : outcome.error
  })
}

describe('every call sees a fresh instance', () => {
  it('brings back memory, globals of every type, and tables', () => {
    const module = load(`
      (memory (export "memory") 2)
      (data (i32.const 70000) "\\07")
      (table $t 2 funcref)
      (elem (i32.const 0) $zero)
      (elem declare func $one)
      (global $a (mut i32) (i32.const 1))
      (global $b (mut i64) (i64.const 0x1122334455667788))
      (global $c (mut f32) (f32.const 1.5))
      (global $d (mut f64) (f64.const -2.5))
      (func $zero (result i32) (i32.const 0))
      (func $one (result i32) (i32.const 1))
      (func (export "start") (param i32) (result i32)
        (local $seen i32)
        (local.set $seen (i32.or
          (i32.or
            (i32.or (i32.ne (global.get $a) (i32.const 1)) (i64.ne (global.get $b) (i64.const 0x1122334455667788)))
            (i32.or (f32.ne (global.get $c) (f32.const 1.5)) (f64.ne (global.get $d) (f64.const -2.5))))
          (i32.or
            (i32.or (i32.ne (i32.load8_u (i32.const 70000)) (i32.const 7)) (i32.load (i32.const 131068)))
            (i32.or (call_indirect $t (result i32) (i32.const 0)) (i32.load (i32.const 0))))))
        (global.set $a (i32.const 5)) (global.set $b (i64.const 5))
        (global.set $c (f32.const nan)) (global.set $d (f64.const nan))
        (i32.store (i32.const 70000) (i32.const 99))
        (i32.store (i32.const 0) (i32.const 99))
        (i32.store (i32.const 131068) (i32.const 99))
        (table.set $t (i32.const 0) (ref.func $one))
        (local.get $seen))`)
    expect(codes(module, ['start', 'start', 'start'])).toEqual([0, 0, 0])
  })

  it('brings back what a trapped call changed', () => {
    const module = load(`
      (memory (export "memory") 1)
      (func (export "crash") (param i32) (result i32) (i32.store (i32.const 8) (i32.const 1)) (unreachable))
      (func (export "look") (param i32) (result i32) (i32.load (i32.const 8)))`)
    expect(codes(module, ['crash', 'look', 'crash', 'look'])).toEqual(['TRAP', 0, 'TRAP', 0])
  })

  it('resets the size of the memory, whether it grew a little or much', () => {
    const module = load(`
      (memory (export "memory") 1)
      (func (export "pages") (param i32) (result i32) (memory.size))
      (func (export "little") (param i32) (result i32)
        (drop (memory.grow (i32.const 2)))
        (i32.store (i32.const 190000) (i32.const 5))
        (memory.size))
      (func (export "much") (param i32) (result i32)
        (drop (memory.grow (i32.const 100)))
        (i32.store (i32.const 6000000) (i32.const 5))
        (memory.size))
      (func (export "look") (param i32) (result i32)
        (drop (memory.grow (i32.const 100)))
        (i32.or (i32.load (i32.const 190000)) (i32.load (i32.const 6000000))))`)
    expect(codes(module, ['pages', 'little', 'look', 'pages', 'much', 'pages', 'look'])).toEqual([
      1, 3, 0, 1, 101, 1, 0,
    ])
  })

  it('holds the memory at the limit of the project and of the module', () => {
    const text = (limits: string) => `
      (memory (export "memory") ${limits})
      (func (export "most") (param i32) (result i32)
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (memory.size))
      (func (export "overflow") (param i32) (result i32) (memory.grow (i32.const -1)))
      (func (export "bomb") (param i32) (result i32)
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (unreachable))`
    const free = load(text('1'))
    expect(codes(free, ['most', 'overflow', 'most', 'bomb', 'most'], { memoryPages: 20 })).toEqual([
      20,
      -1,
      20,
      'MEMORY_LIMIT',
      20,
    ])
    expect(codes(free, ['most'], { memoryPages: 2 })).toEqual([2])
    const bounded = load(text('1 3'))
    expect(codes(bounded, ['most', 'most'])).toEqual([3, 3])
    expect(codes(load(text('30')), ['most'], { memoryPages: 20 })).toEqual(['MEMORY_LIMIT'])
  })

  it('brings back dropped segments, grown tables, and globals that cannot be written from outside', () => {
    const module = load(`
      (memory (export "memory") 1)
      (table $t 1 funcref)
      (data $d "\\05")
      (global $f (mut funcref) (ref.null func))
      (func $x)
      (elem declare func $x)
      (func (export "drop") (param i32) (result i32)
        (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
        (data.drop $d)
        (i32.load8_u (i32.const 0)))
      (func (export "table") (param i32) (result i32)
        (drop (table.grow $t (ref.null func) (i32.const 3)))
        (table.size $t))
      (func (export "global") (param i32) (result i32)
        (local $was i32)
        (local.set $was (ref.is_null (global.get $f)))
        (global.set $f (ref.func $x))
        (local.get $was))`)
    const calls = ['drop', 'drop', 'table', 'table', 'global', 'global']
    expect(codes(module, calls)).toEqual([5, 5, 4, 4, 1, 1])
  })

  it('caps a table that grows', () => {
    const module = load(`
      (memory (export "memory") 1)
      (table $t 1 funcref)
      (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (i32.const 70000)))
      (func (export "some") (param i32) (result i32) (table.grow $t (ref.null func) (i32.const 10)))`)
    expect(codes(module, ['grow', 'some', 'some'])).toEqual([-1, 1, 1])
  })

  it('keeps the state that start section and _initialize made, and repeats what they logged', () => {
    const module = load(`
      (import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))
      (import "env" "ws_set_db" (func $put (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "hello")
      (global $n (mut i32) (i32.const 0))
      (func $begin
        (drop (call $log (i32.const 4) (i32.const 0) (i32.const 5)))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 16)))
        (global.set $n (call $put (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 5))))
      (start $begin)
      (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 100))))
      (func (export "start") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n))
      (func (export "seconds") (param i32) (result i32)
        (i32.wrap_i64 (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000000))))`)
    const host = new RecordingHost()
    const returned = (code: number) => ({ type: 'returned', code, fuel: expect.any(BigInt) })
    expect(module.call(testCall('start', host))).toEqual(returned(100))
    expect(module.call(testCall('start', host))).toEqual(returned(100))
    expect(host.lines.filter((line) => line === '4 wasmCode hello')).toHaveLength(2)
    expect(host.values.size).toBe(0)
    expect(module.call(testCall('seconds', host))).toEqual(returned(1_577_836_800))
    module.evict()
    expect(module.call(testCall('start', host))).toEqual(returned(100))
  })
})
