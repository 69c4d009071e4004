/**
 * JSON-RPC 2.0 over HTTP and WebSocket, on the path `/rpc` of the management port. The HTTP server is another endpoint's:
 * it hands bodies to `handleHttp` and upgrades to `handleUpgrade`.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Metrics } from '../../telemetry/metrics.ts'
import { ApiError, toApiError } from '../api-error.ts'
import type { Identity, Service } from '../endpoint.ts'
import { type ConnectionDeps, RpcConnection } from './connection.ts'
import { createRpcMetrics } from './metrics.ts'
import { defaultRpcOptions, type RpcOptions } from './options.ts'
import { createRpcHandler, type RpcHandlerDeps } from './rpc-handler.ts'

export type RpcEndpointDeps = Omit<RpcHandlerDeps, 'metrics'> & { readonly metrics: Metrics }

export interface RpcEndpoint extends Service {
  /** Where the HTTP server puts it. */
  readonly path: string
  /** The largest body that `handleHttp` has use for; the server refuses larger ones before reading them. */
  readonly bodyLimit: number
  /**
   * Answers a request body; undefined (204) when it held notifications only. Never rejects: errors are in the answer.
   * @param token of the header `Authorization` or the query, without `Bearer`
   */
  handleHttp(body: Uint8Array, token: string | undefined): Promise<Uint8Array | undefined>
  /** Takes over a request to upgrade to WebSocket; answers with an HTTP error when it will not. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export function createRpcEndpoint(options: Partial<RpcOptions>, deps: RpcEndpointDeps): RpcEndpoint {
  const settings: RpcOptions = { ...defaultRpcOptions, ...options }
  const metrics = createRpcMetrics(deps.metrics)
  const handler = createRpcHandler(settings, { ...deps, metrics })
  const connectionDeps: ConnectionDeps = { handler, projects: deps.projects, metrics }
  const connections = new Set<RpcConnection>()
  // Compression stays off: it costs each connection memory and lets a small message unpack to a large one.
  const server = new WebSocketServer({ noServer: true, maxPayload: settings.messageBytes, perMessageDeflate: false })
  let opening = 0
  let stopping = false
  let heartbeat: NodeJS.Timeout | undefined

  const identify = async (token: string | undefined): Promise<Identity | undefined> =>
    token === undefined ? undefined : await deps.door.authenticate(token)

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (stopping) throw new ApiError('NodeStopping')
    if (connections.size + opening >= settings.connections)
      throw new ApiError('TooManyConnections', `${settings.connections} are open, no more are taken`)
    opening++
    try {
      const identity = await identify(tokenOf(request))
      if (socket.destroyed) return
      if (stopping) throw new ApiError('NodeStopping')
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const connection = new RpcConnection(webSocket, identity, settings, connectionDeps)
        connections.add(connection)
        metrics.connections.set(connections.size)
        webSocket.on('close', () => {
          connections.delete(connection)
          metrics.connections.set(connections.size)
        })
      })
    } finally {
      opening--
    }
  }

  return {
    name: 'rpc',
    path: '/rpc',
    bodyLimit: settings.messageBytes,

    start() {
      heartbeat ??= setInterval(() => {
        for (const connection of connections) connection.heartbeat()
      }, settings.heartbeatMs).unref()
      return Promise.resolve()
    },

    async stop(signal) {
      stopping = true
      clearInterval(heartbeat)
      handler.refuseWork(new ApiError('NodeStopping', '', { retryAfterMs: 5000 }))
      const terminate = () => {
        for (const connection of connections) connection.terminate()
      }
      if (signal?.aborted) terminate()
      signal?.addEventListener('abort', terminate, { once: true })
      // A connection that was cut has nobody left to wait for.
      await Promise.all([...connections].map((connection) => Promise.race([connection.drain(), connection.closed])))
      signal?.removeEventListener('abort', terminate)
    },

    handleHttp: (body, token) => handler.answer(body, { identity: () => identify(token) }),

    handleUpgrade(request, socket, head) {
      const ignore = () => {}
      // Until the WebSocket has it, a peer that hangs up would be an uncaught error.
      socket.on('error', ignore)
      upgrade(request, socket, head)
        .catch((error: unknown) => refuse(socket, toApiError(error), settings.source))
        .finally(() => socket.off('error', ignore))
    },
  }
}

/** The query wins over the header, as for events. */
function tokenOf(request: IncomingMessage): string | undefined {
  const query = new URL(request.url ?? '/', 'http://node').searchParams
  const value = query.get('authorization') ?? query.get('token') ?? request.headers.authorization
  return value?.replace(/^Bearer\s+/i, '').trim() || undefined
}

/** An HTTP answer in place of the upgrade. */
function refuse(socket: Duplex, error: ApiError, source: string): void {
  if (!socket.writable) return
  const body = JSON.stringify(error.toJson(source))
  const retry = error.status === 503 || error.status === 429 ? 'Retry-After: 5\r\n' : ''
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}\r\nConnection: close\r\n${retry}` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
