import { type ByteReader, malformed } from './byte-reader.ts'
import { valueTypes } from './layout.ts'

/** An instruction as {@link readInstruction} found it. Opcodes with a prefix are `prefix << 8 | number`. */
export interface Instruction {
  opcode: number
  start: number
}

export const opcodes = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  tableInit: 0xfc0c,
  elemDrop: 0xfc0d,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
} as const

type SkipImmediates = (reader: ByteReader, into: Instruction) => void

const skipNothing: SkipImmediates = () => {}
const skipIndex: SkipImmediates = (reader) => reader.skipLeb(32)
const skipBlockType: SkipImmediates = (reader) => reader.skipLeb(33)

/** How the immediates of each one-byte opcode are passed over; nothing for opcodes that are not supported. */
const immediates: readonly (SkipImmediates | undefined)[] = makeTable([
  [[0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1, ...range(0x45, 0xc4)], skipNothing],
  [[0x02, 0x03, 0x04], skipBlockType],
  [[0x0c, 0x0d, 0x10, 0x12, ...range(0x20, 0x26), 0x3f, 0x40, 0x41, 0xd2], skipIndex],
  [range(0x28, 0x3e), memoryArgument],
  [[0x42], (reader) => reader.skipLeb(64)],
  [[0x43], (reader) => reader.skip(4)],
  [[0x44], (reader) => reader.skip(8)],
  [[0x0e], branchTable],
  [[0x11, 0x13], twoIndices],
  [[0x1c], (reader) => void reader.vector(() => knownType(reader))],
  [[0xd0], nullType],
  [[0xfc], bulkInstruction],
  [[0xfd], vectorInstruction],
])

/**
 * Reads one instruction with its immediates (core specification 5.4) from a module that is valid, and refuses what the
 * engine does not run: threads and relaxed SIMD, because their results differ between machines; exception handling,
 * because a guest could catch what the engine throws to end it; garbage collection, because nothing can reset it.
 */
export function readInstruction(reader: ByteReader, into: Instruction): void {
  into.start = reader.at
  into.opcode = reader.u8()
  const skip = immediates[into.opcode]
  if (skip === undefined) throw unsupported(into.opcode, into.start)
  skip(reader, into)
}

function makeTable(entries: readonly (readonly [readonly number[], SkipImmediates])[]): (SkipImmediates | undefined)[] {
  const table = new Array<SkipImmediates | undefined>(256)
  for (const [codes, skip] of entries) for (const code of codes) table[code] = skip
  return table
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function branchTable(reader: ByteReader): void {
  reader.vector(() => reader.skipLeb(32))
  reader.skipLeb(32)
}

function twoIndices(reader: ByteReader): void {
  reader.skipLeb(32)
  reader.skipLeb(32)
}

/** Saturating conversions (0 to 7) have no immediates; `init` and `copy` have two indices, the rest one. */
function bulkInstruction(reader: ByteReader, into: Instruction): void {
  const number = reader.u32()
  if (number > 17) throw malformed(`instruction 0xfc ${number} at byte ${into.start} is not supported`)
  into.opcode = 0xfc00 | number
  if (number <= 7) return
  reader.skipLeb(32)
  if (number === 8 || number === 10 || number === 12 || number === 14) reader.skipLeb(32)
}

function vectorInstruction(reader: ByteReader, into: Instruction): void {
  const number = reader.u32()
  if (number > 0xff) throw malformed(`relaxed SIMD at byte ${into.start} is not supported: results differ by machine`)
  into.opcode = 0xfd00 | number
  const hasLane = (number >= 21 && number <= 34) || (number >= 84 && number <= 91)
  if (number <= 11 || (number >= 84 && number <= 93)) memoryArgument(reader)
  if (number === 12 || number === 13) reader.skip(16)
  if (hasLane) reader.skip(1)
}

function memoryArgument(reader: ByteReader): void {
  const alignment = reader.u32()
  if (alignment >= 0x40) throw malformed(`more than one memory is used at byte ${reader.at}`)
  reader.skipLeb(32)
}

/** Heap types of a null: functions, external references, and the empty types below these two. */
const nullTypes: ReadonlySet<number> = new Set([0x70, 0x6f, 0x73, 0x72])

function nullType(reader: ByteReader): void {
  const code = reader.u8()
  if (!nullTypes.has(code)) throw malformed(`null of type 0x${code.toString(16)} at byte ${reader.at} is not supported`)
}

function knownType(reader: ByteReader): void {
  const code = reader.u8()
  if (!valueTypes.has(code)) throw malformed(`value type 0x${code.toString(16)} at byte ${reader.at} is not supported`)
}

function unsupported(opcode: number, start: number): Error {
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
