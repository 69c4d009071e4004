import type { HandlerErrorCode } from '../engine.ts'
import { wasm } from '../webassembly.ts'

/** Thrown through the guest to end its call; the guest cannot catch it, since exception handling is refused. */
export class CallEnd extends Error {
  readonly code: HandlerErrorCode
  /** What was used before the meter of the call was set: by the module's initialisation. */
  readonly initialFuel: bigint
  constructor(code: HandlerErrorCode, message: string, initialFuel = 0n) {
    super(message)
    this.code = code
    this.initialFuel = initialFuel
  }
}

/** Whether the guest, and not the node, is to blame for an error that came out of WebAssembly code. */
export function isGuestTrap(error: unknown): error is Error {
  if (error instanceof wasm.RuntimeError) return true
  if (wasm.SuspendError !== undefined && error instanceof wasm.SuspendError) return true
  return isStackOverflow(error)
}

/** V8 reports an exhausted stack, in guest code or in host code called from there, as a `RangeError` with this text. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}
