import type { Duplex } from 'node:stream'
import type { ProjectKey } from '@w3bstream/protocol'
import type { Logger } from '../../telemetry/logger.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import type { Door, Service } from '../endpoint.ts'
import type { Broker, ResolveProject } from './broker.ts'
import { Budget } from './budget.ts'
import type { Qos } from './codec/publish.ts'
import { reason } from './codec/reason.ts'
import { Connection } from './connection.ts'
import { MqttError } from './errors.ts'
import { Flusher } from './flusher.ts'
import { Handshake } from './handshake.ts'
import { type BoundAddress, type OpenListener, openListeners } from './listeners.ts'
import { mqttMetrics } from './metrics.ts'
import { checkMqttOptions, type MqttLimits, type MqttOptions } from './options.ts'
import { Router } from './router.ts'
import type { Session } from './session.ts'
import { noSessionStore, type SessionStore } from './session-store.ts'
import { Sessions } from './sessions.ts'
import { openSqliteSessionStore } from './sqlite-session-store.ts'
import { isTopicName } from './topics.ts'
import { Wills } from './wills.ts'

export interface MqttDeps {
  readonly door: Door
  readonly resolveProject: ResolveProject
  readonly logger: Logger
  readonly metrics: Metrics
}

interface PublishOptions {
  /** Whose message it is: only readers of this project see it. */
  readonly project: ProjectKey
  /** @default 0 */
  readonly qos?: Qos
  /** @default false */
  readonly retain?: boolean
  /** Of the effect that this is; MQTT 5 readers get it as user property `Message-Id`, to recognise a repetition. */
  readonly messageId?: string
}

/**
 * The node's own MQTT broker (3.1, 3.1.1 and 5). Devices' messages go through the door and are acknowledged after the
 * commit; what the node publishes goes to the readers of the project it belongs to. See `docs/devices/mqtt.md`.
 */
export interface MqttEndpoint extends Service {
  /**
   * Publishes for a project: an answer on `ack/<publisherKey>`, or an applet's MQTT effect. Resolves when the message was
   * handed to every connected reader and, for QoS 1 and 2, stands in the store for every persistent session.
   * @throws MqttError MQTT_TOPIC when the topic cannot be published to
   */
  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<void>
  /** Whether a publish of this project on this topic would reach anybody. */
  hasReader(project: ProjectKey, topic: string): boolean
  /** The ports that are open; empty before start. */
  addresses(): readonly BoundAddress[]
}

/** How often silence, expiry and delays are looked at, milliseconds. */
const tickMs = 1000

/** @throws MqttError MQTT_OPTIONS */
export function createMqttEndpoint(options: MqttOptions, deps: MqttDeps): MqttEndpoint {
  return new OwnMqttEndpoint(options, deps)
}

