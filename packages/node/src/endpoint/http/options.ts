/** How the HTTP endpoint listens, and what it takes at most. */
export interface HttpOptions {
  /** Address of the management port. @default '127.0.0.1' */
  readonly host: string
  /** Management API and events. 0 lets the system choose. @default 8888 */
  readonly port: number
  /** Address of the event port. @default '0.0.0.0' */
  readonly eventHost: string
  /** Events only. 0 lets the system choose. @default 8889 */
  readonly eventPort: number | 'off'
  /** PEM texts; both ports then speak TLS only. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Who may read `/metrics`: `local` callers on this machine that came through no proxy, and administrators; or everybody. @default 'local' */
  readonly metricsAccess: 'local' | 'open'
  readonly limits: HttpLimits
}

export interface HttpLimits {
  /** Bytes of an event's body, and of a JSON body. @default 1 MiB */
  readonly payloadBytes: number
  /** Bytes of an uploaded module; other parts of a form may have 64 KiB each. @default 8 MiB */
  readonly fileBytes: number
  /** Bytes that an upload must leave free on the volume. @default 20 MiB */
  readonly diskReserveBytes: number
  /** Bytes of request line and headers. @default 16 KiB */
  readonly headerBytes: number
  /** Items of one data push. @default 1000; the published clients send 100 */
  readonly pushItems: number
  /** Connections of each port. @default 10_000 */
  readonly connections: number
  /** Until a request's headers are complete, milliseconds. @default 10_000 */
  readonly headersTimeoutMs: number
  /** Until a request is complete, milliseconds. @default 60_000 */
  readonly requestTimeoutMs: number
  /** How long an idle connection is kept, milliseconds. @default 72_000, above the minute of common load balancers */
  readonly keepAliveMs: number
  /** Streams of server-sent events, all together. @default 100 */
  readonly streams: number
  /** Bytes that may wait for a slow reader of a stream before it is dropped. @default 1 MiB */
  readonly streamBytes: number
  /** Rows and bytes of one SQL query by the owner. @default 10_000 and 8 MiB */
  readonly queryRows: number
  readonly queryBytes: number
  /** How long it may take, milliseconds. @default 1000: other requests wait for it */
  readonly queryMs: number
}

export const defaultHttpLimits: HttpLimits = {
  payloadBytes: 1024 * 1024,
  fileBytes: 8 * 1024 * 1024,
  diskReserveBytes: 20 * 1024 * 1024,
  headerBytes: 16 * 1024,
  pushItems: 1000,
  connections: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 72_000,
  streams: 100,
  streamBytes: 1024 * 1024,
  queryRows: 10_000,
  queryBytes: 8 * 1024 * 1024,
  queryMs: 1000,
}

export const defaultHttpOptions: HttpOptions = {
  host: '127.0.0.1',
  port: 8888,
  eventHost: '0.0.0.0',
  eventPort: 8889,
  metricsAccess: 'local',
  limits: defaultHttpLimits,
}
