import { BodyEdits, editKind } from './body-edits.ts'
import { type BodySurvey, forEachLocalGroup } from './body-survey.ts'
import { fuelCosts, instructionCosts } from './fuel-costs.ts'
import { InstructionReader, opcodes } from './instructions.ts'
import type { FunctionType, ValueType } from './layout.ts'
import { type ModuleFacts, typeOfFunction } from './module-facts.ts'
import { nanResults, nanShape, nanUse, nanUses } from './nan-sources.ts'
import { OperandStack } from './operand-stack.ts'
import { Segments } from './segments.ts'
import { pops, pushes } from './stack-effects.ts'

/** A block, loop, arm of an `if`, or the body, while it is open. */
interface Frame {
  readonly opcode: number
  readonly params: number
  readonly results: number
  /** Height of the operand stack below its parameters. */
  readonly height: number
  /** The segment before it. */
  readonly segment: number
  /** Innermost loop that contains it, or −1; for a loop, itself. */
  readonly loop: number
  /** Whether the code before it can be reached. */
  readonly live: boolean
  /** The outermost frame to which something in here branches, as its number from outside. */
  escapes: number
  /** For a loop: the segments that end with a branch back to its head; undefined once a branch on a condition does. */
  backs: number[] | undefined
  /** Whether something in here may change the counter of fuel: calls. */
  calls: boolean
  /** Shape of NaNs in its one result. */
  nan: number
}

const emptyType = -64

/**
 * Walks through one function before all its locals are suspected. Compilers need two or three; locals that hand a NaN on
 * against the order of the code could need as many as there are locals, which is quadratic. Part of the engine's version.
 */
const mostWalks = 16

/**
 * Walks through a function and notes what must be changed: where segments begin and what they cost, which NaNs are
 * seen. One planner serves all functions of a module, one after the other.
 */
export class BodyPlanner {
  readonly edits = new BodyEdits()
  readonly segments = new Segments()
  readonly #facts: ModuleFacts
  readonly #stack = new OperandStack()
  readonly #frames: Frame[] = []
  /** Shapes of the NaNs that locals may hold; kept while a function is walked through again. */
  readonly #nanLocals = new Map<number, number>()
  #nanLocalsChanged = false
  #survey!: BodySurvey
  #reader!: InstructionReader
  #live = true
  #segment = 0

  constructor(facts: ModuleFacts) {
    this.#facts = facts
  }

  /** Greatest height of the operand stack. */
  get highest(): number {
    return this.#stack.highest
  }

