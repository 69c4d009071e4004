import { editKind } from './body-edits.ts'
import type { BodyPlanner } from './body-plan.ts'
import type { BodySurvey } from './body-survey.ts'
import { ByteSink } from './byte-sink.ts'
import { emptyBlock, op } from './code.ts'
import { type FunctionType, type ValueType, valueCodes } from './layout.ts'
import type { ModuleFacts } from './module-facts.ts'
import { nanShape } from './nan-sources.ts'
import { stopReasons } from './prepared-format.ts'
import { frameBytes, isUncounted } from './stack-frame.ts'

/** Where pieces of the original code ended up: pairs of (place in the code written, place in the original file). */
export type Positions = number[]

/** The segment at the entry of each function. */
const firstSegment = 1

/** Writes functions as {@link BodyPlanner} wants them. One writer serves all functions of a module. */
export class BodyWriter {
  readonly #facts: ModuleFacts
  readonly #planner: BodyPlanner
  readonly #code = new ByteSink(1 << 16)
  readonly #header = new ByteSink(256)
  /** Locals that the rewriter adds to the function at hand, by purpose. */
  readonly #locals = new Map<string, { index: number; type: ValueType }>()
  #survey!: BodySurvey
  #firstLocal = 0
  #frame = 0
  /** Whether the function at hand takes stack. */
  #counted = false

  constructor(facts: ModuleFacts, planner: BodyPlanner) {
    this.#facts = facts
    this.#planner = planner
  }

