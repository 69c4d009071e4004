import { u32 } from '../../module/byte-writer.ts'
import { op } from '../../module/code.ts'
import { opcodes } from '../../module/instructions.ts'
import { bulkMemory, changeTable } from './bulk-statements.ts'
import { address, entryOfType, expression, expressionsOf, leaf, memoryArgument, size } from './expressions.ts'
import type { FunctionWriter, Label } from './function-writer.ts'
import { type Letter, stores } from './instruction-table.ts'
import type { Signature } from './shape.ts'

const drop = 0x1a
const elseCode = 0x05
const loopCode = 0x03
const deepest = 4
const nothing: Signature = { params: [], results: [] }

/** Writes some statements, which leave the stack as it was. */
export function statements(to: FunctionWriter, depth: number): void {
  if (depth > deepest) return
  for (let count = to.draw.between(1, 3); count > 0 && to.budget > 0; count--) statement(to, depth)
}

function statement(to: FunctionWriter, depth: number): void {
  to.budget--
  to.draw.weighted<() => void>([
    [10, () => assign(to, depth)],
    [8, () => store(to, depth)],
    [5, () => setGlobal(to, depth)],
    [5, () => callSomething(to, undefined, depth)],
    [5, () => conditional(to, [], depth)],
    [4, () => loopWithResults(to, [], depth)],
    [3, () => multiBlock(to, undefined, depth)],
    [4, () => block(to, depth)],
    [4, () => branch(to, depth)],
    [4, () => bulkMemory(to, depth)],
    [4, () => changeTable(to, depth)],
    [
      2,
      () => {
        expression(to, to.draw.pick(['i', 'I', 'f', 'F', 'v', 'r', 'x'] as const), depth + 1)
        to.emit(drop)
      },
    ],
    [1, () => to.emit(0x01)],
  ])()
}

function assign(to: FunctionWriter, depth: number): void {
  const type = to.draw.pick(['i', 'I', 'f', 'F', 'v', 'r', 'x'] as const)
  const local = to.someLocal(type)
  if (local === undefined) return
  expression(to, type, depth + 1)
  to.set(local)
}

function store(to: FunctionWriter, depth: number): void {
  const chosen = to.draw.pick(stores)
  const offset = address(to, depth)
  expression(to, chosen.type, depth + 1)
  memoryArgument(to, chosen, offset)
  if (chosen.lanes > 0) to.emit(to.draw.below(chosen.lanes))
}

function setGlobal(to: FunctionWriter, depth: number): void {
  const mutable = to.shape.globals.flatMap((global, index) => (global.mutable ? [{ ...global, index }] : []))
  if (mutable.length === 0) return
  const { type, index } = to.draw.pick(mutable)
  expression(to, type, depth + 1)
  to.emit(op.globalSet, ...u32(index))
}

/** Drops values, or puts them into locals. */
function consume(to: FunctionWriter, types: readonly Letter[]): void {
  for (const type of types.toReversed()) {
    const local = to.someLocal(type)
    if (local === undefined || to.draw.chance(30)) to.emit(drop)
    else to.set(local)
  }
}

/**
 * Calls a function or the host, in one of five ways.
 * @param wanted what must be left on the stack; undefined: nothing, whatever the callee answers
 */
export function callSomething(to: FunctionWriter, wanted: readonly Letter[] | undefined, depth: number): void {
  const { draw, shape, index } = to
  const fits = ({ results }: Signature) => wanted === undefined || results.join() === wanted.join()
  const functions = shape.functions.flatMap((type, callee) =>
    fits(shape.types[type]!) && (callee > index || draw.chance(2)) ? [callee] : [],
  )
  const hosts = shape.imports.flatMap((host, callee) => (fits(host) ? [callee] : []))
  const types = shape.types.flatMap((type, number) =>
    fits(type) && (inTable(to, number) || draw.chance(2)) ? [number] : [],
  )
  const mayCallTable = types.length > 0 && (index < shape.firstLeaf || draw.chance(2))
  const call = draw.weighted<(() => Signature) | undefined>([
    [functions.length === 0 ? 0 : 6, () => direct(to, draw.pick(functions), depth)],
    [hosts.length === 0 ? 0 : 4, () => callHost(to, draw.pick(hosts), depth)],
    [mayCallTable ? 3 : 0, () => indirect(to, draw.pick(types), depth)],
    [1, undefined],
  ])
  if (call === undefined) {
    if (wanted !== undefined) for (const type of wanted) leaf(to, type)
    return
  }
  const { results } = call()
  if (wanted === undefined) consume(to, results)
}

