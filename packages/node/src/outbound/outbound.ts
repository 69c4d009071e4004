/**
 * HTTP requests of applets to servers outside. A request is made once: what is tried again, decides who asks. No address of
 * the operator's own network is reached unless he allows it, whatever a name resolves to or a redirect says, and nothing a
 * server does takes more time or memory than the options say.
 */
export interface OutboundRequest {
  readonly url: string
  /** Upper case. */
  readonly method: string
  readonly header: Readonly<Record<string, readonly string[]>>
  /** Empty: none. */
  readonly body: Uint8Array
  /** The same at every repetition, so that a server can tell it from a new request. */
  readonly idempotencyKey: string
  /** Whether the project may reach this host; asked at every hop. @param host lower case, IPv6 in brackets */
  allows(host: string, port: number): boolean
}

export interface OutboundResponse {
  readonly status: number
  readonly statusText: string
  readonly header: Record<string, string[]>
  readonly body: Uint8Array
}

export interface Outbound {
  /** @throws OutboundError; whatever the signal's reason is, when it aborts */
  send(request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse>
}
