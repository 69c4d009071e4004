import { name, u32, vector } from '../../../src/engine/module/byte-writer.ts'
import { op } from '../../../src/engine/module/code.ts'
import { type FunctionType, type ValueType, valueCodes } from '../../../src/engine/module/layout.ts'
import {
  type WasmFunction,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  wasm,
} from '../../../src/engine/webassembly.ts'

/** Bytes of a slot for one value in the memory of an adapter. */
const slotBytes = 16
const loads: Readonly<Record<string, readonly number[]>> = {
  i32: [0x28],
  i64: [0x29],
  f32: [0x2a],
  f64: [0x2b],
  v128: [0xfd, 0x00],
}
const stores: Readonly<Record<string, readonly number[]>> = {
  i32: [0x36],
  i64: [0x37],
  f32: [0x38],
  f64: [0x39],
  v128: [0xfd, 0x0b],
}

const modules = new Map<string, WasmModule>()

function isReference(type: ValueType): boolean {
  return type === 'funcref' || type === 'externref'
}

/**
 * Calls functions of any type with exact bits, which JavaScript cannot: it has no vectors and changes NaNs. A small module
 * takes parameters out of its memory and puts the results there; references go in and out as they are.
 */
export class Adapter {
  readonly #type: FunctionType
  readonly #instance: WasmInstance

  constructor(type: FunctionType, callee: WasmFunction) {
    this.#type = type
    const key = JSON.stringify(type)
    const module = modules.get(key) ?? new wasm.Module(adapterModule(type))
    modules.set(key, module)
    this.#instance = new wasm.Instance(module, { m: { f: callee } })
  }

  /**
   * @param parameters 16 bytes for each number or vector, something else for a reference
   * @returns likewise
   */
  call(parameters: readonly unknown[]): unknown[] {
    const { params, results } = this.#type
    const memory = Buffer.from((this.#instance.exports.memory as WasmMemory).buffer)
    const references: unknown[] = []
    params.forEach((type, index) => {
      if (isReference(type)) references.push(parameters[index])
      else memory.set(parameters[index] as Uint8Array, index * slotBytes)
    })
    const answer = (this.#instance.exports.call as WasmFunction)(...(references as never[]))
    const answers = results.filter(isReference).length > 1 ? [...(answer as unknown[])] : [answer]
    return results.map((type, index) =>
      isReference(type) ? answers.shift() : memory.subarray(index * slotBytes, (index + 1) * slotBytes),
    )
  }
}

/** Parameters of the adapter are the references; locals behind them hold the results until they are stored. */
function adapterModule({ params, results }: FunctionType): Uint8Array {
  const codes = (types: readonly ValueType[]) => vector(types.map((type) => [valueCodes.get(type)!]))
  const referencesIn = params.filter(isReference)
  const body: number[] = []
  let reference = 0
  params.forEach((type, index) => {
    if (isReference(type)) body.push(op.localGet, ...u32(reference++))
    else body.push(op.i32Const, 0, ...loads[type]!, 0, ...u32(index * slotBytes))
  })
  body.push(op.call, 0)
  const local = (index: number) => u32(referencesIn.length + index)
  for (let index = results.length - 1; index >= 0; index--) body.push(op.localSet, ...local(index))
  results.forEach((type, index) => {
    if (isReference(type)) body.push(op.localGet, ...local(index))
    else body.push(op.i32Const, 0, op.localGet, ...local(index), ...stores[type]!, 0, ...u32(index * slotBytes))
  })
  const declared = vector(results.map((type) => [1, valueCodes.get(type)!]))
  const code = [...declared, ...body, op.end]
  const section = (id: number, content: readonly number[]) => [id, ...u32(content.length), ...content]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      vector([
        [0x60, ...codes(params), ...codes(results)],
        [0x60, ...codes(referencesIn), ...codes(results.filter(isReference))],
      ]),
    ),
    ...section(2, vector([[...name('m'), ...name('f'), 0, 0]])),
    ...section(3, [1, 1]),
    ...section(5, [1, 0, 1]),
    ...section(
      7,
      vector([
        [...name('call'), 0, 1],
        [...name('memory'), 2, 0],
      ]),
    ),
    ...section(10, vector([[...u32(code.length), ...code]])),
  ])
}