function inTable({ shape }: FunctionWriter, type: number): boolean {
  return shape.elements[0]!.entries.some((entry) => shape.functions[entry] === type)
}

function direct(to: FunctionWriter, callee: number, depth: number): Signature {
  const type = to.shape.types[to.shape.functions[callee]!]!
  expressionsOf(to, type.params, depth + 2)
  to.emit(op.call, ...u32(to.shape.imports.length + callee))
  return type
}

function indirect(to: FunctionWriter, type: number, depth: number): Signature {
  const found = to.shape.types[type]!
  expressionsOf(to, found.params, depth + 2)
  entryOfType(to, type)
  to.emit(0x11, ...u32(type), 0)
  return found
}

function callHost(to: FunctionWriter, callee: number, depth: number): Signature {
  const host = to.shape.imports[callee]!
  ;[...host.roles].forEach((role, index) => {
    if (role === 'a') {
      const offset = address(to, depth + 1)
      to.i32(offset)
      to.emit(op.i32Add)
    } else if (role === 's') size(to, depth + 1)
    else if (host.params[index] === 'I') expression(to, 'I', depth + 2)
    else to.i32(to.draw.below(6))
  })
  to.emit(op.call, ...u32(callee))
  return host
}

/** `if`, with or without `else`. */
export function conditional(to: FunctionWriter, results: readonly Letter[], depth: number): void {
  expression(to, 'i', depth + 1)
  to.open(op.if, { params: [], results }, { types: results, loops: false })
  statements(to, depth + 1)
  expressionsOf(to, results, depth + 1)
  if (results.length > 0 || to.draw.chance(60)) {
    to.emit(elseCode)
    statements(to, depth + 1)
    expressionsOf(to, results, depth + 1)
  }
  to.close()
}

function block(to: FunctionWriter, depth: number): void {
  to.open(op.block, nothing, { types: [], loops: false })
  statements(to, depth + 1)
  to.close()
}

/**
 * A loop in a block. A local of its own counts the rounds, so that it ends whatever its body does; seldom it does not count.
 */
export function loopWithResults(to: FunctionWriter, results: readonly Letter[], depth: number): void {
  const { draw } = to
  const counter = to.addLocal('i')
  to.i32(draw.below(7))
  to.set(counter)
  to.open(op.block, { params: [], results }, { types: results, loops: false })
  to.open(loopCode, { params: [], results }, { types: [], loops: true })
  countRound(to, counter, () => expressionsOf(to, results, deepest + 1))
  statements(to, depth + 1)
  if (draw.chance(80)) to.emit(op.br, 0)
  else expressionsOf(to, results, depth + 1)
  to.close()
  to.close()
}

/** Leaves the block around the loop when the rounds are over. */
function countRound(to: FunctionWriter, counter: number, leaveResults: () => void): void {
  to.get(counter)
  to.emit(0x45)
  to.open(op.if, nothing, { types: [], loops: false })
  leaveResults()
  to.emit(op.br, 2)
  to.close()
  to.get(counter)
  to.i32(to.draw.chance(0.5) ? 0 : 1)
  to.emit(op.i32Sub)
  to.set(counter)
}

/** A block, `if` or loop with the parameters and results of one of the module's types. */
export function multiBlock(to: FunctionWriter, wanted: readonly Letter[] | undefined, depth: number): void {
  const { draw, shape } = to
  const fitting = shape.types.filter(({ results }) => wanted === undefined || results.join() === wanted.join())
  if (fitting.length === 0) {
    for (const type of wanted ?? []) leaf(to, type)
    return
  }
  const type = draw.pick(fitting)
  if (draw.chance(30)) loopWithParameters(to, type, depth)
  else {
    expressionsOf(to, type.params, depth + 1)
    const branches = draw.chance(40)
    if (branches) expression(to, 'i', depth + 1)
    to.open(branches ? op.if : op.block, type, { types: type.results, loops: false })
    arm(to, type, depth)
    if (branches) {
      to.emit(elseCode)
      arm(to, type, depth)
    }
    to.close()
  }
  if (wanted === undefined) consume(to, type.results)
}

function arm(to: FunctionWriter, { params, results }: Signature, depth: number): void {
  consume(to, params)
  statements(to, depth + 1)
  expressionsOf(to, results, depth + 1)
}

