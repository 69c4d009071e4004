import { range } from '../../module/instructions.ts'

/** Value types by a letter: i32, i64, f32, f64, v128, funcref, externref. */
export type Letter = 'i' | 'I' | 'f' | 'F' | 'v' | 'r' | 'x'

export const codeOf: Readonly<Record<Letter, number>> = {
  i: 0x7f,
  I: 0x7e,
  f: 0x7d,
  F: 0x7c,
  v: 0x7b,
  r: 0x70,
  x: 0x6f,
}

/** What is known of the NaNs in an instruction's result. */
export type NanKind =
  | 'none'
  /** The machine chooses their bits. */
  | 'made'
  /** They have bits that no arithmetic made, or another sign than the canonical NaN. */
  | 'kept'

export interface Operation {
  readonly params: readonly Letter[]
  readonly result: Letter
  /** The instruction without lanes. */
  readonly code: readonly number[]
  readonly nans: NanKind
  /** Traps for many operands: division, conversion without saturation. */
  readonly traps: boolean
  /** Lanes of the result, where it is a vector with NaNs that arithmetic made. */
  readonly lanes: 'f' | 'F'
  /** Numbers of lanes that follow the instruction, and the bound of each. */
  readonly laneCount: number
  readonly laneBound: number
}

/** A load or store and how it is laid out. */
export interface Access {
  readonly code: readonly number[]
  /** What is loaded or stored. */
  readonly type: Letter
  /** Logarithm of the natural alignment. */
  readonly alignment: number
  /** Of lanes to choose from, for those that move one lane of a vector; else 0. */
  readonly lanes: number
}

const scalarRows: readonly (readonly [params: string, result: Letter, codes: readonly number[]])[] = [
  ['i', 'i', [0x45, ...range(0x67, 0x69), 0xc0, 0xc1]],
  ['ii', 'i', [...range(0x46, 0x4f), ...range(0x6a, 0x78)]],
  ['I', 'i', [0x50, 0xa7]],
  ['II', 'i', range(0x51, 0x5a)],
  ['ff', 'i', range(0x5b, 0x60)],
  ['FF', 'i', range(0x61, 0x66)],
  ['I', 'I', [...range(0x79, 0x7b), ...range(0xc2, 0xc4)]],
  ['II', 'I', range(0x7c, 0x8a)],
  ['f', 'f', range(0x8b, 0x91)],
  ['ff', 'f', range(0x92, 0x98)],
  ['F', 'F', range(0x99, 0x9f)],
  ['FF', 'F', range(0xa0, 0xa6)],
  ['f', 'i', [0xa8, 0xa9, 0xbc, 0x100, 0x101]],
  ['F', 'i', [0xaa, 0xab, 0x102, 0x103]],
  ['i', 'I', [0xac, 0xad]],
  ['f', 'I', [0xae, 0xaf, 0x104, 0x105]],
  ['F', 'I', [0xb0, 0xb1, 0xbd, 0x106, 0x107]],
  ['i', 'f', [0xb2, 0xb3, 0xbe]],
  ['I', 'f', [0xb4, 0xb5]],
  ['F', 'f', [0xb6]],
  ['i', 'F', [0xb7, 0xb8]],
  ['I', 'F', [0xb9, 0xba, 0xbf]],
  ['f', 'F', [0xbb]],
]

const vectorRows: typeof scalarRows = [
  [
    'v',
    'v',
    [
      ...[0x4d, 0x60, 0x61, 0x62, 0x80, 0x81, 0xa0, 0xa1, 0xc0, 0xc1, 0xe0, 0xe1, 0xe3, 0xec, 0xed, 0xef],
      ...[0x74, 0x75, 0x7a, 0x94, 0x5e, 0x5f],
      ...range(0x67, 0x6a),
      ...range(0x7c, 0x7f),
      ...range(0x87, 0x8a),
      ...range(0xa7, 0xaa),
      ...range(0xc7, 0xca),
      ...range(0xf8, 0xff),
    ],
  ],
  [
    'vv',
    'v',
    [
      ...[0x0e, 0x65, 0x66, 0x7b, 0x82, 0x85, 0x86, 0x9b, 0xae, 0xb1, 0xce, 0xd1, 0xd5],
      ...range(0x23, 0x4c),
      ...range(0x4e, 0x51),
      ...range(0x6e, 0x73),
      ...range(0x76, 0x79),
      ...range(0x8e, 0x93),
      ...range(0x95, 0x99),
      ...range(0x9c, 0x9f),
      ...range(0xb5, 0xba),
      ...range(0xbc, 0xbf),
      ...range(0xd6, 0xdf),
      ...range(0xe4, 0xeb),
      ...range(0xf0, 0xf7),
    ],
  ],
  ['vvv', 'v', [0x52]],
  ['v', 'i', [0x53, 0x63, 0x64, 0x83, 0x84, 0xa3, 0xa4, 0xc3, 0xc4]],
  ['vi', 'v', [...range(0x6b, 0x6d), ...range(0x8b, 0x8d), ...range(0xab, 0xad), ...range(0xcb, 0xcd)]],
  ['i', 'v', [0x0f, 0x10, 0x11]],
  ['I', 'v', [0x12]],
  ['f', 'v', [0x13]],
  ['F', 'v', [0x14]],
]

