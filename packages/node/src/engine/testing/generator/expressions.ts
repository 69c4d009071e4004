import { pageBytes } from '../../limits.ts'
import { u32 } from '../../module/byte-writer.ts'
import { op } from '../../module/code.ts'
import type { FunctionWriter } from './function-writer.ts'
import { type Access, codeOf, type Letter, laneLoads, loads, type Operation, operations } from './instruction-table.ts'
import { callSomething, conditional, loopWithResults, multiBlock, statements } from './statements.ts'

const byResult = Map.groupBy(operations, ({ result }) => result)
const harmless = Map.groupBy(
  operations.filter(({ traps }) => !traps),
  ({ result }) => result,
)
const interesting32 = [0, 1, -1, 2, 7, 31, 32, 127, 255, -128, 65_535, 0x7fff_ffff, -0x8000_0000]
const interesting64 = [0n, 1n, -1n, 63n, 0x7fff_ffffn, 0xffff_ffffn, 1n << 52n, (1n << 63n) - 1n, -(1n << 63n)]
const interestingFloats = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e10,
  -1e10,
  3e38,
  1e-45,
  5e-324,
  1.7e308,
  Infinity,
  -Infinity,
  NaN,
  2147483648,
]
/** Bytes behind an address that no access of a growing memory goes beyond. */
const slack = 300
const deepest = 5

/** Writes code that leaves a value of a type. */
export function expression(to: FunctionWriter, type: Letter, depth = 0): void {
  to.budget--
  if (depth > deepest || to.budget <= 0) leaf(to, type)
  else if (type === 'r' || type === 'x') reference(to, type, depth)
  else
    to.draw.weighted<() => void>([
      [20, () => operation(to, type, depth)],
      [8, () => leaf(to, type)],
      [5, () => load(to, type, depth)],
      [3, () => callSomething(to, [type], depth)],
      [2, () => conditional(to, [type], depth)],
      [2, () => blockWithBranch(to, type, depth)],
      [1, () => loopWithResults(to, [type], depth)],
      [1, () => multiBlock(to, [type], depth)],
      [2, () => select(to, type, depth)],
      [2, () => tee(to, type, depth)],
      [type === 'i' ? 3 : 0, () => integerOnly(to, depth)],
    ])()
}

export function expressionsOf(to: FunctionWriter, types: readonly Letter[], depth: number): void {
  for (const type of types) expression(to, type, depth)
}

/** The shortest code that leaves a value. */
export function leaf(to: FunctionWriter, type: Letter): void {
  const { draw } = to
  const local = to.someLocal(type)
  if (local !== undefined && draw.chance(60)) to.get(local)
  else {
    const globals = to.shape.globals.flatMap((global, index) => (global.type === type ? [index] : []))
    if (globals.length > 0 && draw.chance(50)) to.emit(op.globalGet, ...u32(draw.pick(globals)))
    else constant(to, type)
  }
}

function constant(to: FunctionWriter, type: Letter): void {
  const { draw } = to
  const bytes = Buffer.alloc(8)
  if (type === 'i') to.i32(draw.chance(50) ? draw.pick(interesting32) : draw.bits() | 0)
  else if (type === 'I')
    to.emit(op.i64Const, ...s64(draw.chance(60) ? draw.pick(interesting64) : BigInt(draw.bits() | 0)))
  else if (type === 'f') {
    bytes.writeFloatLE(someFloat(to))
    to.emit(op.f32Const, ...bytes.subarray(0, 4))
  } else if (type === 'F') {
    bytes.writeDoubleLE(someFloat(to))
    to.emit(op.f64Const, ...bytes)
  } else if (type === 'v') to.emit(0xfd, 0x0c, ...draw.list(16, () => (draw.chance(30) ? 0 : draw.below(256))))
  else to.emit(0xd0, codeOf[type])
}

/** Signed LEB128 of 64 bits. */
function s64(value: bigint): number[] {
  const bytes: number[] = []
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return [...bytes, low]
    bytes.push(low | 0x80)
  }
}

function someFloat({ draw }: FunctionWriter): number {
  return draw.chance(70) ? draw.pick(interestingFloats) : (draw.bits() | 0) / (1 + draw.below(1000))
}

function operation(to: FunctionWriter, type: Letter, depth: number): void {
  const chosen = to.draw.pick((to.draw.chance(30) ? byResult : harmless).get(type)!)
  expressionsOf(to, chosen.params, depth + 1)
  apply(to, chosen)
}

function apply(to: FunctionWriter, { code, result, nans, lanes, laneCount, laneBound }: Operation): void {
  to.emit(...code, ...to.draw.list(laneCount, () => to.draw.below(laneBound)))
  to.settle(result, nans, lanes)
}

/**
 * An address for an access of some bytes, and the offset that goes into the instruction. In a memory that can grow it is
 * always inside: behind the end the engine leaves room that the guest has not asked for.
 * @returns the offset
 */
