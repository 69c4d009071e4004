import { s32, u32 } from '../../module/byte-writer.ts'
import { op } from '../../module/code.ts'
import type { Draw } from './draw.ts'
import { codeOf, type Letter, type NanKind } from './instruction-table.ts'
import type { Shape, Signature } from './shape.ts'

const tee = op.localTee
const canonicalBits = {
  f: [0x00, 0x00, 0xc0, 0x7f],
  F: [0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
} as const
const scalarEqual = { f: op.f32Eq, F: op.f64Eq } as const
const vectorEqual = { f: [0xfd, 0x41], F: [0xfd, 0x47] } as const
const bitselect = [0xfd, 0x52]
const vectorConstant = [0xfd, 0x0c]
const emptyBlock = 0x40

/** What a branch to a block takes along. */
export interface Label {
  readonly types: readonly Letter[]
  /** A branch backwards. */
  readonly loops: boolean
}

/** The code of one function in the making: bytes, locals, labels, and how much may still be written. */
export class FunctionWriter {
  readonly draw: Draw
  readonly shape: Shape
  /** Among the functions that the module defines. */
  readonly index: number
  readonly signature: Signature
  readonly labels: Label[]
  /** Parts of expressions that may still be written, about. */
  budget: number
  readonly #canonical: boolean
  readonly #bytes: number[] = []
  readonly #locals: Letter[] = []
  /** Locals that any code may change; the others count loops. */
  readonly #free: { readonly index: number; readonly type: Letter }[] = []
  readonly #scratch = new Map<Letter, number>()

  /** @param canonical whether the code makes NaNs of arithmetic canonical itself */
  constructor(draw: Draw, shape: Shape, index: number, options: { budget: number; canonical: boolean }) {
    this.draw = draw
    this.shape = shape
    this.index = index
    this.budget = options.budget
    this.#canonical = options.canonical
    this.signature = shape.types[shape.functions[index]!]!
    this.labels = [{ types: this.signature.results, loops: false }]
    this.signature.params.forEach((type, local) => {
      this.#free.push({ index: local, type })
    })
    const types: readonly Letter[] = ['i', 'i', 'I', 'f', 'F', 'v', 'r', 'x']
    for (let count = draw.between(2, 6); count > 0; count--) {
      const type = draw.pick(types)
      this.#free.push({ index: this.addLocal(type), type })
    }
  }

  addLocal(type: Letter): number {
    return this.signature.params.length + this.#locals.push(type) - 1
  }

  /** A local of the type that code may read and write, if there is one. */
  someLocal(type: Letter): number | undefined {
    const fitting = this.#free.filter((local) => local.type === type)
    return fitting.length === 0 ? undefined : this.draw.pick(fitting).index
  }

  emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }

  i32(value: number): void {
    this.emit(op.i32Const, ...s32(value))
  }

  get(local: number): void {
    this.emit(op.localGet, ...u32(local))
  }

  set(local: number): void {
    this.emit(op.localSet, ...u32(local))
  }

  /** @param code block, loop or if */
  open(code: number, type: Signature, label: Label): void {
    this.emit(code, ...this.#blockType(type))
    this.labels.push(label)
  }

  close(): void {
    this.emit(op.end)
    this.labels.pop()
  }

  /** Makes the NaN on top of the stack canonical where that is due: always what has other bits, and what arithmetic made if the module is to do so itself. */
  settle(type: Letter, nans: NanKind, lanes: 'f' | 'F' = 'f'): void {
    if (nans === 'none' || (nans === 'made' && !this.#canonical)) return
    if (type === 'f' || type === 'F') this.#settleScalar(type)
    else this.#settleVector(lanes)
  }

  /** Declarations of locals, code and the final `end`. */
  finish(): number[] {
    const declared = this.#locals.map((type) => [1, codeOf[type]])
    return [...u32(declared.length), ...declared.flat(), ...this.#bytes, op.end]
  }

  #settleScalar(type: 'f' | 'F'): void {
    const value = u32(this.#scratchLocal(type))
    this.emit(tee, ...value, type === 'f' ? op.f32Const : op.f64Const, ...canonicalBits[type])
    this.emit(op.localGet, ...value, op.localGet, ...value, scalarEqual[type], op.select)
  }

  #settleVector(lanes: 'f' | 'F'): void {
    const value = u32(this.#scratchLocal('v'))
    const nan = lanes === 'f' ? [0, 1, 2, 3].flatMap(() => canonicalBits.f) : [0, 1].flatMap(() => canonicalBits.F)
    this.emit(tee, ...value, ...vectorConstant, ...nan)
    this.emit(op.localGet, ...value, op.localGet, ...value, ...vectorEqual[lanes], ...bitselect)
  }

  #scratchLocal(type: Letter): number {
    const local = this.#scratch.get(type) ?? this.addLocal(type)
    this.#scratch.set(type, local)
    return local
  }

  #blockType({ params, results }: Signature): readonly number[] {
    if (params.length === 0 && results.length === 0) return [emptyBlock]
    if (params.length === 0 && results.length === 1) return [codeOf[results[0]!]]
    const found = this.shape.types.findIndex(
      (type) => type.params.join() === params.join() && type.results.join() === results.join(),
    )
    if (found < 0) throw new Error('blocks have types that the module declares')
    return s32(found)
  }
}