class OwnMqttEndpoint implements MqttEndpoint {
  readonly name = 'mqtt'
  readonly #options: MqttOptions
  readonly #limits: MqttLimits
  readonly #deps: MqttDeps
  readonly #logger: Logger
  readonly #metrics: ReturnType<typeof mqttMetrics>
  readonly #connections = new Set<Duplex>()
  readonly #handshakes = new Set<Handshake>()
  #broker: (Broker & { stopping: boolean }) | undefined
  #listeners: readonly OpenListener[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: MqttOptions, deps: MqttDeps) {
    this.#options = options
    this.#limits = checkMqttOptions(options)
    this.#deps = deps
    this.#logger = deps.logger.child('mqtt')
    this.#metrics = mqttMetrics(deps.metrics)
  }

  async start(): Promise<void> {
    if (this.#broker) return
    const broker = this.#createBroker()
    this.#broker = broker
    try {
      this.#listeners = await openListeners(this.#options, this.#limits, (stream) => this.#accept(broker, stream))
    } catch (error) {
      this.#broker = undefined
      await broker.store.close()
      throw error
    }
    this.#timer = setInterval(() => this.#tick(broker), tickMs).unref()
    for (const { kind, host, port } of this.addresses()) this.#logger.info('listening', { kind, host, port })
  }

  async stop(signal?: AbortSignal): Promise<void> {
    const broker = this.#broker
    if (!broker || broker.stopping) return
    broker.stopping = true
    clearInterval(this.#timer)
    const closed = this.#listeners.map((listener) => listener.close)
    for (const handshake of [...this.#handshakes]) handshake.close()
    const clients = [...broker.clients.values()]
    for (const client of clients) client.stop()
    // What was taken is finished and acknowledged; MQTT 5 clients are told to come back.
    await untilAborted(Promise.all(clients.map((client) => client.settled())), signal)
    for (const client of clients) client.disconnect(reason.serverShuttingDown)
    await this.#closeConnections(signal)
    await Promise.all(closed.map((close) => close()))
    this.#listeners = []
    await broker.store.flush().catch((error: unknown) => this.#logger.error('sessions not saved', {}, error))
    await broker.store.close()
    this.#broker = undefined
  }

  async publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<void> {
    const broker = this.#broker
    if (!broker) return
    if (!isTopicName(topic, this.#limits))
      throw new MqttError({ code: 'MQTT_TOPIC', topic, detail: 'wildcard, too long, or too many levels' })
    const { project, qos = 0, retain = false, messageId } = options
    const properties =
      messageId === undefined ? undefined : { userProperties: [['Message-Id', messageId]] as [string, string][] }
    broker.router.route({ project, topic, payload, qos, retain, properties })
    if (qos > 0 || retain) await broker.store.flush()
  }

  hasReader(project: ProjectKey, topic: string): boolean {
    return this.#broker?.router.hasReader(project, topic) ?? false
  }

  addresses(): readonly BoundAddress[] {
    return this.#listeners.map(({ address }) => address)
  }

  #createBroker(): Broker & { stopping: boolean } {
    const { dataDir, source = 'srv-applet-mgr@0.1.0' } = this.#options
    const store: SessionStore = dataDir === undefined ? noSessionStore : openSqliteSessionStore(dataDir)
    const limits = this.#limits
    const metrics = this.#metrics
    const wills = new Wills()
    const shared = { limits, metrics, store }
    const router = new Router(shared)
    const sessions: Sessions = new Sessions(shared, router, (session: Session) => wills.sessionEnded(broker, session))
    const broker: Broker & { stopping: boolean } = {
      door: this.#deps.door,
      resolveProject: this.#deps.resolveProject,
      limits,
      metrics,
      logger: this.#logger,
      router,
      sessions,
      store,
      wills,
      flusher: new Flusher(),
      inflight: new Budget(limits.totalInflightBytes),
      partial: new Budget(limits.totalPartialBytes),
      source,
      stopping: false,
      clients: new Map(),
    }
    return broker
  }

  #accept(broker: Broker, stream: Duplex): void {
    if (broker.stopping || this.#connections.size >= this.#limits.connections) {
      this.#metrics.refusedConnections.inc({ reason: 'limit' })
      stream.on('error', () => {})
      stream.destroy()
      return
    }
    this.#connections.add(stream)
    stream.once('close', () => this.#connections.delete(stream))
    const handshake = new Handshake(broker, (ended) => this.#handshakes.delete(ended))
    this.#handshakes.add(handshake)
    handshake.begin(new Connection(stream, handshake, broker))
  }

  #tick(broker: Broker): void {
    const now = Date.now()
    for (const handshake of this.#handshakes)
      if (now - handshake.startedAt > this.#limits.connectTimeoutMs) handshake.close()
    for (const client of broker.clients.values()) client.tick(now)
    broker.wills.tick(broker, now)
    broker.sessions.expire(now)
  }

  async #closeConnections(signal: AbortSignal | undefined): Promise<void> {
    const open = [...this.#connections]
    const closed = Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve))))
    const destroy = () => {
      for (const stream of open) stream.destroy()
    }
    if (signal?.aborted) destroy()
    signal?.addEventListener('abort', destroy, { once: true })
    await closed
    signal?.removeEventListener('abort', destroy)
  }
}
