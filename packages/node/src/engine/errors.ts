import { W3bstreamError } from '@w3bstream/protocol'

export type EngineFault =
  /** The module cannot be deployed; every complaint that was found. */
  | { code: 'MODULE_INVALID'; problems: readonly string[] }
  | { code: 'MODULE_TOO_LARGE'; size: number; limit: number }
  /** The prepared bytes come from another version of the engine: prepare the original again. */
  | { code: 'MODULE_STALE'; codeHash: string; found: number; wanted: number }
  /** A second call began before the first had ended: a fault of the caller. */
  | { code: 'MODULE_BUSY'; codeHash: string }
  /** A host method answered with a promise although the module was not loaded as one that may be suspended. */
  | { code: 'HOST_BLOCKED'; function: string }

export class EngineError extends W3bstreamError<EngineFault> {}
