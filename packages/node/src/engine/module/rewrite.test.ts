import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { type WasmFunction, type WasmGlobal, wasm } from '../webassembly.ts'
import { fuelCosts } from './fuel-costs.ts'
import { originalOffsets } from './offsets.ts'
import { parseModule } from './parse.ts'
import { reserved, stopReasons } from './prepared-format.ts'
import { rewriteModule } from './rewrite.ts'

const guests = new URL('../../../test/interop/guests/fixtures/', import.meta.url)

interface Running {
  call(name: string, ...parameters: (number | bigint)[]): unknown
  global(name: string): unknown
  set(name: string, value: number | bigint): void
}

function run(bytes: Uint8Array): Running {
  const imports = { env: { host: () => 1, pair: () => [1, 2] } }
  const { exports } = new wasm.Instance(new wasm.Module(bytes), imports)
  return {
    call: (name, ...parameters) => (exports[name] as WasmFunction)(...(parameters as never[])),
    global: (name) => (exports[name] as WasmGlobal).value,
    set: (name, value) => {
      ;(exports[name] as WasmGlobal).value = value
    },
  }
}

function original(text: string): Running {
  return run(assemble(`(module ${text} (memory (export "memory") 1))`))
}

function prepared(text: string, fuel = 1_000_000_000n, stackBytes = 512 * 1024): Running {
  const module = run(rewriteModule(parseModule(assemble(`(module ${text} (memory (export "memory") 1))`))))
  module.set(reserved.fuel, fuel)
  module.set(reserved.stack, stackBytes)
  return module
}

/** Fuel that a call takes. */
function fuelOf(text: string, ...parameters: number[]): number {
  const module = prepared(text)
  module.call('f', ...parameters)
  return 1_000_000_000 - Number(module.global(reserved.fuel))
}

function trapped(module: Running, name: string, ...parameters: number[]): string {
  try {
    module.call(name, ...parameters)
  } catch (error) {
    if (error instanceof wasm.RuntimeError) return error.message
    throw error
  }
  throw new Error('no trap')
}

