import type { RawData, WebSocket } from 'ws'
import type { Projects } from '../../project/project.ts'
import type { Identity } from '../endpoint.ts'
import type { RpcMetrics } from './metrics.ts'
import type { RpcOptions } from './options.ts'
import type { RpcHandler } from './rpc-handler.ts'
import { type Notification, Subscriptions } from './subscriptions.ts'

/** Close codes of RFC 6455, section 7.4.1, and of IANA's registry. */
const closeCodes = { goingAway: 1001, policy: 1008, tryAgainLater: 1013 } as const

export interface ConnectionDeps {
  readonly handler: RpcHandler
  readonly projects: Projects
  readonly metrics: RpcMetrics
}

/** One WebSocket: answers what comes in, sends what was subscribed to, and keeps both within bounds. */
export class RpcConnection {
  readonly #socket: WebSocket
  readonly #identity: Identity | undefined
  readonly #options: RpcOptions
  readonly #deps: ConnectionDeps
  readonly #subscriptions: Subscriptions
  readonly #gone = new AbortController()
  readonly #pending = new Set<Promise<void>>()
  readonly #closed = Promise.withResolvers<void>()
  #alive = true

  constructor(socket: WebSocket, identity: Identity | undefined, options: RpcOptions, deps: ConnectionDeps) {
    this.#socket = socket
    this.#identity = identity
    this.#options = options
    this.#deps = deps
    this.#subscriptions = new Subscriptions(options.subscriptions, {
      projects: deps.projects,
      send: (notification) => this.#notify(notification),
    })
    socket.on('message', (data) => this.#receive(data))
    socket.on('pong', () => {
      this.#alive = true
    })
    // A broken frame or an oversize message: ws closes the connection with the fitting code.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#subscriptions.closeAll()
      this.#gone.abort()
      this.#closed.resolve()
    })
  }

  /** Resolves when the socket is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Called in the rhythm of `heartbeatMs`. */
  heartbeat(): void {
    // What is not read from cannot be heard.
    if (this.#socket.isPaused) return
    if (!this.#alive) {
      this.#deps.metrics.cut.inc({ reason: 'silent' })
      this.#socket.terminate()
      return
    }
    this.#alive = false
    this.#socket.ping()
  }

  /** Lets the calls under way finish, says good-bye, and resolves when the socket is closed. */
  async drain(): Promise<void> {
    this.#subscriptions.closeAll()
    await Promise.all(this.#pending)
    this.#socket.close(closeCodes.goingAway, 'the node is stopping')
    await this.closed
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #receive(data: RawData): void {
    const task = this.#answer(bytesOf(data)).finally(() => {
      this.#pending.delete(task)
      if (this.#socket.isPaused && this.#pending.size < this.#options.pending) this.#socket.resume()
    })
    this.#pending.add(task)
    // What has arrived already, up to 64 KiB, still comes; then TCP's own flow control holds the sender back.
    if (this.#pending.size >= this.#options.pending) this.#socket.pause()
  }

  async #answer(bytes: Uint8Array): Promise<void> {
    const answered = Promise.withResolvers<void>()
    const response = await this.#deps.handler.answer(bytes, {
      identity: () => this.#identity,
      signal: this.#gone.signal,
      subscriptions: {
        answered: answered.promise,
        open: (request) => this.#subscriptions.open(request),
        close: (id) => this.#subscriptions.close(id),
      },
    })
    const sent = response ? this.#send(response) : undefined
    answered.resolve()
    await sent?.catch(() => {})
    if (this.#identity && !this.#identity.valid) this.#cut('revoked', closeCodes.policy, 'the token was revoked')
  }

  async #notify(notification: Notification): Promise<void> {
    const params =
      'error' in notification
        ? { ...notification, error: this.#deps.handler.describe(notification.error) }
        : notification
    await this.#send(JSON.stringify({ jsonrpc: '2.0', method: 'w3b_subscription', params }))
  }

  /** Resolves when the operating system took it. Rejects when the connection is gone or too slow. */
  #send(message: Uint8Array | string): Promise<void> {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return Promise.reject(new Error('closed'))
    if (socket.bufferedAmount + message.length > this.#options.outgoingBytes) {
      this.#cut('slow', closeCodes.tryAgainLater, 'too slow: answers were not read')
      return Promise.reject(new Error('too slow'))
    }
    return new Promise((resolve, reject) => {
      socket.send(message, { binary: false }, (error) => (error ? reject(error) : resolve()))
    })
  }

  #cut(reason: 'slow' | 'revoked', code: number, text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#deps.metrics.cut.inc({ reason })
    this.#subscriptions.closeAll()
    this.#socket.close(code, text)
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
