/**
 * The sum of numbers without rounding in between, so that it does not depend on their order: the exact sum is rounded once, to
 * the nearest double, ties to even. Doubles are added as whole multiples of 2^-1074, the smallest one there is.
 */
export class ExactSum {
  /** Sum of the doubles' multiples: 32 bits in each piece, the lowest first. A piece holds 2^20 additions exactly. */
  readonly #pieces = new Float64Array(pieceCount)
  #sinceCarry = 0
  #carried = 0n
  #integers = 0n
  #doubles = 0
  #infinite = 0
  count = 0

  add(value: bigint | number): void {
    this.count++
    if (typeof value === 'bigint') {
      this.#integers += value
      return
    }
    this.#doubles++
    if (Number.isFinite(value)) this.#addDouble(value)
    else this.#infinite += value
  }

  /** An integer when only integers were added; NaN when infinities of both signs were. */
  get total(): bigint | number {
    if (this.#doubles === 0) return this.#integers
    if (this.#infinite !== 0) return this.#infinite
    this.#carry()
    return toDouble(this.#carried + (this.#integers << 1074n))
  }

  #addDouble(value: number): void {
    view.setFloat64(0, value)
    const high = view.getUint32(0)
    const low = view.getUint32(4)
    const exponent = (high >>> 20) & 0x7ff
    const mantissa = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000
    const shift = exponent === 0 ? 0 : exponent - 1
    const at = shift >>> 5
    const scale = 2 ** (shift & 31)
    const sign = value < 0 ? -1 : 1
    this.#put(at, low * scale, sign)
    this.#put(at + 1, mantissa * scale, sign)
    if (++this.#sinceCarry >= additionsHeld) this.#carry()
  }

  /** Adds a number below 2^64 with at most 32 significant bits to a piece and the one above it. */
  #put(at: number, value: number, sign: 1 | -1): void {
    const above = Math.floor(value / word)
    this.#pieces[at]! += sign * (value - above * word)
    this.#pieces[at + 1]! += sign * above
  }

  #carry(): void {
    let whole = 0n
    for (let i = pieceCount - 1; i >= 0; i--) whole = (whole << 32n) + BigInt(this.#pieces[i]!)
    this.#carried += whole
    this.#pieces.fill(0)
    this.#sinceCarry = 0
  }
}

/** 2^2046 · 2^53 is the largest multiple there is: 2099 bits, and room for a carry. */
const pieceCount = 68
const word = 2 ** 32
const additionsHeld = 2 ** 18
const view = new DataView(new ArrayBuffer(8))

/** A multiple of 2^-1074 as the nearest double. */
function toDouble(multiple: bigint): number {
  const size = multiple < 0n ? -multiple : multiple
  const bits = size.toString(2).length
  const sign = multiple < 0n ? -1 : 1
  // Up to 53 bits, a double holds the multiple and its product with the smallest double.
  if (bits <= 53) return sign * Number(size) * Number.MIN_VALUE
  const dropped = BigInt(Math.max(0, bits - 64))
  const kept = size >> dropped
  // A bit that stands for all that were dropped keeps them from counting as a tie.
  const sticky = kept << dropped === size ? kept : kept | 1n
  const rounded = Number(sticky)
  const exponent = Number(dropped) - 1074
  // Exact: with more than 53 bits the value is a normal number, or beyond the greatest.
  return sign * rounded * 2 ** exponent
}