describe('fuel', () => {
  it.each([
    ['nothing', '(func (export "f"))', 0],
    ['an addition', '(func (export "f") (result i32) (i32.add (i32.const 1) (i32.const 2)))', 1],
    ['a value thrown away', '(func (export "f") (drop (i32.const 1)))', 1],
    ['a value that a branch leaves behind', '(func (export "f") (block (i32.const 1) (br 0)))', 2],
    ['a division', '(func (export "f") (result i32) (i32.div_u (i32.const 1) (i32.const 2)))', 8],
    [
      'a call of a host function',
      '(import "env" "host" (func $h (result i32))) (func (export "f") (result i32) (call $h))',
      108,
    ],
    ['a call', '(func $g (result i32) (i32.load (i32.const 0))) (func (export "f") (result i32) (call $g))', 9],
    [
      'an indirect call',
      `(table 1 funcref) (elem (i32.const 0) $g) (func $g)
       (func (export "f") (call_indirect (i32.const 0)))`,
      12,
    ],
    ['filled memory', '(func (export "f") (memory.fill (i32.const 0) (i32.const 1) (i32.const 4096)))', 16 + 512],
    ['copied memory', '(func (export "f") (memory.copy (i32.const 0) (i32.const 1) (i32.const 4095)))', 16 + 511],
    ['granted memory', '(func (export "f") (result i32) (memory.grow (i32.const 3)))', 100 + 3 * fuelCosts.page],
    ['refused memory', '(func (export "f") (result i32) (memory.grow (i32.const -1)))', 100],
    [
      'granted entries of a table',
      '(table $t 1 funcref) (func (export "f") (result i32) (table.grow $t (ref.null func) (i32.const 10)))',
      100 + 1 + 40,
    ],
  ])('takes what the table says for %s', (_, text, fuel) => {
    expect(fuelOf(text)).toBe(fuel)
  })

  const branches = `(func (export "f") (param i32)
    (if (local.get 0)
      (then (drop (i32.mul (i32.const 2) (i32.const 3))))
      (else (drop (i32.const 0))))
    (drop (i32.const 0)))`

  it('takes the fuel of the arm that runs', () => {
    expect([fuelOf(branches, 1), fuelOf(branches, 0)]).toEqual([1 + 2 + 1, 1 + 1 + 1])
  })

  it('takes no fuel for what a branch skips', () => {
    const text = `(func (export "f") (param i32)
      (block $out
        (block (br_if $out (local.get 0)) (drop (i32.const 1)))
        (drop (i32.const 2)))
      (drop (i32.const 3)))`
    expect([fuelOf(text, 1), fuelOf(text, 0)]).toEqual([1 + 1, 1 + 1 + 1 + 1])
  })

  const whileLoop = `(func (export "f") (param $n i32)
    (loop $again
      (if (local.get $n)
        (then
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $again)))))`
  const untilLoop = `(func (export "f") (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`
  const callingLoop = `(func $g)
    (func (export "f") (param $n i32)
      (loop $again
        (call $g)
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`

  it.each([
    ['that begin with their condition', whileLoop, (n: number) => (n + 1) * 1 + n * 3],
    ['that end with it', untilLoop, (n: number) => n * 3],
    ['that call', callingLoop, (n: number) => n * (fuelCosts.call + 3)],
  ])('counts rounds of loops %s', (_, text, fuel) => {
    for (const n of [1, 2, 100]) expect(fuelOf(text, n)).toBe(fuel(n))
  })

  it('stops what never ends, at the same point each time', () => {
    const ways = [
      ['(loop (br 0))', ''],
      ['(loop (loop (br 1)))', ''],
      ['(loop (block (br_if 1 (i32.const 1)) (br 0)))', ''],
      ['(loop (br_table 0 0 (i32.const 0)))', ''],
      ['(return_call $f)', ''],
      ['(loop (call $g) (br 0))', '(func $g)'],
    ]
    for (const [body, more] of ways) {
      const left = [0, 1].map(() => {
        const module = prepared(`${more} (func $f (export "f") ${body})`, 10_000n)
        expect(trapped(module, 'f')).toBe('unreachable')
        expect(module.global(reserved.stopped)).toBe(stopReasons.fuel)
        return module.global(reserved.fuel)
      })
      expect(left[0]).toBe(left[1])
      expect(left[0]).toBeLessThan(0n)
    }
  })

  it('keeps the count when the guest traps in a loop', () => {
    const text = `(func (export "f") (param $n i32)
      (loop $again
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (drop (i32.div_u (i32.const 1) (local.get $n)))
        (br_if $again (i32.const 1))))`
    const module = prepared(text, 10_000n)
    expect(trapped(module, 'f', 7)).toBe('divide by zero')
    expect(module.global(reserved.stopped)).toBe(0)
    expect(module.global(reserved.fuel)).toBe(10_000n - 7n * 12n)
  })

  it('takes it for host functions, and stops there too', () => {
    const module = prepared('(func (export "f"))', 1000n)
    module.call(reserved.charge, 900)
    expect(module.global(reserved.fuel)).toBe(100n)
    expect(trapped(module, reserved.charge, -1)).toBe('unreachable')
    expect(module.global(reserved.stopped)).toBe(stopReasons.fuel)
  })

  it('stops bulk operations before they begin', () => {
    const module = prepared(
      `(func (export "f") (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)))
       (func (export "look") (result i32) (i32.load (i32.const 0)))`,
      1000n,
    )
    expect(trapped(module, 'f')).toBe('unreachable')
    module.set(reserved.fuel, 1000n)
    expect(module.call('look')).toBe(0)
  })
})

describe('stack', () => {
  const ways = `
    (table 1 funcref) (elem (i32.const 0) $g)
    (func $f (export "end") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
    (func $g (export "return") (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
      (drop (call $f (i32.const 1)))
      (return (call $f (local.get 0))))
    (func (export "branch") (param i32) (result i32)
      (drop (br_if 0 (i32.const 6) (local.get 0)))
      (call $f (i32.const 1)))
    (func (export "table") (param i32) (result i32)
      (block $a (block $b (br_table $a $b $a (local.get 0))) (return (call $f (i32.const 2))))
      (call $f (i32.const 3)))
    (func (export "tail") (param i32) (result i32)
      (drop (call $f (i32.const 1)))
      (return_call $g (local.get 0)))
    (func (export "tailTable") (param i32) (result i32)
      (drop (call $f (i32.const 1)))
      (return_call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
    (func $two (export "two") (param i32) (result i32 f64)
      (drop (call $f (i32.const 1)))
      (br_if 0 (i32.const 1) (f64.const 2) (local.get 0))
      (return (i32.const 3) (f64.const 4)))`

  it('is given back on every way out of a function', () => {
    const module = prepared(ways)
    const plain = original(ways)
    for (const name of ['end', 'return', 'branch', 'table', 'tail', 'tailTable', 'two'])
      for (const parameter of [0, 1, 2, 9]) {
        expect([name, module.call(name, parameter)]).toEqual([name, plain.call(name, parameter)])
        expect([name, module.global(reserved.stack)]).toEqual([name, 512 * 1024])
      }
  })

  it('stops endless recursion, at the same depth each time', () => {
    const text = `
      (global $depth (mut i32) (i32.const 0)) (export "depth" (global $depth))
      (func $f (export "f") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $f))`
    const module = prepared(text, 1_000_000n, 144 * 1000 + 100)
    expect(trapped(module, 'f')).toBe('unreachable')
    expect(module.global(reserved.stopped)).toBe(stopReasons.stack)
    expect(module.global('depth')).toBe(1000)
  })

  it('counts locals, also of functions that call nothing', () => {
    const text = `(func (export "f") ${'(local i64) '.repeat(1000)})`
    expect(trapped(prepared(text, 1000n, 8000), 'f')).toBe('unreachable')
    expect(prepared(text, 1000n, 8200).call('f')).toBeUndefined()
  })
})

