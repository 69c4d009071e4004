import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { MqttLimits, MqttListener, MqttOptions } from './options.ts'

type ListenerKind = 'tcp' | 'ws' | 'tcpTls' | 'wsTls'

/** Where a listener is reached. */
export interface BoundAddress {
  readonly kind: ListenerKind
  readonly host: string
  readonly port: number
}

/** An open listener. */
export interface OpenListener {
  readonly address: BoundAddress
  /** Takes no more connections; those that are open stay. */
  close(): Promise<void>
}

type Accept = (stream: Duplex) => void

/** Opens what is configured; when one fails, those already open are closed again. */
export async function openListeners(options: MqttOptions, limits: MqttLimits, accept: Accept): Promise<OpenListener[]> {
  const open: OpenListener[] = []
  try {
    for (const kind of ['tcp', 'ws', 'tcpTls', 'wsTls'] as const) {
      const listener = options[kind]
      if (listener) open.push(await openListener(kind, listener, createNetServer(kind, options, limits, accept)))
    }
  } catch (error) {
    await Promise.all(open.map((listener) => listener.close()))
    throw error
  }
  return open
}

function createNetServer(kind: ListenerKind, options: MqttOptions, limits: MqttLimits, accept: Accept): Server {
  const tls = options.tls && { cert: readFileSync(options.tls.certFile), key: readFileSync(options.tls.keyFile) }
  const handshakeTimeout = limits.connectTimeoutMs
  // Half-open, so that what a device sent before it left is still read.
  const half = { allowHalfOpen: true, noDelay: true }
  switch (kind) {
    case 'tcp':
      return createServer(half, accept)
    case 'tcpTls':
      return createTlsServer({ ...half, ...tls, handshakeTimeout }, accept).on('tlsClientError', (_, socket) =>
        socket.destroy(),
      )
    case 'ws':
      return upgrade(createHttpServer({ noDelay: true, requestTimeout: limits.connectTimeoutMs }), limits, accept)
    case 'wsTls':
      return upgrade(createHttpsServer({ ...tls, noDelay: true, handshakeTimeout }), limits, accept)
  }
}

/** WebSocket with the sub-protocol `mqtt` [MQTT-6.0.0-3]; other requests get 426. */
function upgrade(server: HttpServer, limits: MqttLimits, accept: Accept): HttpServer {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.packetBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false),
  })
  server.on('request', (_request, response) => response.writeHead(426, { upgrade: 'websocket' }).end())
  server.on('upgrade', (request, socket, head) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (!offered.some((name) => name === 'mqtt' || name === 'mqttv3.1')) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      // [MQTT-6.0.0-1]: text frames close the connection.
      ws.on('message', (_data, binary) => {
        if (!binary) ws.close(1003)
      })
      accept(createWebSocketStream(ws))
    })
  })
  return server
}

async function openListener(kind: ListenerKind, { port, host }: MqttListener, server: Server): Promise<OpenListener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: host ?? '0.0.0.0', backlog: 1024 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const address = server.address() as AddressInfo
  return {
    address: { kind, host: address.address, port: address.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // Those that never became MQTT connections, such as unfinished TLS and HTTP, have nobody else to close them.
        for (const socket of sockets) socket.destroy()
      }),
  }
}
