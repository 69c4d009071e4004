import { W3bstreamError } from '@w3bstream/protocol'

/** What can go wrong when publishing. `key` and `desc` are the node's own words (`docs/errors.md`). */
export type ClientFault =
  /** The options given to `createClient`, all mistakes at once. */
  | { code: 'OPTIONS_INVALID'; problems: readonly string[] }
  | { code: 'EVENT_INVALID'; field: string; wanted: string }
  /** As many events wait as `maxQueued` allows, and `whenFull` is 'reject'. */
  | { code: 'QUEUE_FULL'; limit: number }
  | { code: 'CLOSED' }
  /** No connection, or it broke; the event may have been executed or not. */
  | { code: 'NETWORK'; detail: string }
  /** No answer in time; the event may have been executed or not. */
  | { code: 'TIMEOUT'; timeoutMs: number }
  /** The node has no room now and did not execute the event. */
  | { code: 'BUSY'; key: string; desc: string; retryAfterMs?: number }
  /** The token or signature is wrong, expired, or not for this. */
  | { code: 'UNAUTHORIZED'; key: string; desc: string }
  | { code: 'REFUSED'; key: string; desc: string }
  /** What came back is not an answer of a node. */
  | { code: 'ANSWER_INVALID'; detail: string }

export class ClientError extends W3bstreamError<ClientFault> {}

/** A refusal by its HTTP status, which JSON-RPC and MQTT carry in their own ways. */
export function refusal(status: number, key: string, desc: string, retryAfterMs?: number): ClientError {
  if (status === 429 || status === 503) return new ClientError({ code: 'BUSY', key, desc, retryAfterMs })
  if (status === 401 || status === 403) return new ClientError({ code: 'UNAUTHORIZED', key, desc })
  return new ClientError({ code: 'REFUSED', key, desc })
}

/**
 * Why a wait ended: the caller's own reason when the caller ended it, else a time-out or a network fault.
 * @param cause what the platform threw
 */
export function interruption(cause: unknown, caller: AbortSignal, timeout: AbortSignal, timeoutMs: number): unknown {
  if (caller.aborted) return caller.reason
  if (timeout.aborted) return new ClientError({ code: 'TIMEOUT', timeoutMs }, { cause })
  if (cause instanceof ClientError) return cause
  return new ClientError({ code: 'NETWORK', detail: cause instanceof Error ? cause.message : String(cause) }, { cause })
}
