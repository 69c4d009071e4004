import { type HandlerResult, toHex } from '@w3bstream/protocol'
import type { FailedCall, GuestFrame, HandlerOutcome } from '../engine/engine.ts'
import type { Route } from './router.ts'

/** UTF-16 units of a message in a receipt. */
const messageLength = 1024
const noHash = new Uint8Array(32)

/** A result of which only the handler is known yet. */
export function resultOf({ applet, instance, strategy, codeHash }: Route): HandlerResult {
  return {
    appletId: applet.appletId,
    instanceId: instance?.instanceId ?? '',
    handler: strategy.handler,
    codeHash,
    code: -1,
    error: '',
    message: '',
    fuel: 0n,
  }
}

/** The result of a handler that no module was called for. */
export function notRun(route: Route, error: string, message: string): HandlerResult {
  return { ...resultOf(route), codeHash: noHash, error, message }
}

/**
 * What a receipt says of a call: everything in it is the same on every machine. A call that returned names the limits that
 * refused it something; one that failed, why.
 */
export function resultOfCall(base: HandlerResult, outcome: HandlerOutcome): HandlerResult {
  const limits = outcome.limits?.join(' ') ?? ''
  const { fuel } = outcome
  if (outcome.type === 'returned') return { ...base, code: outcome.code, message: limits, fuel }
  const message = [outcome.message, limits].filter((part) => part !== '').join('; ')
  return { ...base, error: outcome.error, message: message.slice(0, messageLength), fuel }
}

/**
 * The log line about a call that failed: why, after how much fuel, and the guest's frames where they are known. Tools that have
 * the module's source map find the lines of its source by the frames and the beginning of the module's hash.
 */
export function failureLine(
  { handler, codeHash }: Pick<HandlerResult, 'handler' | 'codeHash'>,
  { error, message, fuel, trace = [] }: FailedCall,
): string {
  const frames = trace.map((frame) => `\n    at ${frameName(frame)} @ 0x${frame.offset.toString(16)}`)
  return `${handler} failed: ${error} ${message} (fuel ${fuel}, module ${toHex(codeHash).slice(2, 14)})${frames.join('')}`
}

function frameName(frame: GuestFrame): string {
  return frame.name ?? `function ${frame.function}`
}