  /**
   * Writes the function that was planned last: its size, locals and code.
   * @param positions is filled; counted from where the locals are declared
   */
  write(out: ByteSink, survey: BodySurvey, type: FunctionType, positions?: Positions): void {
    this.#survey = survey
    this.#locals.clear()
    this.#firstLocal = type.params.length + survey.locals
    this.#code.clear()
    this.#writeCode(type, positions)
    this.#writeHeader()
    out.u32(this.#header.size + this.#code.size)
    out.copy(this.#header.written, 0, this.#header.size)
    out.copy(this.#code.written, 0, this.#code.size)
    if (positions !== undefined) for (let n = 0; n < positions.length; n += 2) positions[n]! += this.#header.size
  }

  #writeHeader(): void {
    const { layout } = this.#facts
    const { start, code, localGroups } = this.#survey
    this.#header.clear()
    this.#header.u32(localGroups + this.#locals.size)
    const groups = start + sizeOfU32(layout.bytes, start)
    this.#header.copy(layout.bytes, groups, code)
    for (const { type } of this.#locals.values()) {
      this.#header.u8(1)
      this.#header.u8(valueCodes.get(type)!)
    }
  }

  #writeCode(type: FunctionType, positions: Positions | undefined): void {
    const code = this.#code
    const { bytes } = this.#facts.layout
    const { end } = this.#survey
    this.#frame = this.#facts.metered ? frameBytes(this.#survey, type, this.#planner.highest) : 0
    this.#counted = this.#facts.metered && !isUncounted(this.#survey, this.#frame)
    const givesBack = this.#counted && this.#survey.calls
    if (givesBack) this.#openBody(type)
    let at = this.#survey.code
    this.#planner.edits.forEach((kind, from, to, first) => {
      if (from > at) {
        positions?.push(code.size, at)
        code.copy(bytes, at, from)
      }
      at = to
      this.#edit(kind, first, givesBack)
    })
    positions?.push(code.size, at)
    code.copy(bytes, at, end)
    if (!givesBack) return
    this.#giveBack()
    code.u8(op.end)
  }

  /** The body becomes a block, so that what leaves the function comes by its end. Labels keep their numbers. */
  #openBody(type: FunctionType): void {
    this.#code.u8(op.block)
    if (type.results.length === 0) this.#code.u8(emptyBlock)
    else if (type.results.length === 1) this.#code.u8(valueCodes.get(type.results[0]!)!)
    else this.#code.positive(this.#facts.resultsType(type))
  }

  #edit(kind: number, first: number, givesBack: boolean): void {
    const facts = this.#facts
    switch (kind) {
      case editKind.charge:
        if (facts.metered) this.#charge(first)
        return
      case editKind.loadFuel:
        if (facts.metered && this.#planner.segments.entersLeafLoop(first)) this.#loadFuel()
        return
      case editKind.giveBack:
        if (givesBack) this.#giveBack()
        return
      case editKind.leave:
        if (givesBack) this.#withIndex(op.br, first)
        else this.#code.u8(op.return)
        return
      case editKind.memorySize:
        this.#withIndex(op.globalGet, facts.globals.pages)
        return
      case editKind.memoryGrow:
        this.#withIndex(op.call, facts.helpers.growMemory)
        return
      case editKind.tableGrow:
        this.#withIndex(op.call, facts.helpers.growTable[first]!)
        return
      case editKind.bulkMemory:
        this.#withIndex(op.call, facts.helpers.bulkMemory)
        return
      case editKind.bulkTable:
        this.#withIndex(op.call, facts.helpers.bulkTable)
        return
      case editKind.canonical:
        if (facts.canonicalNans) this.#canonical(first)
        return
    }
  }

  // ---- fuel

  /** The fuel of a segment, which is looked at behind every entry that calls, and in every round of a loop. */
  #charge(segment: number): void {
    const { segments } = this.#planner
    const local = segments.inLeafLoop(segment)
    const cost = segments.cost[segment]!
    if (cost > 0) this.#takeFuel(cost, local)
    if (segment === firstSegment && this.#counted) this.#takeStack()
    else if (segments.checks[segment]!) {
      this.#getFuel(local)
      this.#stopIfNegative(stopReasons.fuel)
    }
  }

  #takeFuel(cost: number, local: boolean): void {
    const { fuel } = this.#facts.globals
    this.#getFuel(local)
    this.#code.u8(op.i64Const)
    this.#code.positive(cost)
    this.#code.u8(op.i64Sub)
    if (local) this.#withIndex(op.localTee, this.#local('fuel', 'i64'))
    this.#withIndex(op.globalSet, fuel)
  }

  #getFuel(local: boolean): void {
    if (local) this.#withIndex(op.localGet, this.#local('fuel', 'i64'))
    else this.#withIndex(op.globalGet, this.#facts.globals.fuel)
  }

  #loadFuel(): void {
    this.#withIndex(op.globalGet, this.#facts.globals.fuel)
    this.#withIndex(op.localSet, this.#local('fuel', 'i64'))
  }

  #stopIfNegative(reason: number): void {
    this.#code.all([op.i64Const, 0, op.i64LtS, op.if, emptyBlock, op.i32Const, reason])
    this.#withIndex(op.globalSet, this.#facts.globals.stopped)
    this.#code.all([op.unreachable, op.end])
  }

  // ---- stack

  /**
   * Takes the frame and looks at fuel and stack at once: both are signed, and a negative one makes their union negative.
   *
   * ```
   * stack = (old = stack) − frame
   * if (fuel | stack) < 0: stopped = fuel < 0 ? 1 : 2; trap
   * ```
   */
  #takeStack(): void {
    const { fuel, stack, stopped } = this.#facts.globals
    const code = this.#code
    this.#withIndex(op.globalGet, stack)
    if (this.#survey.calls) this.#withIndex(op.localTee, this.#local('stack', 'i32'))
    code.u8(op.i32Const)
    code.positive(this.#frame)
    code.u8(op.i32Sub)
    if (this.#survey.calls) {
      this.#withIndex(op.localTee, this.#local('left', 'i32'))
      this.#withIndex(op.globalSet, stack)
      this.#withIndex(op.localGet, this.#local('left', 'i32'))
    }
    code.u8(op.i64ExtendI32S)
    this.#withIndex(op.globalGet, fuel)
    code.all([op.i64Or, op.i64Const, 0, op.i64LtS, op.if, emptyBlock])
    code.all([op.i32Const, stopReasons.fuel, op.i32Const, stopReasons.stack])
    this.#withIndex(op.globalGet, fuel)
    code.all([op.i64Const, 0, op.i64LtS, op.select])
    this.#withIndex(op.globalSet, stopped)
    code.all([op.unreachable, op.end])
  }

  /** Sets back what was before; a store without a load, so that calls in a row do not wait for each other. */
  #giveBack(): void {
    this.#withIndex(op.localGet, this.#local('stack', 'i32'))
    this.#withIndex(op.globalSet, this.#facts.globals.stack)
  }

  // ---- NaN

  /** `value = value ? value : NaN` for each lane, by `value = value`, which is false for NaN alone. */
  #canonical(shape: number): void {
    if (shape === nanShape.f32) this.#canonicalScalar('f32', [op.f32Const, 0, 0, 0xc0, 0x7f], op.f32Eq)
    else if (shape === nanShape.f64) this.#canonicalScalar('f64', [op.f64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], op.f64Eq)
    else if (shape === nanShape.f32x4) this.#canonicalVector([0, 0, 0xc0, 0x7f], vectorOp.f32x4Eq)
    else this.#canonicalVector([0, 0, 0, 0, 0, 0, 0xf8, 0x7f], vectorOp.f64x2Eq)
  }

  #canonicalScalar(type: ValueType, nan: readonly number[], equal: number): void {
    const local = this.#local(`nan ${type}`, type)
    this.#withIndex(op.localTee, local)
    this.#code.all(nan)
    this.#withIndex(op.localGet, local)
    this.#withIndex(op.localGet, local)
    this.#code.all([equal, op.select])
  }

  #canonicalVector(lane: readonly number[], equal: readonly number[]): void {
    const local = this.#local('nan v128', 'v128')
    this.#withIndex(op.localTee, local)
    this.#code.all(vectorOp.const)
    for (let at = 0; at < 16; at += lane.length) this.#code.all(lane)
    this.#withIndex(op.localGet, local)
    this.#withIndex(op.localGet, local)
    this.#code.all([...equal, ...vectorOp.bitselect])
  }

  #local(purpose: string, type: ValueType): number {
    let local = this.#locals.get(purpose)
    if (local === undefined) {
      local = { index: this.#firstLocal + this.#locals.size, type }
      this.#locals.set(purpose, local)
    }
    return local.index
  }

  #withIndex(opcode: number, index: number): void {
    this.#code.u8(opcode)
    this.#code.u32(index)
  }
}

const vectorOp = {
  const: [0xfd, 0x0c],
  bitselect: [0xfd, 0x52],
  f32x4Eq: [0xfd, 0x41],
  f64x2Eq: [0xfd, 0x47],
} as const

function sizeOfU32(bytes: Uint8Array, at: number): number {
  let size = 1
  while (bytes[at + size - 1]! >= 0x80) size++
  return size
}
