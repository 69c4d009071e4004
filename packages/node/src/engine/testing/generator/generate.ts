import { limits, name, s32, u32, vector } from '../../module/byte-writer.ts'
import { op } from '../../module/code.ts'
import { Draw } from './draw.ts'
import { expressionsOf } from './expressions.ts'
import { FunctionWriter } from './function-writer.ts'
import { codeOf, type Letter } from './instruction-table.ts'
import { drawShape, handlerType, type Shape, startType } from './shape.ts'
import { statements } from './statements.ts'

export interface GeneratedModule {
  readonly bytes: Uint8Array
  readonly handlers: readonly string[]
}

export interface GeneratorOptions {
  /**
   * Whether NaNs that arithmetic made are made canonical by code of the module itself. Modules of one seed with and without
   * differ in nothing else, so what is promised of NaNs must make them equal.
   */
  readonly canonical: boolean
  /** How large functions become. @default 80: some hundred instructions */
  readonly budget?: number
}

/** Where what `alloc` gives begins. */
const allocAt = 512

/**
 * Writes a valid module that follows from the seed: most instructions that the engine runs, in programs that mostly end and
 * change memory, globals and tables. NaNs whose bits no arithmetic made are always made canonical on the spot.
 * Its memory, tables and mutable globals are exported, as `memory`, `table0`, `global0` and so on.
 */
export function generateModule(seed: number, { canonical, budget = 80 }: GeneratorOptions): GeneratedModule {
  const draw = new Draw(seed)
  const shape = drawShape(draw)
  const bodies = shape.functions.map((_, index) => {
    const to = new FunctionWriter(draw, shape, index, { budget, canonical })
    for (let count = draw.between(1, 4); count > 0; count--) statements(to, 0)
    expressionsOf(to, to.signature.results, 1)
    return to.finish()
  })
  bodies.push([0, ...i32Const(allocAt), op.end], startBody(draw, shape))
  return {
    bytes: encode(shape, bodies),
    handlers: Array.from({ length: shape.handlers }, (_, index) => `handler${index}`),
  }
}

/** Changes the state of the module without calling anything: the host is not there yet. */
function startBody(draw: Draw, { globals, memory }: Shape): number[] {
  const body = [0, ...i32Const(draw.below(memory.min * 65_536 - 8)), ...i32Const(draw.bits() | 0), 0x36, 0, 0]
  const counter = globals.findIndex(({ type, mutable }) => type === 'i' && mutable)
  if (counter >= 0) body.push(...i32Const(draw.bits() | 0), op.globalSet, ...u32(counter))
  return [...body, op.end]
}

function i32Const(value: number): number[] {
  return [op.i32Const, ...s32(value)]
}

/** JavaScript has no vectors. */
function readableGlobals({ globals }: Shape): number[] {
  return globals.flatMap(({ type, mutable }, index) => (mutable && type !== 'v' ? [index] : []))
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...u32(content.length), ...content]
}

function initialValue(type: Letter): number[] {
  switch (type) {
    case 'i':
      return i32Const(42)
    case 'I':
      return [op.i64Const, 42]
    case 'f':
      return [op.f32Const, 0, 0, 0x28, 0x42]
    case 'F':
      return [op.f64Const, 0, 0, 0, 0, 0, 0, 0x45, 0x40]
    case 'v':
      return [0xfd, 0x0c, ...Array.from({ length: 16 }, (_, lane) => lane)]
    default:
      return [0xd0, codeOf[type]]
  }
}

function exportsOf(shape: Shape): number[][] {
  const first = shape.imports.length
  return [
    [...name('memory'), 2, 0],
    [...name('alloc'), 0, ...u32(first + shape.functions.length)],
    ...Array.from({ length: shape.handlers }, (_, index) => [...name(`handler${index}`), 0, ...u32(first + index)]),
    ...readableGlobals(shape).map((index) => [...name(`global${index}`), 3, ...u32(index)]),
    ...shape.tables.map((_, index) => [...name(`table${index}`), 1, index]),
  ]
}

function elementSegment({ active, entries }: Shape['elements'][number], first: number): number[] {
  const values = vector(
    entries.map((entry) => (entry < 0 ? [0xd0, 0x70, op.end] : [0xd2, ...u32(first + entry), op.end])),
  )
  return active ? [4, ...i32Const(0), op.end, ...values] : [5, 0x70, ...values]
}

function encode(shape: Shape, bodies: readonly number[][]): Uint8Array {
  const first = shape.imports.length
  const codes = (types: readonly Letter[]) => vector(types.map((type) => [codeOf[type]]))
  const hostTypes = shape.imports.map((host) => [0x60, ...codes(host.params), ...codes(host.results)])
  const types = [...shape.types.map((type) => [0x60, ...codes(type.params), ...codes(type.results)]), ...hostTypes]
  const declared = shape.functions.map((_, index) => u32(first + index))
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(
      2,
      vector(
        shape.imports.map((host, n) => [...name(host.module), ...name(host.name), 0, ...u32(shape.types.length + n)]),
      ),
    ),
    ...section(3, vector([...shape.functions, handlerType, startType].map(u32))),
    ...section(4, vector(shape.tables.map(({ type, min, max }) => [codeOf[type], ...limits(min, max)]))),
    ...section(5, vector([limits(shape.memory.min, shape.memory.max)])),
    ...section(
      6,
      vector(shape.globals.map(({ type, mutable }) => [codeOf[type], Number(mutable), ...initialValue(type), op.end])),
    ),
    ...section(7, vector(exportsOf(shape))),
    ...(shape.hasStart ? section(8, u32(first + shape.functions.length + 1)) : []),
    ...section(
      9,
      vector([...shape.elements.map((segment) => elementSegment(segment, first)), [3, 0, ...vector(declared)]]),
    ),
    ...section(12, u32(shape.data.length)),
    ...section(10, vector(bodies.map((body) => [...u32(body.length), ...body]))),
    ...section(
      11,
      vector(
        shape.data.map(({ active, at, bytes }) =>
          active
            ? [0, ...i32Const(at), op.end, ...vector(bytes.map((b) => [b]))]
            : [1, ...vector(bytes.map((b) => [b]))],
        ),
      ),
    ),
  ])
}
