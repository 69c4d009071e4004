/**
 * The part of the WebAssembly JavaScript API that the engine uses, with JavaScript Promise Integration (`Suspending`,
 * `promising`), which neither TypeScript's standard library without a DOM nor `@types/node` declares.
 */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  /** @returns the former size in pages. @throws RangeError beyond the maximum */
  grow(pages: number): number
}

export type WasmValue = number | bigint | null | object

export interface WasmGlobal {
  value: WasmValue
}

export interface WasmTable {
  readonly length: number
  get(index: number): unknown
  set(index: number, value: unknown): void
}

export type WasmFunction = (...parameters: never[]) => unknown
type WasmExport = WasmMemory | WasmGlobal | WasmTable | WasmFunction
export type WasmImports = Record<string, Record<string, unknown>>

export interface WasmModule {
  readonly [Symbol.toStringTag]: string
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, WasmExport>>
}

interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    customSections(module: WasmModule, name: string): ArrayBuffer[]
  }
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance
  readonly RuntimeError: new (message?: string) => Error
  readonly CompileError: new (message?: string) => Error
  /** What a guest gets that calls a suspending import where it cannot be suspended. */
  readonly SuspendError?: new (
    message?: string,
  ) => Error
  /** Makes an import suspend its caller while the promise it answers is pending. */
  readonly Suspending: new (
    host: (...parameters: never[]) => unknown,
  ) => object
  /** Makes an export answer with a promise, so that it may be suspended. */
  promising(guest: WasmFunction): (...parameters: number[]) => Promise<unknown>
}

export const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
