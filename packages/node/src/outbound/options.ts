export interface OutboundOptions {
  /** Bytes of a response's body. @default 1 MiB, which in base64 fits into what a guest can be handed at once */
  readonly responseBytes: number
  /** Bytes of a response's headers. @default 16 KiB */
  readonly responseHeaderBytes: number
  /** Time for everything: names, connections, redirects, the body, milliseconds. @default 30_000 */
  readonly timeoutMs: number
  /** Time for one connection, milliseconds. @default 5000 */
  readonly connectTimeoutMs: number
  /** Redirects that are followed. @default 5 */
  readonly redirects: number
  /** Networks in CIDR form that may be reached though they are not public. @default none */
  readonly privateNetworks: readonly string[]
}

export const defaultOutboundOptions: OutboundOptions = {
  responseBytes: 1024 * 1024,
  responseHeaderBytes: 16 * 1024,
  timeoutMs: 30_000,
  connectTimeoutMs: 5000,
  redirects: 5,
  privateNetworks: [],
}
