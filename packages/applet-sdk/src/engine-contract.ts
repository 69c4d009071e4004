import type { ModulePlace } from './debug/source-map.ts'

/**
 * What tests of applets need of an engine. The kit does not depend on the node; whoever runs tests hands in the node's own
 * engine, so that an applet is tried on the very code that will run it. The shapes are those of the node's engine contract.
 */
export type MaybePromise<T> = T | Promise<T>

export type SqlParam =
  | { type: 'int32' | 'int64'; value: bigint }
  | { type: 'float32' | 'float64'; value: number }
  | { type: 'string' | 'time'; value: string }
  | { type: 'bool'; value: boolean }
  | { type: 'bytes'; value: Uint8Array }
  | { type: 'null' }

export interface SqlRequest {
  readonly statement: string
  readonly params: readonly SqlParam[]
}

export type SqlType =
  | 'integer'
  | 'bigint'
  | 'real'
  | 'text'
  | 'boolean'
  | 'timestamp'
  | 'numeric'
  | 'bytes'
  | 'json'
  | 'null'
export type SqlValue = null | bigint | number | string | boolean | Uint8Array

export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[]
  readonly rows: readonly (readonly SqlValue[])[]
  readonly changes: number
}

export interface AppletTransaction {
  readonly chainId: bigint
  readonly chainName: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly operatorName: string
}

/** What a handler may ask for while it runs. */
export interface AppletHost {
  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void
  kvGet(key: string): MaybePromise<Uint8Array | undefined>
  kvPut(key: string, value: Uint8Array): MaybePromise<void>
  sqlExecute(request: SqlRequest): MaybePromise<SqlResult>
  sqlQuery(request: SqlRequest): MaybePromise<SqlResult>
  env(key: string): string | undefined
  sendTransaction(transaction: AppletTransaction): MaybePromise<string>
  callContract(call: { chainId: bigint; to: string; data: string }): MaybePromise<Uint8Array>
  publishMqtt(topic: string, payload: Uint8Array): void
  mqttMessage(): { topic: string; payload: Uint8Array } | undefined
  publisher(): { key: string; signed: boolean } | undefined
  apiCall(request: Uint8Array): MaybePromise<Uint8Array>
  submitMetrics(json: string): void
}

export interface AppletLimits {
  readonly fuel: number
  readonly stackBytes: number
  readonly tableEntries: number
  readonly memoryPages: number
  readonly logLines: number
  readonly logLineBytes: number
  readonly hostCalls: number
  readonly transferBytes: number
}

export interface AppletCall {
  readonly handler: string
  /** For REDUCE operators: what was accumulated so far, null for the first element. */
  readonly accumulator?: Uint8Array | null
  /** Tells the data of the resource whose number the handler returned. */
  readonly wantsData?: boolean
  readonly payload: Uint8Array
  readonly host: AppletHost
  readonly clockNs: bigint
  readonly seed: Uint8Array
  readonly limits: AppletLimits
}

export type AppletOutcome =
  | { readonly type: 'returned'; readonly code: number; readonly fuel: bigint; readonly data?: Uint8Array }
  | {
      readonly type: 'failed'
      readonly error: string
      readonly message: string
      readonly fuel: bigint
      /** The guest's frames, innermost first, where the engine tells them. */
      readonly trace?: readonly ModulePlace[]
    }

export interface AppletModule {
  readonly handlers: readonly string[]
  call(call: AppletCall): MaybePromise<AppletOutcome>
}

export type FaultReason = 'NoDatabase' | 'Sql' | 'Chain' | 'Limit' | 'Invalid'

export interface AppletEngine {
  /** Examines and loads a module. @throws when the node would refuse it at deployment */
  load(wasm: Uint8Array): AppletModule
  /** The error by which a host refuses, which the engine turns into a failure code for the guest. */
  fault(reason: FaultReason, message: string): Error
}

/** The defaults of a project. */
export const defaultAppletLimits: AppletLimits = {
  fuel: 1_000_000_000,
  stackBytes: 512 * 1024,
  tableEntries: 65_536,
  memoryPages: 512,
  logLines: 1000,
  logLineBytes: 4096,
  hostCalls: 1_000_000,
  transferBytes: 4 * 1024 * 1024,
}
