export interface RpcOptions {
  /** Bytes of one HTTP body or WebSocket message. @default 4 MiB: a full payload in base64, or a batch of small ones */
  readonly messageBytes: number
  /** Requests of one batch. @default 100 */
  readonly batchRequests: number
  /** WebSocket connections. @default 1000 */
  readonly connections: number
  /** Subscriptions of one connection. @default 16 */
  readonly subscriptions: number
  /** Messages of one connection that are being answered; then nothing more is read from it. @default 64 */
  readonly pending: number
  /** Bytes that wait for a connection to take them; beyond, it is closed as too slow. @default 8 MiB */
  readonly outgoingBytes: number
  /** How often a connection is asked for a sign of life, milliseconds; one that missed a turn is cut. @default 30_000 */
  readonly heartbeatMs: number
  /** What errors name as their source. @default 'srv-applet-mgr' */
  readonly source: string
}

export const defaultRpcOptions: RpcOptions = {
  messageBytes: 4 * 1024 * 1024,
  batchRequests: 100,
  connections: 1000,
  subscriptions: 16,
  pending: 64,
  outgoingBytes: 8 * 1024 * 1024,
  heartbeatMs: 30_000,
  source: 'srv-applet-mgr',
}
