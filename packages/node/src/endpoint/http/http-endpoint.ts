import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Service } from '../endpoint.ts'
import type { HttpDeps } from './deps.ts'
import { EventStreams } from './event-stream.ts'
import { defaultHttpOptions, type HttpLimits, type HttpOptions } from './options.ts'
import { Ownership } from './ownership.ts'
import { managementRoutes } from './routes/index.ts'
import { createEventServer, createManagementServer } from './server.ts'
import { SilentConnections } from './silent-connections.ts'

interface HttpAddresses {
  readonly management: AddressInfo
  /** Absent when the event port is off. */
  readonly event?: AddressInfo
}

export interface HttpEndpoint extends Service {
  /** Where it listens. @throws Error before the start */
  addresses(): HttpAddresses
}

/** How often connections that became idle are closed while the endpoint stops, milliseconds. */
const drainMs = 50

/** Events over HTTP, and the management API. */
export function createHttpEndpoint(
  options: Partial<Omit<HttpOptions, 'limits'>> & { limits?: Partial<HttpLimits> },
  deps: HttpDeps,
): HttpEndpoint {
  return new FastifyEndpoint(
    { ...defaultHttpOptions, ...options, limits: { ...defaultHttpOptions.limits, ...options.limits } },
    deps,
  )
}

class FastifyEndpoint implements HttpEndpoint {
  readonly name = 'http'
  readonly #options: HttpOptions
  readonly #deps: HttpDeps
  readonly #streams: EventStreams
  readonly #silent = new Map<FastifyInstance, SilentConnections>()
  #management: FastifyInstance | undefined
  #event: FastifyInstance | undefined
  #isStopping = false

  constructor(options: HttpOptions, deps: HttpDeps) {
    this.#options = options
    this.#deps = deps
    this.#streams = new EventStreams(deps, options.limits)
  }

  async start(): Promise<void> {
    if (this.#management) return
    this.#isStopping = false
    this.#streams.reopen()
    try {
      await this.#listen()
    } catch (error) {
      await this.stop()
      throw error
    }
    const { management, event } = this.addresses()
    this.#deps.logger.info('http listens', { port: management.port, eventPort: event?.port })
  }

  async stop(signal?: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#streams.closeAll()
    const servers = [this.#event, this.#management].filter((server) => server !== undefined)
    await Promise.all(servers.map((server) => drain(server, this.#silent.get(server), signal)))
    this.#silent.clear()
    this.#event = undefined
    this.#management = undefined
  }

  addresses(): HttpAddresses {
    if (!this.#management) throw new Error('the HTTP endpoint is not started')
    return { management: addressOf(this.#management), event: this.#event && addressOf(this.#event) }
  }

  async #listen(): Promise<void> {
    const { host, port, eventHost, eventPort, limits } = this.#options
    const own = new Ownership(this.#deps)
    const routes = managementRoutes({ deps: this.#deps, own, limits, streams: this.#streams })
    const isStopping = () => this.#isStopping
    this.#management = await createManagementServer(this.#deps, this.#options, routes, isStopping)
    this.#silent.set(this.#management, new SilentConnections(this.#management.server))
    await this.#management.listen({ host, port })
    if (eventPort === 'off') return
    this.#event = await createEventServer(this.#deps, this.#options, isStopping)
    this.#silent.set(this.#event, new SilentConnections(this.#event.server))
    await this.#event.listen({ host: eventHost, port: eventPort })
  }
}

/** Takes no more connections, lets requests finish, closes each connection as it becomes idle; all of them at the signal. */
async function drain(
  server: FastifyInstance,
  silent: SilentConnections | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const closeIdle = () => {
    server.server.closeIdleConnections()
    silent?.close()
  }
  const idle = setInterval(closeIdle, drainMs)
  const cut = () => server.server.closeAllConnections()
  if (signal?.aborted) cut()
  signal?.addEventListener('abort', cut, { once: true })
  try {
    await server.close()
  } finally {
    clearInterval(idle)
    signal?.removeEventListener('abort', cut)
  }
}

function addressOf(server: FastifyInstance): AddressInfo {
  return server.server.address() as AddressInfo
}
