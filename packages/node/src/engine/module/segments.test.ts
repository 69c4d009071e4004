import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { type WasmFunction, type WasmGlobal, wasm } from '../webassembly.ts'
import { fuelCosts } from './fuel-costs.ts'
import { parseModule } from './parse.ts'
import { reserved } from './prepared-format.ts'
import { rewriteModule } from './rewrite.ts'

/** A program whose cost can be counted by walking through it: every condition is the next bit of its input. */
type Step =
  | { kind: 'work' | 'call' | 'return' }
  | { kind: 'block' | 'loop'; body: Step[] }
  | { kind: 'if'; yes: Step[]; no: Step[] }
  /** Out of this many blocks, always or if the next bit is set; a loop it would repeat is left by the end of the input. */
  | { kind: 'br' | 'br_if'; depth: number }

const { steps } = fc.letrec<{ step: Step; steps: Step[] }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<Step>({ kind: 'work' }, { kind: 'call' }),
    fc.record({ kind: fc.constantFrom('br', 'br_if'), depth: fc.nat(6) }) as fc.Arbitrary<Step>,
    fc.record({ kind: fc.constantFrom('block', 'loop'), body: tie('steps') }) as fc.Arbitrary<Step>,
    fc.record({ kind: fc.constant('if'), yes: tie('steps'), no: tie('steps') }) as fc.Arbitrary<Step>,
    fc.constant<Step>({ kind: 'return' }),
  ),
  steps: fc.array(tie('step'), { maxLength: 5 }),
}))

/** Shifts the input by a bit and leaves that bit. When none are left the program returns, which ends every loop. */
const nextBit = `(if (i64.eqz (local.get $bits)) (then (return)))
  (local.set $bit (i32.wrap_i64 (i64.and (local.get $bits) (i64.const 1))))
  (local.set $bits (i64.shr_u (local.get $bits) (i64.const 1)))`
const bitCost = 2
const shiftCost = 3 + 2

function print(steps: readonly Step[], depth: number): string {
  return steps.map((step) => printStep(step, depth)).join(' ')
}

function printStep(step: Step, depth: number): string {
  switch (step.kind) {
    case 'work':
      return '(drop (i32.const 7))'
    case 'call':
      return '(call $leaf)'
    case 'return':
      return '(return)'
    case 'block':
      return `(block ${print(step.body, depth + 1)})`
    case 'loop':
      return `(loop ${nextBit} ${print(step.body, depth + 1)})`
    case 'if':
      return `${nextBit}
        (if (local.get $bit) (then ${print(step.yes, depth + 1)}) (else ${print(step.no, depth + 1)}))`
    case 'br':
      return `(br ${step.depth % (depth + 1)})`
    case 'br_if':
      return `${nextBit} (br_if ${step.depth % (depth + 1)} (local.get $bit))`
  }
}

/** Runs a program by its tree. */
class Walker {
  fuel = 0
  #bits: bigint

  constructor(bits: bigint) {
    this.#bits = bits
  }

  /** @returns how many blocks to leave, this one included; 0: none */
  run(steps: readonly Step[], depth: number): number {
    for (const step of steps) {
      const leave = this.#step(step, depth)
      if (leave > 0) return leave
    }
    return 0
  }

  #step(step: Step, depth: number): number {
    const all = depth + 1
    switch (step.kind) {
      case 'work':
        this.fuel += 1
        return 0
      case 'call':
        this.fuel += fuelCosts.call + 1
        return 0
      case 'return':
        this.fuel += 1
        return all
      case 'block':
        return Math.max(0, this.run(step.body, depth + 1) - 1)
      case 'loop':
        return this.#loop(step.body, depth)
      case 'if': {
        const bit = this.#next()
        if (bit === undefined) return all
        this.fuel += 1
        return Math.max(0, this.run(bit ? step.yes : step.no, depth + 1) - 1)
      }
      case 'br':
      case 'br_if': {
        const bit = step.kind === 'br' ? true : this.#next()
        if (bit === undefined) return all
        this.fuel += 1
        return bit ? (step.depth % all) + 1 : 0
      }
    }
  }

  #loop(body: readonly Step[], depth: number): number {
    for (;;) {
      if (this.#next() === undefined) return depth + 1
      const leave = this.run(body, depth + 1)
      if (leave !== 1) return Math.max(0, leave - 1)
    }
  }

  #next(): boolean | undefined {
    this.fuel += bitCost
    if (this.#bits === 0n) {
      this.fuel += 1
      return undefined
    }
    this.fuel += shiftCost
    const bit = (this.#bits & 1n) === 1n
    this.#bits >>= 1n
    return bit
  }
}

function fuelOf(program: readonly Step[], inputs: readonly bigint[]): number[] {
  const text = `(module (memory (export "memory") 1) (func $leaf (drop (i32.const 1)))
    (func (export "f") (param $bits i64) (local $bit i32) ${print(program, 0)}))`
  const bytes = rewriteModule(parseModule(assemble(text)))
  const { exports } = new wasm.Instance(new wasm.Module(bytes), {})
  const fuel = exports[reserved.fuel] as WasmGlobal
  const stack = exports[reserved.stack] as WasmGlobal
  return inputs.map((input) => {
    fuel.value = 1_000_000n
    stack.value = 100_000
    ;(exports.f as WasmFunction as (bits: bigint) => void)(input)
    expect(stack.value).toBe(100_000)
    return 1_000_000 - Number(fuel.value)
  })
}

it('takes for every way through a function what its instructions cost', () => {
  const inputs = fc.array(fc.bigInt({ min: 0n, max: (1n << 20n) - 1n }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(steps, inputs, (program, bits) => {
      const expected = bits.map((input) => {
        const walker = new Walker(input)
        walker.run(program, 0)
        return walker.fuel
      })
      expect(fuelOf(program, bits)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})
