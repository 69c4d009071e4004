import { s32, u32 } from './byte-writer.ts'
import { emptyBlock, op } from './code.ts'
import { fuelCosts } from './fuel-costs.ts'
import { stopReasons } from './prepared-format.ts'

/** Bodies of the functions that the rewriter adds: declarations of locals and instructions with the final `end`. */

type Code = readonly number[]

interface Counters {
  readonly fuel: number
  readonly stopped: number
}

const get = (local: number): Code => [op.localGet, ...u32(local)]
const getGlobal = (index: number): Code => [op.globalGet, ...u32(index)]
const setGlobal = (index: number): Code => [op.globalSet, ...u32(index)]
const i32 = (value: number): Code => [op.i32Const, ...s32(value)]
const i64 = (value: number): Code => [op.i64Const, ...s32(value)]
const noLocals: Code = [0]
const oneI32: Code = [1, 1, 0x7f]

/**
 * Takes fuel and stops the call when there is none left. What is taken is below 2^46, so the counter cannot wrap.
 * @param amount code that leaves it as i64
 */
function takeFuel({ fuel, stopped }: Counters, amount: Code): Code {
  return [
    ...[...getGlobal(fuel), ...amount, op.i64Sub, ...setGlobal(fuel)],
    ...[...getGlobal(fuel), ...i64(0), op.i64LtS, op.if, emptyBlock],
    ...[...i32(stopReasons.fuel), ...setGlobal(stopped), op.unreachable, op.end],
  ]
}

/** `(i32 units) -> ()` */
export function chargeBody(counters: Counters): Code {
  return [...noLocals, ...takeFuel(counters, [...get(0), op.i64ExtendI32U]), op.end]
}

/** `(i32 bytes) -> (i32 bytes)`: the size is the topmost operand of all bulk operations. */
export function bulkMemoryBody(counters: Counters | undefined): Code {
  const units = [...get(0), op.i64ExtendI32U, ...i64(Math.log2(fuelCosts.bytesPerUnit)), op.i64ShrU]
  return [...noLocals, ...(counters === undefined ? [] : takeFuel(counters, units)), ...get(0), op.end]
}

/** `(i32 entries) -> (i32 entries)` */
export function bulkTableBody(counters: Counters | undefined): Code {
  return [...noLocals, ...(counters === undefined ? [] : takeFuel(counters, entriesCost(0))), ...get(0), op.end]
}

function entriesCost(local: number): Code {
  return [...get(local), op.i64ExtendI32U, ...i64(fuelCosts.tableEntry), op.i64Mul]
}

/**
 * `(i32 pages) -> i32`: `memory.grow` in the guest's eyes.
 *
 * ```
 * old = pages; new = old + n
 * if new < old → refuse
 * if new > memory.size and memory.grow(new − memory.size) = −1 → refuse
 * pages = new; take fuel for n pages; return old
 * refuse: refused = 1; return −1
 * ```
 */
export function growMemoryBody(counters: Counters | undefined, pages: number, refused: number): Code {
  const [delta, wanted] = [0, 1]
  const size = [op.memorySize, 0]
  const cost = [...get(delta), op.i64ExtendI32U, ...i64(fuelCosts.page), op.i64Mul]
  return [
    ...oneI32,
    ...[op.block, emptyBlock],
    ...[...getGlobal(pages), ...get(delta), op.i32Add, op.localTee, wanted, ...getGlobal(pages), op.i32LtU, op.brIf, 0],
    ...[...get(wanted), ...size, op.i32GtU, op.if, emptyBlock],
    ...[...get(wanted), ...size, op.i32Sub, op.memoryGrow, 0, ...i32(-1), op.i32Eq, op.brIf, 1],
    op.end,
    ...[...getGlobal(pages), ...get(wanted), ...setGlobal(pages)],
    ...(counters === undefined ? [] : takeFuel(counters, cost)),
    ...[op.return, op.end],
    ...[...i32(1), ...setGlobal(refused), ...i32(-1), op.end],
  ]
}

/**
 * `(reference, i32 entries) -> i32`: `table.grow` within the limit.
 *
 * ```
 * old = table.size
 * if old + n > limit or table.grow(value, n) = −1 → refused = 1; return −1
 * take fuel for n entries; return old
 * ```
 */
export function growTableBody(
  counters: Counters | undefined,
  table: number,
  globals: { readonly limit: number; readonly refused: number },
): Code {
  const [value, delta, old] = [0, 1, 2]
  const grow = [0xfc, 0x0f, ...u32(table)]
  const size = [0xfc, 0x10, ...u32(table)]
  return [
    ...oneI32,
    ...[op.block, emptyBlock],
    ...[...size, op.localTee, old, op.i64ExtendI32U, ...get(delta), op.i64ExtendI32U, op.i64Add],
    ...[...getGlobal(globals.limit), op.i64ExtendI32U, op.i64GtU, op.brIf, 0],
    ...[...get(value), ...get(delta), ...grow, ...i32(-1), op.i32Eq, op.brIf, 0],
    ...(counters === undefined ? [] : takeFuel(counters, entriesCost(delta))),
    ...[...get(old), op.return, op.end],
    ...[...i32(1), ...setGlobal(globals.refused), ...i32(-1), op.end],
  ]
}