function loopWithParameters(to: FunctionWriter, type: Signature, depth: number): void {
  const around = to.shape.types.find(({ params, results }) => params.length === 0 && same(results, type.results))
  if (type.results.length > 1 && around === undefined) {
    for (const result of type.results) leaf(to, result)
    return
  }
  const counter = to.addLocal('i')
  to.i32(to.draw.below(5))
  to.set(counter)
  to.open(op.block, { params: [], results: type.results }, { types: type.results, loops: false })
  expressionsOf(to, type.params, depth + 1)
  to.open(loopCode, type, { types: type.params, loops: true })
  consume(to, type.params)
  countRound(to, counter, () => expressionsOf(to, type.results, deepest + 1))
  statements(to, depth + 1)
  if (to.draw.chance(50)) {
    expressionsOf(to, type.params, depth + 1)
    to.emit(op.br, 0)
  } else expressionsOf(to, type.results, depth + 1)
  to.close()
  to.close()
}

function same(a: readonly Letter[], b: readonly Letter[]): boolean {
  return a.join() === b.join()
}

/** A branch out of blocks, back to loops, out of the function, or into a tail call. */
function branch(to: FunctionWriter, depth: number): void {
  const { draw, labels } = to
  const target = draw.below(labels.length)
  const { types } = labels[labels.length - 1 - target]!
  draw.weighted<() => void>([
    [
      8,
      () => {
        expressionsOf(to, types, depth + 1)
        expression(to, 'i', depth + 1)
        to.emit(op.brIf, ...u32(target))
        consume(to, types)
      },
    ],
    [2, () => guarded(to, depth, () => leave(to, target, types, depth))],
    [3, () => branchTable(to, types, depth)],
    [
      1,
      () =>
        guarded(to, depth, () => {
          expressionsOf(to, to.signature.results, depth + 1)
          to.emit(op.return)
        }),
    ],
    [2, () => guarded(to, depth, () => tailCall(to, depth))],
    [draw.chance(10) ? 1 : 0, () => guarded(to, depth, () => to.emit(op.unreachable))],
  ])()
}

/** Something that does not come back, under a condition, so that what follows is not dead most of the time. */
function guarded(to: FunctionWriter, depth: number, write: () => void): void {
  if (to.draw.chance(15)) {
    write()
    return
  }
  expression(to, 'i', depth + 1)
  to.open(op.if, nothing, { types: [], loops: false })
  write()
  to.close()
}

/** @param target counted without the condition around it, if there is one */
function leave(to: FunctionWriter, target: number, types: readonly Letter[], depth: number): void {
  const at = to.labels.findLastIndex(
    (label, index) => same(label.types, types) && index <= to.labels.length - 1 - target,
  )
  expressionsOf(to, types, depth + 1)
  to.emit(op.br, ...u32(to.labels.length - 1 - at))
}

function branchTable(to: FunctionWriter, types: readonly Letter[], depth: number): void {
  const write = () => {
    const targets = fitting(to.labels, types)
    expressionsOf(to, types, depth + 1)
    expression(to, 'i', depth + 1)
    const listed = to.draw.list(to.draw.below(5), () => to.draw.pick(targets))
    to.emit(0x0e, ...u32(listed.length), ...listed.flatMap(u32), ...u32(to.draw.pick(targets)))
  }
  guarded(to, depth, write)
}

/** Numbers of the labels that take these types along. */
function fitting(labels: readonly Label[], types: readonly Letter[]): number[] {
  return labels.flatMap((label, index) => (same(label.types, types) ? [labels.length - 1 - index] : []))
}

function tailCall(to: FunctionWriter, depth: number): void {
  const { draw, shape, index, signature } = to
  const fits = (type: number) => same(shape.types[type]!.results, signature.results)
  const functions = shape.functions.flatMap((type, callee) => (callee > index && fits(type) ? [callee] : []))
  const types = shape.types.flatMap((_, type) => (fits(type) && (inTable(to, type) || draw.chance(2)) ? [type] : []))
  if (functions.length > 0 && draw.chance(70)) {
    const callee = draw.pick(functions)
    expressionsOf(to, shape.types[shape.functions[callee]!]!.params, depth + 2)
    to.emit(opcodes.returnCall, ...u32(shape.imports.length + callee))
  } else if (types.length > 0 && index < shape.firstLeaf) {
    const type = draw.pick(types)
    expressionsOf(to, shape.types[type]!.params, depth + 2)
    entryOfType(to, type)
    to.emit(opcodes.returnCallIndirect, ...u32(type), 0)
  }
}
