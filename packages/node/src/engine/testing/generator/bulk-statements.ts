import { u32 } from '../../module/byte-writer.ts'
import { op } from '../../module/code.ts'
import { address, entry, expression, size } from './expressions.ts'
import type { FunctionWriter } from './function-writer.ts'

/** An operation on a range of the memory. */
export function bulkMemory(to: FunctionWriter, depth: number): void {
  const { draw, shape } = to
  const place = () => {
    const offset = address(to, depth + 1)
    to.i32(offset)
    to.emit(op.i32Add)
  }
  const segment = draw.below(Math.max(1, shape.data.length))
  draw.weighted<() => void>([
    [
      3,
      () => {
        place()
        expression(to, 'i', depth + 1)
        size(to, depth)
        to.emit(0xfc, 0x0b, 0)
      },
    ],
    [
      3,
      () => {
        place()
        place()
        size(to, depth)
        to.emit(0xfc, 0x0a, 0, 0)
      },
    ],
    [
      shape.data.length === 0 ? 0 : 2,
      () => {
        place()
        to.i32(draw.below(8))
        to.i32(draw.below(8))
        to.emit(0xfc, 0x08, ...u32(segment), 0)
      },
    ],
    [shape.data.length === 0 || !draw.chance(20) ? 0 : 1, () => to.emit(0xfc, 0x09, ...u32(segment))],
  ])()
}

/** Changes a table. */
export function changeTable(to: FunctionWriter, depth: number): void {
  const { draw, shape } = to
  const table = draw.below(shape.tables.length)
  const { type } = shape.tables[table]!
  const segment = draw.below(shape.elements.length)
  const few = () => to.i32(draw.below(3))
  draw.weighted<() => void>([
    [
      3,
      () => {
        entry(to, table)
        expression(to, type, depth + 1)
        to.emit(0x26, table)
      },
    ],
    [
      1,
      () => {
        entry(to, table)
        expression(to, type, depth + 1)
        few()
        to.emit(0xfc, 0x11, table)
      },
    ],
    [
      1,
      () => {
        entry(to, table)
        entry(to, table)
        few()
        to.emit(0xfc, 0x0e, table, table)
      },
    ],
    [
      type === 'r' ? 1 : 0,
      () => {
        entry(to, table)
        few()
        few()
        to.emit(0xfc, 0x0c, ...u32(segment), table)
      },
    ],
    [draw.chance(20) ? 1 : 0, () => to.emit(0xfc, 0x0d, ...u32(segment))],
  ])()
}
