/**
 * V8's words for the traps of core specification 4.4, and ours, which are those of the specification's own tests. Receipts
 * carry ours: they must not change with the version of the engine below.
 */
const words: readonly (readonly [v8: RegExp, ours: string])[] = [
  [/^unreachable/, 'unreachable'],
  [/^memory access out of bounds/, 'out of bounds memory access'],
  [/^(table access|table index).*out of bounds/, 'out of bounds table access'],
  [/^(data|element) segment.*out of bounds/, 'out of bounds segment access'],
  [/^divide by zero|^remainder by zero/, 'integer divide by zero'],
  [/^divide result unrepresentable/, 'integer overflow'],
  [/^float unrepresentable/, 'invalid conversion to integer'],
  [/^null function or function signature/, 'indirect call type mismatch'],
  [/^Maximum call stack/, 'call stack exhausted'],
]

/** What V8 puts before its words when an instance cannot be made. */
const makingInstance = /^WebAssembly\.Instance\(\): /

/** What a trap is called in a receipt: the same on every machine. */
export function trapWords({ message }: Error): string {
  const told = message.replace(makingInstance, '')
  return words.find(([v8]) => v8.test(told))?.[1] ?? 'trap'
}

/** A frame as V8 tells it: the function's index and an offset in the file that runs. */
export interface RawFrame {
  readonly function: number
  readonly offset: number
}

/** Frames that a trace has at most. V8 keeps ten unless told otherwise. */
const maxFrames = 10

/** The guest's frames of an error that came out of WebAssembly code, innermost first. */
export function framesOf({ stack = '' }: Error): RawFrame[] {
  const found = stack.matchAll(/wasm-function\[(\d+)\]:0x([0-9a-f]+)/g)
  return [...found]
    .slice(0, maxFrames)
    .map(([, index, offset]) => ({ function: Number(index), offset: Number.parseInt(offset!, 16) }))
}