describe('canonical NaNs', () => {
  const canonical = { f32: 0x7fc0_0000, f64: 0x7ff8_0000_0000_0000n }
  const negative = '(f64.const -nan:0x8000000000123)'
  /** `sqrt(−1)` and sums with NaNs: on x86 their sign bit is set. */
  const made = '(f64.sqrt (f64.const -1))'

  it.each([
    ['stores', `(f64.store (i32.const 0) ${made}) (i64.load (i32.const 0))`],
    ['reinterpretation', `(i64.reinterpret_f64 ${made})`],
    ['sums with a NaN', `(i64.reinterpret_f64 (f64.add ${negative} (f64.const 1)))`],
    ['the sign of a NaN', `(i64.reinterpret_f64 (f64.copysign (f64.const nan) ${made}))`],
    ['locals', `(local.set $x ${made}) (f64.store (i32.const 0) (local.get $x)) (i64.load (i32.const 0))`],
    ['parameters', `(call $bits ${made})`],
    ['results', '(i64.reinterpret_f64 (call $make))'],
    ['results of blocks', `(i64.reinterpret_f64 (block (result f64) (br_if 0 ${made} (i32.const 1))))`],
    ['results of if', `(i64.reinterpret_f64 (if (result f64) (i32.const 1) (then ${made}) (else (f64.const 1))))`],
    ['a choice', `(i64.reinterpret_f64 (select ${made} (f64.const 1) (i32.const 1)))`],
    ['globals', `(global.set $g ${made}) (i64.reinterpret_f64 (global.get $g))`],
    ['lanes', `(i64x2.extract_lane 1 (f64x2.sqrt (v128.const f64x2 -1 -1)))`],
    ['lanes of a scalar', `(i64x2.extract_lane 0 (f64x2.splat ${made}))`],
    [
      'a chain of vectors',
      '(i64x2.extract_lane 0 (f64x2.add (f64x2.sqrt (v128.const f64x2 -1 -1)) (v128.const f64x2 1 1)))',
    ],
  ])('are what %s show', (_, body) => {
    const module = prepared(`
      (global $g (mut f64) (f64.const 0))
      (func $bits (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
      (func $make (result f64) ${made})
      (func (export "f") (result i64) (local $x f64) ${body})`)
    expect(BigInt.asUintN(64, module.call('f') as bigint)).toBe(canonical.f64)
  })

  it('are what a loop shows that makes the NaN in an earlier round', () => {
    const module = prepared(`(func (export "f") (result i64)
      (local $x f64) (local $n i32)
      (loop $again
        (f64.store (i32.const 0) (local.get $x))
        (local.set $x ${made})
        (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 2))))
      (i64.load (i32.const 0)))`)
    expect(module.call('f')).toBe(canonical.f64)
  })

  it('are what 32 bits and mixed shapes show', () => {
    const module = prepared(`
      (func (export "f") (result i32) (i32.reinterpret_f32 (f32.demote_f64 ${negative})))
      (func (export "v") (result i32)
        (i32x4.extract_lane 2 (f32x4.sqrt (v128.const f32x4 -1 -1 -1 -1))))
      (func (export "mixed") (result i64)
        (i64x2.extract_lane 0 (f64x2.abs (f32x4.sqrt (v128.const f32x4 -1 -1 -1 -1)))))`)
    expect(module.call('f')).toBe(canonical.f32)
    expect(module.call('v')).toBe(canonical.f32)
    expect(module.call('mixed')).toBe(0x7fc0_0000_7fc0_0000n)
  })

  it('are what arithmetic on lanes of another width is given', () => {
    const module = prepared(`(func (export "f") (result i32)
      (v128.store (i32.const 0) (v128.const i64x2 0x7ff8000012345678 0))
      (i32x4.extract_lane 0 (f32x4.add
        (f64x2.add (v128.load (i32.const 0)) (v128.const f64x2 1 1))
        (v128.const f32x4 0 0 0 0))))`)
    expect(module.call('f')).toBe(0)
  })

  it('leave the bits of loads, constants and parameters alone', () => {
    const bits = 0xfff4_0000_0000_0123n
    const module = prepared(`
      (func $through (param f64) (result f64) (local f64) (local.set 1 (local.get 0)) (local.get 1))
      (func (export "f") (param i64) (result i64)
        (i64.store (i32.const 0) (local.get 0))
        (f64.store (i32.const 8) (call $through (f64.neg (f64.neg (f64.load (i32.const 0))))))
        (drop (f64.sqrt (f64.const 2)))
        (i64.load (i32.const 8)))`)
    expect(BigInt.asUintN(64, module.call('f', bits) as bigint)).toBe(bits)
  })
})

