import { setTimeout } from 'node:timers/promises'
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import type { Logger } from '../../telemetry/logger.ts'
import { counter, type Metrics } from '../../telemetry/metrics.ts'
import { toApiError } from '../api-error.ts'
import type { Door, Service } from '../endpoint.ts'
import { ackTopic } from './access.ts'
import type { Qos } from './codec/publish.ts'
import { MqttError } from './errors.ts'
import { readEvents, readTopic } from './event-payload.ts'
import { answerJson, errorJson, isPermanent, type Submission, submitEvent } from './submit.ts'

export interface AttachOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Fixed, so that the broker keeps what arrives while the node is away. @default 'w3bstream-node' */
  readonly clientId?: string
  /**
   * Connections. Each has one message at a time on its way to the commit, because the client library acknowledges in
   * order; more of them share the subscriptions (`$share`), which gives up the order between messages. @default 1
   */
  readonly connections?: number
  /** Written into error answers as `sources`. @default 'srv-applet-mgr@0.1.0' */
  readonly source?: string
}

/** The full names of the node's projects. */
interface Channels {
  list(): Iterable<string>
  /** Calls for every project that comes or goes. Returns a function that stops it. */
  watch(listener: (channel: string, exists: boolean) => void): () => void
}

export interface AttachDeps {
  readonly door: Door
  readonly channels: Channels
  readonly logger: Logger
  readonly metrics: Metrics
}

/** The node as a client of somebody else's broker, instead of being one. */
export interface MqttAttachment extends Service {
  /** Whether every connection to the broker stands. */
  readonly connected: boolean
  /** Publishes an applet's effect. Resolves when the broker has it. @throws MqttError MQTT_NOT_CONNECTED */
  publish(topic: string, payload: Uint8Array, options?: { qos?: Qos; retain?: boolean }): Promise<void>
}

/** Waiting before a message is tried again that the node could not store, milliseconds. */
const retryMs = 1000

/**
 * Reads the messages of every project from an external broker and acknowledges each after its commit. Who may publish
 * and read there is that broker's affair; every message must carry its token.
 */
export function attachMqttBroker(options: AttachOptions, deps: AttachDeps): MqttAttachment {
  return new Attachment(options, deps)
}

class Attachment implements MqttAttachment {
  readonly name = 'mqtt-attachment'
  readonly #options: AttachOptions
  readonly #deps: AttachDeps
  readonly #logger: Logger
  readonly #received
  readonly #stopping = new AbortController()
  #clients: MqttClient[] = []
  #unwatch: (() => void) | undefined

  constructor(options: AttachOptions, deps: AttachDeps) {
    this.#options = options
    this.#deps = deps
    this.#logger = deps.logger.child('mqtt-attachment')
    this.#received = counter(
      deps.metrics,
      'w3b_mqtt_attached_messages_total',
      'Messages received from the external broker, by outcome',
      ['outcome'],
    )
  }

  async start(): Promise<void> {
    if (this.#clients.length > 0) return
    const { connections = 1 } = this.#options
    // Loaded here, because most nodes never attach, and it takes 10 MiB.
    const { connect } = await import('mqtt')
    this.#clients = Array.from({ length: connections }, (_, index) => this.#open(connect, index))
    this.#unwatch = this.#deps.channels.watch((channel, exists) => this.#follow(channel, exists))
    // The broker may be away; the clients keep trying, and what is published there waits in its session.
    for (const channel of this.#deps.channels.list()) this.#follow(channel, true)
  }

  async stop(signal?: AbortSignal): Promise<void> {
    this.#unwatch?.()
    this.#stopping.abort(new Error('stopping'))
    const clients = this.#clients
    this.#clients = []
    await Promise.all(clients.map((client) => client.endAsync(signal?.aborted === true || !client.connected)))
  }

  get connected(): boolean {
    return this.#clients.length > 0 && this.#clients.every((client) => client.connected)
  }

  async publish(topic: string, payload: Uint8Array, options: { qos?: Qos; retain?: boolean } = {}): Promise<void> {
    const [client] = this.#clients
    if (!client?.connected) throw new MqttError({ code: 'MQTT_NOT_CONNECTED', url: this.#options.url })
    await client.publishAsync(topic, Buffer.from(payload), { qos: options.qos ?? 0, retain: options.retain ?? false })
  }

  #open(connect: typeof import('mqtt').connect, index: number): MqttClient {
    const { url, username, password, clientId = 'w3bstream-node' } = this.#options
    const settings: IClientOptions = {
      clientId: index === 0 ? clientId : `${clientId}-${index + 1}`,
      clean: false,
      resubscribe: true,
      username,
      password,
    }
    const client = connect(url, settings)
    client.handleMessage = (packet, done) => {
      this.#handle(packet).then(
        () => done(),
        // Not acknowledged: the broker sends it again to the next connection.
        (error: unknown) => this.#logger.debug('message left with the broker', {}, error),
      )
    }
    client.on('error', (error) => this.#logger.warn('external broker', {}, error))
    client.on('connect', () => this.#logger.info('attached to an external broker', { connection: index + 1 }))
    client.on('close', () => this.#logger.debug('connection to the external broker closed'))
    return client
  }

  #follow(channel: string, exists: boolean): void {
    // `a/#` covers `a` as well.
    const filter = this.#clients.length > 1 ? `$share/w3bstream/${channel}/#` : `${channel}/#`
    for (const client of this.#clients) {
      const done = exists ? client.subscribeAsync(filter, { qos: 1 }) : client.unsubscribeAsync(filter)
      done.catch((error: unknown) => this.#logger.warn('subscription failed', { channel }, error))
    }
  }

  /** Resolves when the message needs not be sent again; rejects when the node stops before. */
  async #handle({ topic, payload }: IPublishPacket): Promise<void> {
    const target = readTopic(topic)
    if (target.form === 'deep' || target.form === 'broken-push') {
      this.#received.inc({ outcome: 'ignored' })
      return
    }
    try {
      const events = readEvents(target, Buffer.from(payload), false)
      await Promise.all(
        events.map(async (event) => {
          const request = { channel: target.channel, topic, event, patient: true, signal: () => this.#stopping.signal }
          let submission = await submitEvent(this.#deps.door, request)
          while (submission.error && !isPermanent(submission.error)) {
            await setTimeout(retryMs, undefined, { signal: this.#stopping.signal })
            submission = await submitEvent(this.#deps.door, request)
          }
          this.#answer(submission)
        }),
      )
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error
      this.#received.inc({ outcome: 'refused' })
      this.#logger.debug('message refused', { code: toApiError(error).code })
    }
  }

  #answer({ identity, eventId, answer, error }: Submission): void {
    this.#received.inc({ outcome: error || answer?.error ? 'refused' : 'done' })
    const [client] = this.#clients
    if (!identity || !client?.connected) return
    const { source = 'srv-applet-mgr@0.1.0' } = this.#options
    const json = answer ? answerJson(answer) : error ? errorJson(error, source, eventId) : ''
    // QoS 0: not to be waited for by the acknowledgement of the event.
    client.publish(ackTopic(identity.publisherKey), json, { qos: 0 })
  }
}
