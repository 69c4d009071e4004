/**
 * The execution engine runs applets: untrusted WebAssembly modules whose every input is part of the batch. A call sees fresh
 * memory, touches the world through {@link HostContext} only, and cannot take more than its limits. The engine knows nothing
 * of batches, databases or threads; whoever calls it owns the thread.
 */
import type { SqlRequest, SqlResult } from '../database/database.ts'
import type { HostFiles } from './wasi/files/host-files.ts'

export type MaybePromise<T> = T | Promise<T>

/** A module that passed the examination, with the bytes that are run: the original, made deterministic, metered, and such that it can be reset. */
export interface PreparedModule {
  /** SHA-256 of the original bytes, hexadecimal without prefix: what receipts name. */
  readonly codeHash: string
  /** The rewritten bytes. A pure function of the original and the engine's version. */
  readonly bytes: Uint8Array
  /** Exported functions `(i32) -> i32`, which strategies may name. */
  readonly handlers: readonly string[]
  /** Exported functions `(i32, i32) -> i32`, which the REDUCE operators of flows may name. */
  readonly reducers: readonly string[]
  /** Imports, as `module.name`. */
  readonly imports: readonly string[]
}

/** What a handler call may take. Every field is an option of the project with a default. */
export interface CallLimits {
  /** Units of `docs/spec/fuel.md`. @default 1_000_000_000: some tenths of a second of computing */
  readonly fuel: number
  /** Stack that nested calls may take, bytes by the count of `docs/spec/fuel.md`. @default 512 KiB */
  readonly stackBytes: number
  /** Entries of one table that grows. @default 65_536 */
  readonly tableEntries: number
  /** Linear memory, 64 KiB pages. @default 512 (32 MiB) */
  readonly memoryPages: number
  /** Log lines of one call; those above are counted and dropped. @default 1000 */
  readonly logLines: number
  /** Bytes of one log line; a longer one is cut. @default 4096 */
  readonly logLineBytes: number
  /** Calls of host functions, WASI included. @default 1_000_000 */
  readonly hostCalls: number
  /** Bytes that one host call may hand to the guest or take from it. @default 4 MiB */
  readonly transferBytes: number
}

export interface Transaction {
  /** Zero means: the chain named `chainName`. */
  readonly chainId: bigint
  readonly chainName: string
  readonly to: string
  /** Wei. */
  readonly value: bigint
  /** Hexadecimal with prefix. */
  readonly data: string
  /** Empty: the project's operator, else the account's `default`. */
  readonly operatorName: string
}

/**
 * What a running handler may ask of its host; one object per call. An answer that is a promise suspends the guest. A method
 * that throws {@link HostFault} makes the host function return its failure code, with the text as a log line of the host;
 * any other error ends the call as a fault of the node.
 */
export interface HostContext {
  /** @param source who speaks: `wasmCode` the guest, `wasmExportFunc` the host on its behalf */
  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void
  kvGet(key: string): MaybePromise<Uint8Array | undefined>
  kvPut(key: string, value: Uint8Array): MaybePromise<void>
  /** @throws HostFault NoDatabase, Sql */
  sqlExecute(request: SqlRequest): MaybePromise<SqlResult>
  sqlQuery(request: SqlRequest): MaybePromise<SqlResult>
  env(key: string): string | undefined
  /** Signs, notes the effect, returns the transaction's hash; nothing is sent before the commit. */
  sendTransaction(transaction: Transaction): MaybePromise<string>
  callContract(call: { chainId: bigint; to: string; data: string }): MaybePromise<Uint8Array>
  publishMqtt(topic: string, payload: Uint8Array): void
  /** The message that caused this call, when it came by MQTT. */
  mqttMessage(): { topic: string; payload: Uint8Array } | undefined
  /**
   * The device that the message of this call came from; undefined when none sent it. `signed`: its own signature proves it,
   * else the member vouches that admitted it.
   */
  publisher(): { key: string; signed: boolean } | undefined
  /** @param request the JSON of the guest; the answer is JSON too */
  apiCall(request: Uint8Array): MaybePromise<Uint8Array>
  /** @param json valid JSON, not an array */
  submitMetrics(json: string): void
  /** What WASI's files are; asked once, when the guest first uses one. */
  files(): HostFiles
}

/** A refusal by the host that the guest sees as a failure code. */
export class HostFault extends Error {
  readonly reason: 'NoDatabase' | 'Sql' | 'Chain' | 'Limit' | 'Invalid'
  /** The limit that refused, if one did: named in the receipt. */
  readonly limit: LimitCode | undefined
  constructor(reason: HostFault['reason'], message: string, options?: { cause?: unknown; limit?: LimitCode }) {
    super(message, options)
    this.reason = reason
    this.limit = options?.limit
  }
}

