import { opcodeCount, range } from './instructions.ts'

/**
 * What the bits of a NaN on the operand stack depend on. Zero: on the guest's own data, so they are the same everywhere;
 * otherwise the value may be a NaN that arithmetic made, whose bits the specification leaves to the machine, in the shape named.
 */
export const nanShape = { none: 0, f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const

/** Shape of the result of the instructions whose NaNs the machine chooses; zero for all others. */
export const nanResults = new Uint8Array(opcodeCount)

/** How an instruction treats an operand whose NaN bits the machine chose. */
export const nanUse = {
  /** Its result, or something outside, depends on the bits. What no other line of the table names does. */
  observes: 0,
  /** Its result does not depend on which NaN it is given. */
  ignores: 1,
  /** Hands the value on with its bits: the result has the shape of the operand. */
  passes: 2,
  /** As `ignores`, when the operand has this shape; else the bits are seen as other lanes. */
  ignoresF32x4: 3,
  ignoresF64x2: 4,
} as const

export const nanUses = new Uint8Array(opcodeCount)

const f32Arithmetic = [...range(0x8d, 0x97), 0xb6]
const f64Arithmetic = [...range(0x9b, 0xa5), 0xbb]
const f32x4Arithmetic = [...range(0x267, 0x26a), 0x2e3, ...range(0x2e4, 0x2e9)]
const f64x2Arithmetic = [0x274, 0x275, 0x27a, 0x294, 0x2ef, ...range(0x2f0, 0x2f5)]
const demoteZero = 0x25e
const promoteLow = 0x25f

fill(nanResults, nanShape.f32, f32Arithmetic)
fill(nanResults, nanShape.f64, f64Arithmetic)
fill(nanResults, nanShape.f32x4, [...f32x4Arithmetic, demoteZero])
fill(nanResults, nanShape.f64x2, [...f64x2Arithmetic, promoteLow])

// Arithmetic, comparisons, conversions to integers (which trap or answer zero); drop.
fill(nanUses, nanUse.ignores, [...f32Arithmetic, ...f64Arithmetic, ...range(0x5b, 0x66), 0x1a])
fill(nanUses, nanUse.ignores, [...range(0xa8, 0xab), ...range(0xae, 0xb1), ...range(0x100, 0x107)])
// abs and neg change the sign bit and nothing else; select hands on one of two.
fill(nanUses, nanUse.passes, [0x8b, 0x8c, 0x99, 0x9a, 0x1b, 0x1c])
fill(nanUses, nanUse.ignoresF32x4, [...f32x4Arithmetic, promoteLow, ...range(0x241, 0x246), 0x2f8, 0x2f9])
fill(nanUses, nanUse.ignoresF64x2, [...f64x2Arithmetic, demoteZero, ...range(0x247, 0x24c), 0x2fc, 0x2fd])

function fill(table: Uint8Array, value: number, codes: readonly number[]): void {
  for (const code of codes) table[code] = value
}