  plan(survey: BodySurvey, type: FunctionType): void {
    this.#survey = survey
    this.#nanLocals.clear()
    // A local that turns out to hold a NaN may have been read further up, so the walk is repeated until nothing is new.
    for (let walks = 1; ; walks++) {
      this.#walk(type)
      if (!this.#nanLocalsChanged) return
      if (walks === mostWalks) this.#suspectAllLocals(type)
    }
  }

  #suspectAllLocals({ params }: FunctionType): void {
    let next = 0
    const suspect = (count: number, type: ValueType) => {
      const shape = type === 'f32' ? nanShape.f32 : type === 'f64' ? nanShape.f64 : nanShape.none
      for (let local = next; shape !== nanShape.none && local < next + count; local++) this.#nanLocals.set(local, shape)
      next += count
    }
    for (const param of params) suspect(1, param)
    forEachLocalGroup(this.#facts.layout.bytes, this.#survey.start, suspect)
  }

  #walk(type: FunctionType): void {
    const { code, end } = this.#survey
    this.edits.clear()
    this.segments.clear()
    this.#stack.clear()
    this.#frames.length = 0
    this.#nanLocalsChanged = false
    this.#live = true
    this.#segment = 0
    this.#reader = new InstructionReader(this.#facts.layout.bytes, code)
    this.#enter(opcodes.block, 0, type.results.length)
    this.#openSegment(code)
    const reader = this.#reader
    while (reader.at < end) {
      reader.next()
      this.segments.cost[this.#segment]! += instructionCosts[reader.opcode]!
      if (reader.opcode <= opcodes.returnCallIndirect) this.#control()
      else if (this.#live) this.#plain(reader.opcode)
    }
  }

  #openSegment(at: number): void {
    this.#segment = this.segments.open(this.#frames.at(-1)!.loop)
    this.edits.add(editKind.charge, at, at, this.#segment)
  }

  // ---- control

  #control(): void {
    const { opcode, first, at } = this.#reader
    switch (opcode) {
      case opcodes.block:
      case opcodes.loop:
      case opcodes.if:
        this.#open(opcode)
        break
      case opcodes.else:
        this.#else()
        break
      case opcodes.end:
        this.#end()
        break
      case opcodes.br:
        this.#branch(first, true)
        this.#die()
        break
      case opcodes.brIf:
        if (!this.#live) break
        this.#stack.height--
        this.#branch(first)
        this.#openSegment(at)
        break
      case opcodes.brTable:
        if (this.#live) this.#stack.height--
        for (const label of this.#reader.labels) this.#branch(label)
        this.#die()
        break
      case opcodes.return:
        if (this.#live) this.edits.add(editKind.leave, this.#reader.start, at, this.#frames.length - 1)
        this.#branch(this.#frames.length - 1)
        this.#die()
        break
      case opcodes.unreachable:
        this.#die()
        break
      case opcodes.call:
      case opcodes.callIndirect:
      case opcodes.returnCall:
      case opcodes.returnCallIndirect:
        if (this.#live) this.#call(opcode)
        break
    }
  }

  #open(opcode: number): void {
    const { first, start, at } = this.#reader
    const type = first >= 0 ? this.#facts.layout.types[first]! : undefined
    const params = type?.params.length ?? 0
    const results = type?.results.length ?? (first === emptyType ? 0 : 1)
    if (this.#live) {
      if (opcode === opcodes.if) this.#stack.height--
      this.#settle(params)
      this.#stack.height -= params
      this.#stack.pushMany(params, -1, nanShape.none)
    }
    this.#enter(opcode, params, results)
    if (!this.#live || opcode === opcodes.block) return
    if (opcode === opcodes.loop) {
      this.edits.add(editKind.loadFuel, start, start, this.#frames.at(-1)!.loop)
    }
    this.#openSegment(at)
    if (opcode === opcodes.loop) this.segments.loopHead[this.#frames.at(-1)!.loop] = this.#segment
  }

  #enter(opcode: number, params: number, results: number): void {
    const outer = this.#frames.at(-1)
    this.#frames.push({
      opcode,
      params,
      results,
      height: this.#stack.height - (this.#live ? params : 0),
      segment: this.#segment,
      loop: opcode === opcodes.loop ? this.segments.openLoop(outer?.loop ?? -1) : (outer?.loop ?? -1),
      live: this.#live,
      escapes: this.#frames.length,
      backs: [],
      calls: false,
      nan: nanShape.none,
    })
  }

  #else(): void {
    const frame = this.#frames.at(-1)!
    this.#results(frame)
    this.#live = frame.live
    if (!this.#live) return
    this.#stack.height = frame.height
    this.#stack.pushMany(frame.params, -1, nanShape.none)
    this.#openSegment(this.#reader.at)
  }

  #end(): void {
    const frame = this.#frames.at(-1)!
    this.#results(frame)
    this.#frames.pop()
    const outer = this.#frames.at(-1)
    this.#live = frame.live
    if (frame.opcode === opcodes.loop) this.#endLoop(frame)
    if (outer === undefined) return
    outer.escapes = Math.min(outer.escapes, frame.escapes)
    outer.calls ||= frame.calls
    if (!this.#live) return
    this.#stack.height = frame.height
    this.#stack.pushMany(frame.results, this.#reader.at, frame.results === 1 ? frame.nan : nanShape.none)
    // What follows runs as often as what stood before, unless something in here leaves for further out.
    if (frame.escapes >= this.#frames.length) this.#segment = frame.segment
    else this.#openSegment(this.#reader.at)
  }

  /**
   * The head of a loop runs once for the code before it, and once for each branch back. So its fuel is taken there, which
   * saves one of two charges per round in loops that begin with their condition, as long as all branches back are certain.
   */
  #endLoop(frame: Frame): void {
    const { segments } = this
    segments.loopIsLeaf[frame.loop] = !frame.calls
    if (!frame.live || frame.backs?.length === 0) return
    const head = segments.loopHead[frame.loop]!
    if (frame.backs === undefined || frame.backs.includes(head)) {
      segments.checks[head] = true
      return
    }
    for (const segment of [frame.segment, ...frame.backs]) segments.cost[segment]! += segments.cost[head]!
    for (const segment of frame.backs) segments.checks[segment] = true
    segments.cost[head] = 0
  }

  /** @param certain whether the branch is taken whenever its segment runs */
  #branch(label: number, certain = false): void {
    if (!this.#live) return
    const target = this.#frames.length - 1 - label
    const inner = this.#frames.at(-1)!
    const frame = this.#frames[target]!
    const isLoop = frame.opcode === opcodes.loop
    inner.escapes = Math.min(inner.escapes, target)
    // Otherwise values could be made for nothing: what makes them costs nothing, and what uses them pays.
    const kept = isLoop ? frame.params : frame.results
    this.segments.cost[this.#segment]! += this.#stack.height - frame.height - kept
    if (!isLoop) this.#results(frame)
    else {
      if (certain) frame.backs?.push(this.#segment)
      else frame.backs = undefined
      this.#settle(frame.params)
    }
  }

  /** The values on the stack become results of a frame. The results of the body are settled: they leave the function. */
  #results(frame: Frame): void {
    if (!this.#live) return
    const { height, nan } = this.#stack
    const shape = frame.results === 1 ? nan[height - 1]! : nanShape.none
    const passes = shape === nanShape.none || shape === nanShape.f32 || shape === nanShape.f64
    if (frame.results === 1 && passes && this.#frames[0] !== frame) frame.nan ||= shape
    else this.#settle(frame.results)
  }

  #die(): void {
    this.#live = false
    this.#segment = 0
  }

  #call(opcode: number): void {
    const { layout } = this.#facts
    const { first, start, at } = this.#reader
    const direct = opcode === opcodes.call || opcode === opcodes.returnCall
    const { params, results } = direct ? typeOfFunction(layout, first) : layout.types[first]!
    if (direct && first < layout.importedFunctions) this.segments.cost[this.#segment]! += fuelCosts.hostCall
    if (!direct) this.#stack.height--
    this.#settle(params.length)
    this.#stack.height -= params.length
    this.#frames.at(-1)!.calls = true
    if (opcode === opcodes.call || opcode === opcodes.callIndirect) {
      this.#stack.pushMany(results.length, at, nanShape.none)
      return
    }
    this.edits.add(editKind.giveBack, start, start)
    const inner = this.#frames.at(-1)!
    inner.escapes = 0
    this.#die()
  }

  // ---- operands

  #plain(opcode: number): void {
    switch (opcode) {
      case opcodes.localGet:
        this.#stack.push(this.#reader.at, this.#nanLocals.get(this.#reader.first) ?? nanShape.none)
        return
      case opcodes.localSet:
      case opcodes.localTee:
        this.#setLocal(opcode)
        return
      case opcodes.memorySize:
        this.edits.add(editKind.memorySize, this.#reader.start, this.#reader.at)
        break
      case opcodes.memoryGrow:
        this.#helped(editKind.memoryGrow, this.#reader.start, this.#reader.at)
        break
      case opcodes.tableGrow:
        this.#helped(editKind.tableGrow, this.#reader.start, this.#reader.at, this.#reader.first)
        break
      case opcodes.memoryFill:
      case opcodes.memoryCopy:
      case opcodes.memoryInit:
        this.#helped(editKind.bulkMemory, this.#reader.start, this.#reader.start)
        break
      case opcodes.tableFill:
      case opcodes.tableCopy:
      case opcodes.tableInit:
        this.#helped(editKind.bulkTable, this.#reader.start, this.#reader.start)
        break
    }
    this.#operate(opcode)
  }

  #helped(kind: number, start: number, end: number, first = 0): void {
    this.edits.add(kind, start, end, first)
    this.#frames.at(-1)!.calls = true
  }

  #operate(opcode: number): void {
    const stack = this.#stack
    const taken = pops[opcode]!
    const passed = this.#survey.makesNans && taken > 0 ? this.#useNans(opcode, taken) : nanShape.none
    stack.height -= taken
    if (pushes[opcode] === 1) stack.push(this.#reader.at, nanResults[opcode]! || passed)
  }

  /** @returns the shape that is handed on */
  #useNans(opcode: number, taken: number): number {
    const { height, nan } = this.#stack
    const use = nanUses[opcode]!
    let passed: number = nanShape.none
    for (let at = height - taken; at < height; at++) {
      const shape = nan[at]!
      if (shape === nanShape.none || use === nanUse.ignores) continue
      if (use === nanUse.ignoresF32x4 && shape === nanShape.f32x4) continue
      if (use === nanUse.ignoresF64x2 && shape === nanShape.f64x2) continue
      if (use === nanUse.passes && shape <= nanShape.f64) passed = shape
      else this.#canonical(at)
    }
    return passed
  }

  #setLocal(opcode: number): void {
    const stack = this.#stack
    const { first, at } = this.#reader
    const top = stack.height - 1
    const shape = stack.nan[top]!
    if (shape === nanShape.f32 || shape === nanShape.f64) this.#holdsNan(first, shape)
    else if (shape !== nanShape.none) this.#canonical(top)
    stack.height--
    if (opcode === opcodes.localTee) stack.push(at, this.#nanLocals.get(first) ?? nanShape.none)
  }

  #holdsNan(local: number, shape: number): void {
    if (this.#nanLocals.has(local)) return
    this.#nanLocals.set(local, shape)
    this.#nanLocalsChanged = true
  }

  /** The topmost values go where their bits may be seen. */
  #settle(count: number): void {
    if (!this.#survey.makesNans) return
    const { height, nan } = this.#stack
    for (let at = height - count; at < height; at++) if (nan[at] !== nanShape.none) this.#canonical(at)
  }

  /** A value is made canonical where it was made, and is the guest's own from then on. */
  #canonical(slot: number): void {
    const { madeAt, nan } = this.#stack
    this.edits.add(editKind.canonical, madeAt[slot]!, madeAt[slot]!, nan[slot]!)
    nan[slot] = nanShape.none
  }
}