/**
 * Limits that refuse something without ending the call; the call's receipt names those that were reached.
 * `docs/errors.md`, section results of handlers.
 */
export type LimitCode =
  | 'MEMORY_LIMIT'
  | 'TABLE_LIMIT'
  | 'LOG_LIMIT'
  | 'TRANSFER_LIMIT'
  | 'RESOURCE_LIMIT'
  | 'KV_KEY_LIMIT'
  | 'KV_VALUE_LIMIT'
  | 'SQL_LIMIT'
  | 'EFFECT_LIMIT'
  | 'BATCH_LIMIT'
  | 'FILE_LIMIT'

export interface HandlerCall {
  /** Name of an export `(i32) -> i32`, or `(i32, i32) -> i32` when there is an {@link accumulator}. */
  readonly handler: string
  /**
   * For reducers, which are called with two resources: the data behind the first. Null is the call for the first element,
   * with 0 in the place of a resource.
   */
  readonly accumulator?: Uint8Array | null
  /** Tells the data of the resource whose number the handler returned, which is how operators of flows answer. @default false */
  readonly wantsData?: boolean
  /** Payload of the resource that the handler is given. */
  readonly payload: Uint8Array
  readonly host: HostContext
  /** The batch's clock, nanoseconds since 1970. */
  readonly clockNs: bigint
  /** 32 bytes from which everything random of this call follows. */
  readonly seed: Uint8Array
  readonly limits: CallLimits
}

/** What every call tells of itself. */
interface CallReport {
  readonly fuel: bigint
  /** Limits that refused something, each once, in the order of their first refusal. Absent: none did. */
  readonly limits?: readonly LimitCode[]
}

/** How a call ended. */
export type HandlerOutcome = ReturnedCall | FailedCall

interface ReturnedCall extends CallReport {
  readonly type: 'returned'
  readonly code: number
  /** Of the resource with that number, when the call wanted it and there is one. */
  readonly data?: Uint8Array
}

export interface FailedCall extends CallReport {
  readonly type: 'failed'
  /** One of `docs/errors.md`, section results of handlers. */
  readonly error: HandlerErrorCode
  /** For people, but part of the receipt: in our words, which are the same on every machine. */
  readonly message: string
  /** For the log: the frames of the guest, innermost first. */
  readonly trace?: readonly GuestFrame[]
}

/** A place in the guest's code, in terms of the original module. */
export interface GuestFrame {
  /** Index among all functions of the module. */
  readonly function: number
  /** From the name section, where there is one. */
  readonly name?: string
  /** Offset in the original file, bytes: what source maps are about. */
  readonly offset: number
}

export type HandlerErrorCode =
  /** The engine trapped: unreachable, out of bounds, division by zero, stack overflow, … */
  | 'TRAP'
  /** The guest called `proc_exit`. */
  | 'EXIT'
  /** `func not imported` to devices: the module has no such handler. */
  | 'HANDLER_NOT_EXPORTED'
  /** The call used up its fuel. */
  | 'FUEL_LIMIT'
  /** Calls nested too deeply. */
  | 'STACK_LIMIT'
  /** A trap after memory was refused, or a module that needs more than the limit. */
  | 'MEMORY_LIMIT'
  | 'TABLE_LIMIT'
  | 'HOST_CALL_LIMIT'
  /** Stopped by the watchdog: the operator's emergency, never the same on two machines. */
  | 'WALL_CLOCK'

/** An applet in memory, ready to be called. One call at a time: the caller awaits one before it begins the next. */
export interface LoadedModule {
  readonly codeHash: string
  call(call: HandlerCall): MaybePromise<HandlerOutcome>
  /** Lets its memory go; the next call begins from the compiled module again. */
  evict(): void
}

/** The methods of {@link HostContext} that may answer with a promise, by what they reach: the store, tables, chains, APIs, files. */
export type BlockingFamily = 'kv' | 'sql' | 'chain' | 'api' | 'files'

export interface LoadOptions {
  /** The module as uploaded, asked for when a guest traps: without it the outcome has no trace. */
  readonly original?: () => Uint8Array
  /**
   * Whether host calls of this module may answer with promises, or which of them; such a call costs a suspension, and so
   * does the way into a module that imports one. All others must answer at once.
   */
  readonly mayBlock: boolean | ReadonlySet<BlockingFamily>
  /** The memory limit to compile for; a call with another one compiles again. @default 512 */
  readonly memoryPages?: number
}

export interface Engine {
  /**
   * Examines a module: valid, within the size limits, memory exported, imports known and of the right types, at least one
   * handler.
   * @throws EngineError with every complaint at once
   */
  prepare(wasm: Uint8Array): PreparedModule
  /** Compiles; the instance is made by the first call. @throws EngineError MODULE_STALE */
  load(prepared: PreparedModule, options: LoadOptions): LoadedModule
}