describe('tables', () => {
  it('grow up to the limit', () => {
    const module = prepared(`(table $t 2 funcref) (table $u 1 100 externref)
      (func (export "t") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
      (func (export "u") (param i32) (result i32) (table.grow $u (ref.null extern) (local.get 0)))`)
    module.set(reserved.tableEntries, 10)
    expect([module.call('t', 8), module.call('t', 0)]).toEqual([2, 10])
    expect(module.global(reserved.tableRefused)).toBe(0)
    expect([module.call('t', 1), module.call('t', -1), module.call('u', 10)]).toEqual([-1, -1, -1])
    expect(module.global(reserved.tableRefused)).toBe(1)
    expect(module.call('u', 9)).toBe(1)
  })
})

describe('the rewritten module', () => {
  it('behaves as the original where blocks have parameters and calls many results', () => {
    const text = `
      (import "env" "pair" (func $pair (result i32 i32)))
      (func (export "params") (param i32) (result i32)
        (local.get 0) (i32.const 3)
        (if (param i32 i32) (result i32) (local.get 0) (then (i32.add)) (else (i32.mul))))
      (func (export "loop") (param i32) (result i32)
        (i32.const 0)
        (loop $l (param i32) (result i32)
          (i32.add (local.get 0))
          (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "store") (param i32) (result i32)
        (call $pair) (i32.store) (i32.load (i32.const 1)))
      (func (export "dead") (param i32) (result i32)
        (block (br 0) (drop (memory.grow (i32.const 1))) (return (i32.const 1)))
        (unreachable) (drop (f64.sqrt (f64.const 1))) (i32.const 0))
      (func (export "vectors") (param i32) (result i32)
        (v128.store (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31
          (i32x4.splat (local.get 0)) (v128.const i32x4 1 2 3 4)))
        (i32.trunc_sat_f64_s (f64.load (i32.const 8))))`
    const [before, after] = [original(text), prepared(text)]
    for (const name of ['params', 'loop', 'store', 'vectors'])
      for (const parameter of [1, 2, 5]) expect(after.call(name, parameter)).toBe(before.call(name, parameter))
    expect(trapped(after, 'dead', 0)).toBe(trapped(before, 'dead', 0))
  })

  it('is valid where a NaN becomes canonical right before an instruction that is replaced', () => {
    const module = prepared(`
      (func $g (param f64 i32) (result i64) (i64.reinterpret_f64 (local.get 0)))
      (func (export "f") (result i64) (call $g (f64.sqrt (f64.const -1)) (memory.size)))`)
    expect(module.call('f')).toBe(0x7ff8_0000_0000_0000n)
  })

  it.each(readdirSync(guests))('is valid for %s', (file) => {
    expect(wasm.validate(rewriteModule(parseModule(readFileSync(new URL(file, guests)))))).toBe(true)
  })
})

describe('originalOffsets', () => {
  it('finds the instruction that trapped', () => {
    const text = `(module (memory (export "memory") 1)
      (func $g (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $f (export "f") (param i32) (result i32)
        (loop (drop (call $g (local.get 0))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0)) (i32.const 0)))`
    const bytes = assemble(text)
    const frames = (running: Running): number[] => {
      try {
        running.call('f', 3)
      } catch (error) {
        return [...(error as Error).stack!.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, hex]) =>
          Number.parseInt(hex!, 16),
        )
      }
      return []
    }
    const wanted = frames(run(bytes))
    const module = run(rewriteModule(parseModule(bytes)))
    module.set(reserved.fuel, 1_000_000n)
    module.set(reserved.stack, 100_000)
    const map = originalOffsets(bytes)
    expect(wanted).toHaveLength(2)
    expect(frames(module).map(map)).toEqual(wanted)
    expect(map(0)).toBeUndefined()
  })
})