export function address(to: FunctionWriter, depth: number): number {
  const { draw } = to
  const { min, max } = to.shape.memory
  if (min === max && draw.chance(1)) {
    expression(to, 'i', depth + 1)
    return draw.chance(50) ? 0 : draw.below(200_000)
  }
  if (draw.chance(40)) to.i32(draw.below(min * pageBytes - slack))
  else {
    expression(to, 'i', depth + 1)
    if (min === max) to.i32(min * pageBytes - slack)
    else {
      to.emit(op.memorySize, 0)
      to.i32(pageBytes)
      to.emit(0x6c)
      to.i32(slack)
      to.emit(op.i32Sub)
    }
    to.emit(0x70)
  }
  return draw.below(64)
}

/** A number of bytes that is small, but for some in a memory that cannot grow. */
export function size(to: FunctionWriter, depth: number): void {
  const { min, max } = to.shape.memory
  if (min === max && to.draw.chance(1)) expression(to, 'i', depth + 1)
  else to.i32(to.draw.below(200))
}

export function memoryArgument(to: FunctionWriter, { code, alignment }: Access, offset: number): void {
  to.emit(...code, to.draw.below(alignment + 1), ...u32(offset))
}

function load(to: FunctionWriter, type: Letter, depth: number): void {
  if (type === 'v' && to.draw.chance(25)) {
    const chosen = to.draw.pick(laneLoads)
    const offset = address(to, depth)
    expression(to, 'v', depth + 1)
    memoryArgument(to, chosen, offset)
    to.emit(to.draw.below(chosen.lanes))
    return
  }
  const chosen = to.draw.pick(loads.filter((access) => access.type === type))
  memoryArgument(to, chosen, address(to, depth))
  to.settle(type, type === 'f' || type === 'F' ? 'kept' : 'none')
}

function select(to: FunctionWriter, type: Letter, depth: number): void {
  expressionsOf(to, [type, type, 'i'], depth + 1)
  if (type === 'r' || type === 'x' || to.draw.chance(30)) to.emit(0x1c, 1, codeOf[type])
  else to.emit(op.select)
}

function tee(to: FunctionWriter, type: Letter, depth: number): void {
  expression(to, type, depth + 1)
  const local = to.someLocal(type)
  if (local !== undefined) to.emit(op.localTee, ...u32(local))
}

/** A block that a branch may leave early with its value. */
function blockWithBranch(to: FunctionWriter, type: Letter, depth: number): void {
  to.open(op.block, { params: [], results: [type] }, { types: [type], loops: false })
  statements(to, depth + 1)
  expressionsOf(to, [type, 'i'], depth + 1)
  to.emit(op.brIf, 0)
  if (to.draw.chance(50)) {
    to.emit(0x1a)
    expression(to, type, depth + 1)
  }
  to.close()
}

function integerOnly(to: FunctionWriter, depth: number): void {
  const { draw } = to
  const table = draw.below(to.shape.tables.length)
  draw.weighted<() => void>([
    [2, () => to.emit(op.memorySize, 0)],
    [
      1,
      () => {
        to.i32(draw.below(3))
        to.emit(op.memoryGrow, 0)
      },
    ],
    [2, () => to.emit(0xfc, 0x10, table)],
    [
      1,
      () => {
        expression(to, to.shape.tables[table]!.type, depth + 1)
        to.i32(draw.below(4))
        to.emit(0xfc, 0x0f, table)
      },
    ],
    [
      2,
      () => {
        expression(to, draw.pick(['r', 'x'] as const), depth + 1)
        to.emit(0xd1)
      },
    ],
  ])()
}

function reference(to: FunctionWriter, type: 'r' | 'x', depth: number): void {
  const { draw, shape } = to
  const tables = shape.tables.flatMap((table, index) => (table.type === type ? [index] : []))
  draw.weighted<() => void>([
    [3, () => leaf(to, type)],
    [type === 'r' ? 3 : 0, () => to.emit(0xd2, ...u32(shape.imports.length + someLeaf(to)))],
    [
      tables.length === 0 ? 0 : 2,
      () => {
        const table = draw.pick(tables)
        entry(to, table)
        to.emit(0x25, table)
      },
    ],
    [1, () => select(to, type, depth)],
  ])()
}

/** A function that tables may hold. */
function someLeaf({ draw, shape }: FunctionWriter): number {
  return draw.between(shape.firstLeaf, shape.functions.length - 1)
}

/** An index of table 0 where a function of the type is at first, or any. */
export function entryOfType(to: FunctionWriter, type: number): void {
  const { elements, functions } = to.shape
  const fitting = elements[0]!.entries.flatMap((entry, index) => (functions[entry] === type ? [index] : []))
  if (fitting.length === 0 || to.draw.chance(3)) entry(to, 0)
  else to.i32(to.draw.pick(fitting))
}

/** An index of a table, seldom outside of it. */
export function entry(to: FunctionWriter, table: number): void {
  to.i32(to.draw.below((to.shape.tables[table]?.min ?? 0) + (to.draw.chance(1) ? 3 : 0)))
}
