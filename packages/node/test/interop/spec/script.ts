import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

/** A value as `wast2json` writes it: bits as decimal numbers, lanes of vectors apart. */
export interface Value {
  readonly type: 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref'
  readonly lane_type?: 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64'
  readonly value: string | readonly string[]
}

export interface Action {
  readonly type: 'invoke' | 'get'
  readonly module?: string
  readonly field: string
  readonly args?: readonly Value[]
}

/** A step of a script. `line` is that of the test's text. */
export type Command = { readonly line: number } & (
  | { readonly type: 'module'; readonly name?: string; readonly wasm: string }
  | { readonly type: 'register'; readonly name?: string; readonly as: string }
  | { readonly type: 'action'; readonly action: Action }
  | { readonly type: 'assert_return'; readonly action: Action; readonly expected: readonly Value[] }
  | { readonly type: 'assert_trap' | 'assert_exhaustion'; readonly action: Action; readonly text: string }
  | { readonly type: 'assert_uninstantiable'; readonly wasm: string; readonly text: string }
)

export interface Script {
  readonly name: string
  readonly commands: readonly Command[]
}

/** The tests that `pack.ts` packed. */
export function readScripts(): readonly Script[] {
  const packed = readFileSync(new URL('suite.json.br', import.meta.url))
  return JSON.parse(brotliDecompressSync(packed).toString('utf8')) as Script[]
}