const laneRows: readonly (readonly [params: string, result: Letter, codes: readonly number[], bound: number])[] = [
  ['v', 'i', [0x15, 0x16], 16],
  ['vi', 'v', [0x17], 16],
  ['v', 'i', [0x18, 0x19], 8],
  ['vi', 'v', [0x1a], 8],
  ['v', 'i', [0x1b], 4],
  ['vi', 'v', [0x1c], 4],
  ['v', 'I', [0x1d], 2],
  ['vI', 'v', [0x1e], 2],
  ['v', 'f', [0x1f], 4],
  ['vf', 'v', [0x20], 4],
  ['v', 'F', [0x21], 2],
  ['vF', 'v', [0x22], 2],
]

const madeScalar: ReadonlySet<number> = new Set([...range(0x8d, 0x97), ...range(0x9b, 0xa5), 0xb6, 0xbb])
const keptScalar: ReadonlySet<number> = new Set([0x8b, 0x8c, 0x98, 0x99, 0x9a, 0xa6, 0xbe, 0xbf])
const madeSingles: ReadonlySet<number> = new Set([...range(0x67, 0x6a), 0xe3, ...range(0xe4, 0xe9), 0x5e])
const madeDoubles: ReadonlySet<number> = new Set([0x74, 0x75, 0x7a, 0x94, 0xef, ...range(0xf0, 0xf5), 0x5f])
const vectorPrefix = 0xfd

/** The bytes of an opcode behind the prefix of vectors. */
function vectorCode(number: number): number[] {
  return number < 0x80 ? [vectorPrefix, number] : [vectorPrefix, number & 0xff, 1]
}

function letters(text: string): Letter[] {
  return [...text] as Letter[]
}

function scalarNans(code: number): NanKind {
  return madeScalar.has(code) ? 'made' : keptScalar.has(code) ? 'kept' : 'none'
}

const trapping: ReadonlySet<number> = new Set([
  ...range(0x6d, 0x70),
  ...range(0x7f, 0x82),
  ...range(0xa8, 0xab),
  ...range(0xae, 0xb1),
])

const plain = { traps: false, lanes: 'f', laneCount: 0, laneBound: 0 } as const

/** Every instruction that makes a value of values: numeric, conversions, vectors. */
export const operations: readonly Operation[] = [
  ...scalarRows.flatMap(([params, result, codes]) =>
    codes.map((code) => ({
      ...plain,
      params: letters(params),
      result,
      code: code >= 0x100 ? [0xfc, code & 0xff] : [code],
      nans: scalarNans(code),
      traps: trapping.has(code),
    })),
  ),
  ...vectorRows.flatMap(([params, result, codes]) =>
    codes.map((code) => ({
      ...plain,
      params: letters(params),
      result,
      code: vectorCode(code),
      nans: madeSingles.has(code) || madeDoubles.has(code) ? ('made' as const) : ('none' as const),
      lanes: madeDoubles.has(code) ? ('F' as const) : ('f' as const),
    })),
  ),
  ...laneRows.flatMap(([params, result, codes, laneBound]) =>
    codes.map((code) => ({
      ...plain,
      params: letters(params),
      result,
      code: vectorCode(code),
      nans: result === 'f' || result === 'F' ? ('kept' as const) : ('none' as const),
      laneCount: 1,
      laneBound,
    })),
  ),
  { ...plain, params: ['v', 'v'], result: 'v', code: vectorCode(0x0d), nans: 'none', laneCount: 16, laneBound: 32 },
]

function access(type: Letter, alignment: number, ...codes: readonly number[]): Access[] {
  return codes.map((code) => ({ type, alignment, code: [code], lanes: 0 }))
}

function vectorAccess(alignment: number, lanes: number, ...codes: readonly number[]): Access[] {
  return codes.map((code) => ({ type: 'v', alignment, code: vectorCode(code), lanes }))
}

export const loads: readonly Access[] = [
  ...access('i', 0, 0x2c, 0x2d),
  ...access('i', 1, 0x2e, 0x2f),
  ...access('i', 2, 0x28),
  ...access('I', 0, 0x30, 0x31),
  ...access('I', 1, 0x32, 0x33),
  ...access('I', 2, 0x34, 0x35),
  ...access('I', 3, 0x29),
  ...access('f', 2, 0x2a),
  ...access('F', 3, 0x2b),
  ...vectorAccess(4, 0, 0x00),
  ...vectorAccess(3, 0, ...range(0x01, 0x06), 0x0a, 0x5d),
  ...vectorAccess(0, 0, 0x07),
  ...vectorAccess(1, 0, 0x08),
  ...vectorAccess(2, 0, 0x09, 0x5c),
]

export const stores: readonly Access[] = [
  ...access('i', 0, 0x3a),
  ...access('i', 1, 0x3b),
  ...access('i', 2, 0x36),
  ...access('I', 0, 0x3c),
  ...access('I', 1, 0x3d),
  ...access('I', 2, 0x3e),
  ...access('I', 3, 0x37),
  ...access('f', 2, 0x38),
  ...access('F', 3, 0x39),
  ...vectorAccess(4, 0, 0x0b),
  ...[0, 1, 2, 3].flatMap((alignment) => vectorAccess(alignment, 16 >> alignment, 0x58 + alignment)),
]

/** Loads of one lane, which take the vector too. */
export const laneLoads: readonly Access[] = [0, 1, 2, 3].flatMap((alignment) =>
  vectorAccess(alignment, 16 >> alignment, 0x54 + alignment),
)
