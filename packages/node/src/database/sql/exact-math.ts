/**
 * exp, ln, log10 and power of doubles, computed in whole numbers and rounded once: the same on every machine, where the
 * functions of mathematical libraries differ in the last digit.
 */

/** Bits behind the point. A double has 53, an exponent at most 11; the rest is beyond any error that comes together here. */
const scale = 256n
const one = 1n << scale
const view = new DataView(new ArrayBuffer(8))

/** e^x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  if (x > 710) return Number.POSITIVE_INFINITY
  if (x < -746) return 0
  return expOf(fixed(x))
}

/** Natural logarithm of a positive number. */
export function ln(x: number): number {
  return x === Number.POSITIVE_INFINITY ? x : toDouble(lnOf(x), -scale)
}

/** Logarithm to base 10 of a positive number. */
export function log10(x: number): number {
  return x === Number.POSITIVE_INFINITY ? x : toDouble((lnOf(x) << scale) / ln10, -scale)
}

/** a^b as IEEE 754 `pow`; NaN where that has no real value. Zeros have no sign. */
export function power(a: number, b: number): number {
  if (b === 0 || a === 1) return 1
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN
  const odd = Number.isInteger(b) && Math.abs(b) < 2 ** 53 && Math.abs(b) % 2 === 1
  if (a === 0) return b > 0 ? 0 : Number.POSITIVE_INFINITY
  if (!Number.isFinite(a) || !Number.isFinite(b)) return infinitePower(a, b, odd)
  if (a < 0 && !Number.isInteger(b)) return Number.NaN
  const sign = a < 0 && odd ? -1 : 1
  const exponent = (lnOf(Math.abs(a)) * fixed(b)) >> scale
  if (exponent > 710n * one) return sign * Number.POSITIVE_INFINITY
  return exponent < -746n * one ? 0 : sign * expOf(exponent)
}

function infinitePower(a: number, b: number, odd: boolean): number {
  if (!Number.isFinite(b)) {
    const size = Math.abs(a)
    if (size === 1) return 1
    return size > 1 === b > 0 ? Number.POSITIVE_INFINITY : 0
  }
  if (b < 0) return 0
  return a < 0 && odd ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

/** e^x = 2^k · e^r with r below ln 2. */
function expOf(x: bigint): number {
  const k = floorDivide(x, ln2)
  const r = x - k * ln2
  let term = one
  let sum = one
  for (let n = 1n; term > 0n; n++) {
    term = (term * r) / (n << scale)
    sum += term
  }
  return toDouble(sum, k - scale)
}

/** ln x = k · ln 2 + ln m with m from 1 to 2; ln m = 2 · artanh((m − 1) / (m + 1)). */
function lnOf(x: number): bigint {
  const { mantissa, exponent } = parts(x)
  const bits = BigInt(mantissa.toString(2).length)
  const m = mantissa << (scale - bits + 1n)
  return (BigInt(exponent) + bits - 1n) * ln2 + 2n * artanh(((m - one) << scale) / (m + one))
}

function artanh(y: bigint): bigint {
  const square = (y * y) >> scale
  let power = y
  let sum = y
  for (let n = 3n; power > 0n; n += 2n) {
    power = (power * square) >> scale
    sum += power / n
  }
  return sum
}

const ln2 = 2n * artanh(one / 3n)
const ln10 = lnOf(10)

/** A finite number as a multiple of 2^-256; what is below is cut. */
function fixed(x: number): bigint {
  const { mantissa, exponent } = parts(Math.abs(x))
  const shift = BigInt(exponent) + scale
  const size = shift >= 0n ? mantissa << shift : mantissa >> -shift
  return x < 0 ? -size : size
}

/** x = mantissa · 2^exponent, for a finite number that is not negative. */
function parts(x: number): { mantissa: bigint; exponent: number } {
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = bits & 0xfffffffffffffn
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 }
}

/** The double nearest to value · 2^exponent, ties to even; below the normal numbers their spacing is coarser. */
function toDouble(value: bigint, exponent: bigint): number {
  if (value === 0n) return 0
  const size = value < 0n ? -value : value
  const bits = BigInt(size.toString(2).length)
  const lowest = bits + exponent - 53n < -1074n ? -1074n : bits + exponent - 53n
  const drop = lowest - exponent
  const rounded = drop <= 0n ? size << -drop : roundHalfEven(size, drop)
  // In two steps: 2^lowest alone may be smaller than any double's own unit, or the product larger than the greatest.
  const half = lowest / 2n
  const result = Number(rounded) * 2 ** Number(half) * 2 ** Number(lowest - half)
  return value < 0n ? -result : result
}

function roundHalfEven(value: bigint, drop: bigint): bigint {
  const down = value >> drop
  const rest = value - (down << drop)
  const half = 1n << (drop - 1n)
  return rest > half || (rest === half && (down & 1n) === 1n) ? down + 1n : down
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
