import { malformed } from './byte-reader.ts'
import { valueTypes } from './layout.ts'

/**
 * Opcodes as {@link InstructionReader} tells them: those of one byte as they are, those behind the prefix 0xfc as
 * `0x100 | number`, vector instructions behind 0xfd as `0x200 | number`. So tables by opcode have {@link opcodeCount} entries.
 */
export const opcodes = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  memoryInit: 0x108,
  dataDrop: 0x109,
  memoryCopy: 0x10a,
  memoryFill: 0x10b,
  tableInit: 0x10c,
  elemDrop: 0x10d,
  tableCopy: 0x10e,
  tableGrow: 0x10f,
  tableFill: 0x111,
} as const

export const opcodeCount = 0x300

/** How the immediates of an opcode are laid out. */
const shape = {
  unsupported: 0,
  none: 1,
  blockType: 2,
  /** One index, also a signed integer of 32 bits, whose value nobody needs. */
  index: 3,
  twoIndices: 4,
  memoryArgument: 5,
  long: 6,
  float: 7,
  double: 8,
  branchTable: 9,
  types: 10,
  nullType: 11,
  prefix: 12,
  bytes16: 13,
  lane: 14,
  memoryAndLane: 15,
} as const

const shapes = shapeTable([
  [shape.none, [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1, ...range(0x45, 0xc4)]],
  [shape.blockType, [0x02, 0x03, 0x04]],
  [shape.index, [0x0c, 0x0d, 0x10, 0x12, ...range(0x20, 0x26), 0x3f, 0x40, 0x41, 0xd2]],
  [shape.memoryArgument, range(0x28, 0x3e)],
  [shape.long, [0x42]],
  [shape.float, [0x43]],
  [shape.double, [0x44]],
  [shape.branchTable, [0x0e]],
  [shape.twoIndices, [0x11, 0x13, 0x108, 0x10a, 0x10c, 0x10e]],
  [shape.types, [0x1c]],
  [shape.nullType, [0xd0]],
  [shape.prefix, [0xfc, 0xfd]],
  [shape.none, range(0x100, 0x107)],
  [shape.index, [0x109, 0x10b, 0x10d, 0x10f, 0x110, 0x111]],
  [shape.none, range(0x20e, 0x2ff)],
  [shape.memoryArgument, [...range(0x200, 0x20b), 0x25c, 0x25d]],
  [shape.bytes16, [0x20c, 0x20d]],
  [shape.lane, range(0x215, 0x222)],
  [shape.memoryAndLane, range(0x254, 0x25b)],
])

/**
 * Walks over instructions (core specification 5.4) of a module that V8 found valid, and refuses what the engine does not
 * run: threads and relaxed SIMD, because their results differ between machines; exception handling, because a guest could
 * catch what the engine throws to end it; garbage collection, because nothing can reset it.
 */
export class InstructionReader {
  readonly #bytes: Uint8Array
  /** Where the next instruction begins. */
  at: number
  opcode = 0
  start = 0
  /** First immediate: label, index, alignment, type of a block (negative: a value type, −64: nothing). */
  first = 0
  /** Second immediate: table, segment, offset of a memory argument. */
  second = 0
  /** Labels of the last `br_table`, the default last. */
  labels: number[] = []

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** @throws EngineError MODULE_INVALID */
  next(): void {
    this.start = this.at
    let opcode = this.#bytes[this.at++]!
    let layout = shapes[opcode]
    if (layout === shape.prefix) {
      const number = this.#u32()
      if (number > 0xff) throw unsupported(opcode, this.start, number)
      opcode = (opcode === 0xfc ? 0x100 : 0x200) | number
      layout = shapes[opcode]
    }
    this.opcode = opcode
    if (layout !== shape.none) this.#immediates(layout)
  }

  #immediates(layout: number | undefined): void {
    switch (layout) {
      case shape.index:
        this.first = this.#u32()
        return
      case shape.memoryArgument:
        this.#memoryArgument()
        return
      case shape.twoIndices:
        this.first = this.#u32()
        this.second = this.#u32()
        return
      case shape.blockType:
        this.first = this.#blockType()
        return
      case shape.long:
        this.#skipLeb()
        return
      case shape.float:
        this.at += 4
        return
      case shape.double:
        this.at += 8
        return
      case shape.branchTable:
        this.#branchTable()
        return
      case shape.types:
        for (let count = this.#u32(); count > 0; count--) this.#valueType(this.#bytes[this.at++]!)
        return
      case shape.nullType:
        this.#nullType()
        return
      case shape.bytes16:
        this.at += 16
        return
      case shape.lane:
        this.at++
        return
      case shape.memoryAndLane:
        this.#memoryArgument()
        this.at++
        return
      default:
        throw unsupported(this.opcode, this.start, this.opcode & 0xff)
    }
  }

  /** The module is valid, so a number ends in time and fits 32 bits; the result is unsigned. */
  #u32(): number {
    const byte = this.#bytes[this.at++]!
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const next = this.#bytes[this.at++]!
      value |= (next & 0x7f) << shift
      if (next < 0x80) break
    }
    return value >>> 0
  }

  #skipLeb(): void {
    while (this.#bytes[this.at++]! >= 0x80);
  }

  #memoryArgument(): void {
    this.first = this.#u32()
    if (this.first >= 0x40) throw malformed(`more than one memory is used at byte ${this.start}`)
    this.second = this.#u32()
  }

  #blockType(): number {
    const byte = this.#bytes[this.at]!
    if (byte >= 0x80 || byte < 0x40) return this.#u32()
    this.at++
    if (byte !== 0x40) this.#valueType(byte)
    return byte - 0x80
  }

  #branchTable(): void {
    const count = this.#u32()
    const labels: number[] = []
    for (let n = 0; n <= count; n++) labels.push(this.#u32())
    this.labels = labels
  }

  #valueType(code: number): void {
    if (valueTypes.has(code)) return
    throw malformed(`value type 0x${code.toString(16)} at byte ${this.start} is not supported`)
  }

  #nullType(): void {
    const code = this.#bytes[this.at++]!
    if (nullTypes.has(code)) return
    throw malformed(`null of type 0x${code.toString(16)} at byte ${this.start} is not supported`)
  }
}

/** Heap types of a null: functions, external references, and the empty types below these two. */
const nullTypes: ReadonlySet<number> = new Set([0x70, 0x6f, 0x73, 0x72])

function shapeTable(entries: readonly (readonly [number, readonly number[]])[]): Uint8Array {
  const table = new Uint8Array(opcodeCount)
  for (const [layout, codes] of entries) for (const code of codes) table[code] = layout
  return table
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function unsupported(opcode: number, start: number, number: number): Error {
  if (opcode === 0xfd || opcode >= 0x200)
    return malformed(`relaxed SIMD at byte ${start} is not supported: results differ by machine`)
  if (opcode === 0xfc || opcode >= 0x100)
    return malformed(`instruction 0xfc ${number} at byte ${start} is not supported`)
  const proposal =
    opcode === 0xfe
      ? 'threads'
      : opcode === 0xfb
        ? 'garbage collection'
        : opcode >= 0x06 && opcode <= 0x1f
          ? 'exception handling or typed references'
          : 'unknown proposal'
  return malformed(`instruction 0x${opcode.toString(16)} at byte ${start} (${proposal}) is not supported`)
}
