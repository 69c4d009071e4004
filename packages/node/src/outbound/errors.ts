import { W3bstreamError } from '@w3bstream/protocol'

/** Why a request of an applet was not answered. */
export type OutboundFault =
  /** The project's settings do not allow the host: they changed since the call, or a redirect leads there. */
  | { code: 'OUTBOUND_HOST'; host: string }
  /**
   * The name leads to an address that is not to be reached from here. Which one is not said: applets are told of the fault,
   * and would learn what names mean inside.
   */
  | { code: 'OUTBOUND_ADDRESS'; host: string }
  /** No connection came about: the server never got the request. */
  | { code: 'OUTBOUND_UNREACHABLE'; host: string; detail: string }
  /** The connection broke after the request had begun. */
  | { code: 'OUTBOUND_BROKEN'; host: string; detail: string }
  | { code: 'OUTBOUND_TIMEOUT'; host: string; limitMs: number }
  | { code: 'OUTBOUND_TOO_LARGE'; host: string; limit: number }
  | { code: 'OUTBOUND_REDIRECTS'; host: string; detail: string }

export class OutboundError extends W3bstreamError<OutboundFault> {}
