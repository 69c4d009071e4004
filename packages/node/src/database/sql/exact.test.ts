import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exp, ln, log10, power } from './exact-math.ts'
import { ExactSum } from './exact-sum.ts'

const sumOf = (values: readonly (number | bigint)[]) => {
  const sum = new ExactSum()
  for (const value of values) sum.add(value)
  return sum.total
}

/** A double as a whole multiple of 2^-1074. */
function multiple(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const bits = view.getBigUint64(0)
  const biased = bits >> 52n
  const fraction = bits & 0xfffffffffffffn
  const size = biased === 0n ? fraction : (fraction | 0x10000000000000n) << (biased - 1n)
  return value < 0 ? -size : size
}

describe('the exact sum', () => {
  it('is the exact one, rounded once', () => {
    const doubles = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(doubles, (values) => {
        const exact = values.reduce((sum, value) => sum + multiple(value), 0n)
        const found = sumOf(values) as number
        const size = exact < 0n ? -exact : exact
        if (!Number.isFinite(found)) {
          expect(size).toBeGreaterThanOrEqual(multiple(Number.MAX_VALUE))
          return
        }
        // No double is nearer, and of two that are equally near it is the even one.
        const distance = (value: number) => {
          const apart = multiple(value) - exact
          return apart < 0n ? -apart : apart
        }
        for (const other of [next(found, 1), next(found, -1)].filter(Number.isFinite))
          expect(distance(found) <= distance(other)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on the order', () => {
    const numbers = fc.array(
      fc.oneof(fc.double({ noNaN: true }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    )
    fc.assert(
      fc.property(numbers, fc.infiniteStream(fc.nat()), (values, stream) => {
        const shuffled = values
          .map((value) => ({ value, rank: stream.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ value }) => value)
        expect(sumOf(shuffled)).toEqual(sumOf(values))
      }),
    )
  })

  it.each<[readonly (number | bigint)[], number | bigint]>([
    [[1e16, 1, -1e16], 1],
    [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 1],
    [[Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE], Number.MAX_VALUE],
    [[Number.MIN_VALUE, Number.MIN_VALUE], 2 * Number.MIN_VALUE],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Number.POSITIVE_INFINITY],
    [[Number.POSITIVE_INFINITY, 1], Number.POSITIVE_INFINITY],
    [[2n ** 62n, 2n ** 62n, -(2n ** 62n)], 2n ** 62n],
    [[1n, 0.5], 1.5],
  ])('of some numbers is known (%#)', (values, total) => {
    expect(sumOf(values)).toBe(total)
  })

  it('holds more additions than a piece may take at once', () => {
    const sum = new ExactSum()
    for (let i = 0; i < 600_000; i++) sum.add(4503599627370495.5)
    expect(sum.total).toBe(4503599627370495.5 * 600_000)
  })
})

function next(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value === 0 ? 0 : value)
  if (value === 0) return direction * Number.MIN_VALUE
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(value > 0 ? direction : -direction))
  return view.getFloat64(0)
}

describe('functions of real numbers', () => {
  const near = (found: number, wanted: number) => {
    expect(Math.abs(found - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 1e-14 + 1e-16)
  }

  it('are near those of the machine', () => {
    const positive = fc.double({ noNaN: true, min: 1e-300, max: 1e300 })
    fc.assert(fc.property(fc.double({ noNaN: true, min: -700, max: 700 }), (x) => near(exp(x), Math.exp(x))))
    fc.assert(fc.property(positive, (x) => near(ln(x), Math.log(x))))
    fc.assert(fc.property(positive, (x) => near(log10(x), Math.log10(x))))
    const base = fc.double({ noNaN: true, min: 0.1, max: 100 })
    fc.assert(fc.property(base, fc.double({ noNaN: true, min: -50, max: 50 }), (a, b) => near(power(a, b), a ** b)))
  })

  it('are exact where the result is', () => {
    for (let n = -300; n <= 300; n++) expect(log10(Number(`1e${n}`))).toBe(n)
    for (let n = -1074; n < 1024; n++) expect(power(2, n)).toBe(multipleOfTwo(n))
    for (let n = 0; n <= 22; n++) expect(power(10, n)).toBe(Number(`1e${n}`))
    expect([exp(0), ln(1), power(9, 0.5), power(-2, 3), power(-2, 2), power(0.25, -0.5)]).toEqual([1, 0, 3, -8, 4, 2])
  })

  it('end where the doubles end', () => {
    expect([exp(710), exp(-746), exp(-Infinity), exp(Infinity)]).toEqual([Infinity, 0, 0, Infinity])
    expect([power(0, -1), power(-0, -1), power(0, 3), power(5, 0), power(10, 400), power(10, -400)]).toEqual([
      Infinity,
      Infinity,
      0,
      1,
      Infinity,
      0,
    ])
    expect([power(-8, 1 / 3), power(-Infinity, 3), power(2, -Infinity), power(0.5, -Infinity)]).toEqual([
      Number.NaN,
      -Infinity,
      0,
      Infinity,
    ])
  })
})

function multipleOfTwo(n: number): number {
  let value = 1
  for (let i = 0; i < Math.abs(n); i++) value = n > 0 ? value * 2 : value / 2
  return value
}

describe('literals in printed statements', () => {
  it('are read by SQLite as the doubles they were', () => {
    const db = new DatabaseSync(':memory:')
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = /[.e]/.test(String(value)) ? String(value) : `${value}.0`
        const { x } = db.prepare(`SELECT ${text} AS x`).get() as { x: number }
        expect(x + 0).toBe(value + 0)
      }),
      { numRuns: 3000 },
    )
    db.close()
  })
})
