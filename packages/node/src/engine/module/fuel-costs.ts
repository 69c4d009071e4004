import { opcodeCount, range } from './instructions.ts'

/** What execution costs, in units of fuel; the meaning of each row is in `docs/spec/fuel.md`. Part of the engine's version. */
export const fuelCosts = {
  /** Entering a function: frame, stack count, arguments. */
  call: 8,
  callIndirect: 12,
  /** Leaving the guest for a host function, before what the function itself charges. */
  hostCall: 100,
  /** Bulk memory operations, beside {@link bytesPerUnit}. */
  bulk: 16,
  /** Bytes that a bulk operation fills or copies for one unit, rounded down. */
  bytesPerUnit: 8,
  /** A page of memory that is granted: it is filled with zeros. */
  page: 8192,
  /** An entry of a table that is granted, filled or copied. */
  tableEntry: 4,
} as const

const one = 1

/**
 * Constants and reads of locals: part of the instruction that uses them. What discards a value pays one unit for it, so that
 * no code is free: `drop`, and every value that a branch leaves behind.
 */
const free: readonly number[] = [0x20, ...range(0x41, 0x44), 0x20c]

/** Classes of instructions whose cost is not {@link one}. */
const classes: readonly (readonly [number, readonly number[]])[] = [
  // nop, block, loop, else, end: no machine code
  [0, [0x01, 0x02, 0x03, 0x05, 0x0b]],
  [4, [0x0e]],
  [fuelCosts.call, [0x10, 0x12]],
  [fuelCosts.callIndirect, [0x11, 0x13]],
  [4, [0x25, 0x26, 0xd2]],
  [100, [0x40, 0x10f]],
  [fuelCosts.bulk, [0x108, 0x10a, 0x10b, 0x10c, 0x10e, 0x111]],
  // integer division and remainder
  [8, range(0x6d, 0x70)],
  [16, range(0x7f, 0x82)],
  // float: ceil, floor, trunc, nearest, min, max, copysign
  [2, [...range(0x8d, 0x90), ...range(0x96, 0x98), ...range(0x9b, 0x9e), ...range(0xa4, 0xa6)]],
  // float: square root and division
  [8, [0x91, 0x95, 0x9f, 0xa3]],
  // conversions between integers and floats
  [2, [...range(0xa8, 0xab), ...range(0xae, 0xb5), ...range(0xb7, 0xba), ...range(0x100, 0x107)]],
  // vectors
  [2, range(0x200, 0x2ff)],
  [1, [0x200, 0x20b, ...range(0x24d, 0x252)]],
  [4, [0x262, 0x282, 0x2d5, ...range(0x2f8, 0x2ff)]],
  [8, [0x2e3, 0x2e7, 0x2ef, 0x2f3]],
  [0, free],
]

/** Cost of each instruction by opcode; a call of an imported function costs {@link fuelCosts.hostCall} more. */
export const instructionCosts: Uint8Array = new Uint8Array(opcodeCount).fill(one)
for (const [cost, codes] of classes) for (const code of codes) instructionCosts[code] = cost
