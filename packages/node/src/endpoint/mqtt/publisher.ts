import type { IPubackPacket, IPubrecPacket } from 'mqtt-packet'
import type { Client } from './client.ts'
import type { PublishPacket } from './codec/publish.ts'
import { type Reason, reason } from './codec/reason.ts'
import { hold } from './connection.ts'
import { violation } from './errors.ts'
import { type EventTopic, readTopic } from './event-payload.ts'
import { Inbound, type Outcome, publishInbound } from './inbound.ts'
import { isTopicName } from './topics.ts'

const maxIdempotencyKeyBytes = 100

/** Receives the messages of one connection: order, identifiers, flow control, and the acknowledgement after the commit. */
export class Publisher {
  readonly #client: Client
  readonly #aliases = new Map<number, string>()
  #messages = 0
  #bytes = 0
  #topic = ''
  #target: EventTopic | undefined
  #forgetReady: (() => void) | undefined
  #whenSettled: (() => void)[] = []
  readonly #roomAgain = (): void => this.#client.connection.release(hold.inflight)

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws MqttError */
  receive(packet: PublishPacket): void {
    const client = this.#client
    this.#resolveAlias(packet)
    if (!isTopicName(packet.topic, client.broker.limits)) throw violation(reason.topicNameInvalid, 'topic name')
    if (packet.qos > 0 && this.#isRepeated(packet)) return
    const idempotencyKey = this.#idempotencyKey(packet)
    const inbound = new Inbound(client, packet)
    if (packet.qos > 0) client.session.received(inbound)
    this.#checkReceiveMaximum()
    this.#begin(inbound)
    void this.#publish(inbound, packet, idempotencyKey)
  }

  /** PUBREL: the identifier is free again once the store knows it. */
  release(packetId: number): void {
    const { session, broker } = this.#client
    if (session.onItsWay(packetId)) throw violation(reason.protocolError, 'release before PUBREC')
    const known = session.unreleased.release(packetId)
    const complete = () => this.#client.send({ cmd: 'pubcomp', messageId: packetId, reasonCode: codeOf(known) })
    if (!known || !session.persistent) {
      complete()
      return
    }
    session.save()
    broker.store.flush().then(complete, (error: unknown) => {
      broker.logger.error('session not saved', {}, error)
      this.#client.disconnect(reason.implementationSpecific)
    })
  }

  closed(): void {
    this.#forgetReady?.()
    this.#client.broker.inflight.forget(this.#roomAgain)
  }

  settled(): Promise<void> {
    return this.#messages === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenSettled.push(resolve))
  }

  async #publish(inbound: Inbound, packet: PublishPacket, idempotencyKey: string | undefined): Promise<void> {
    const client = this.#client
    const outcome = await publishInbound(client.broker, client, {
      topic: packet.topic,
      target: this.#readTopic(packet.topic),
      payload: packet.payload,
      qos: packet.qos,
      retain: packet.retain,
      properties: packet.properties,
      idempotencyKey,
      // MQTT 5 can say "quota exceeded"; without acknowledgement there is nothing to say it with.
      patient: client.version < 5 || packet.qos === 0,
    })
    this.#end(inbound)
    client.broker.metrics.received.inc(outcomeLabels[outcome.type])
    if (inbound.qos > 0) acknowledge(inbound, outcome)
  }

  /** Sent before and still on its way, or waiting for PUBREL: it is not executed again. */
  #isRepeated(packet: PublishPacket): boolean {
    const client = this.#client
    const { session } = client
    const { packetId } = packet
    const running = session.onItsWay(packetId)
    if (running) {
      if (!packet.dup) throw violation(reason.protocolError, 'packet identifier in use')
      running.client = client
      return true
    }
    if (packet.qos < 2 || !session.unreleased.isCommitted(packetId)) return false
    client.send({ cmd: 'pubrec', messageId: packetId, reasonCode: reason.success })
    return true
  }

  /** MQTT 5 [MQTT-3.3.4-7]; older clients know no such bound and get a wide one, against memory without end. */
  #checkReceiveMaximum(): void {
    const { session, version, broker } = this.#client
    const most = version === 5 ? broker.limits.inflightMessages : broker.limits.inflightMessages * 16
    if (session.unacknowledged > most) throw violation(reason.receiveMaximumExceeded, 'receive maximum')
  }

  /** Counts the message, and stops reading when there are enough. */
  #begin(inbound: Inbound): void {
    const { broker, connection, identity } = this.#client
    this.#messages++
    this.#bytes += inbound.bytes
    broker.inflight.take(inbound.bytes)
    if (this.#messages >= broker.limits.inflightMessages || this.#bytes >= broker.limits.inflightBytes)
      connection.hold(hold.inflight)
    if (broker.inflight.exhausted) {
      connection.hold(hold.inflight)
      broker.inflight.whenRoom(this.#roomAgain)
    }
    if (identity?.type === 'publisher' && !broker.door.acceptsWork(identity.project)) this.#waitUntilReady()
  }

  #end(inbound: Inbound): void {
    const { broker, connection } = this.#client
    this.#messages--
    this.#bytes -= inbound.bytes
    broker.inflight.give(inbound.bytes)
    if (inbound.qos > 0) inbound.session.finished(inbound)
    const { inflightMessages, inflightBytes } = broker.limits
    // Below three quarters, so that reading does not stop and go for every message.
    const room = this.#messages <= inflightMessages * 0.75 && this.#bytes <= inflightBytes * 0.75
    if (room && !broker.inflight.exhausted) connection.release(hold.inflight)
    if (this.#messages > 0) return
    for (const resolve of this.#whenSettled.splice(0)) resolve()
  }

  #waitUntilReady(): void {
    const { broker, connection, identity } = this.#client
    if (this.#forgetReady || identity?.type !== 'publisher') return
    connection.hold(hold.busy)
    this.#forgetReady = broker.door.whenReady(identity.project, () => {
      this.#forgetReady = undefined
      connection.release(hold.busy)
    })
  }

  #resolveAlias(packet: PublishPacket): void {
    const alias = packet.properties?.topicAlias
    if (alias === undefined) {
      if (packet.topic === '') throw violation(reason.protocolError, 'empty topic name')
      return
    }
    if (alias === 0 || alias > this.#client.broker.limits.topicAliases)
      throw violation(reason.topicAliasInvalid, `topic alias ${alias}`)
    if (packet.topic !== '') this.#aliases.set(alias, packet.topic)
    else packet.topic = this.#aliases.get(alias) ?? unknownAlias(alias)
  }

  #readTopic(topic: string): EventTopic {
    if (this.#target === undefined || topic !== this.#topic) {
      this.#topic = topic
      this.#target = readTopic(topic)
    }
    return this.#target
  }

  /** The sender's own key (user property), or that of an exactly-once message. */
  #idempotencyKey({ properties, qos, packetId, topic, payload }: PublishPacket): string | undefined {
    const own = properties?.userProperties?.find(([name]) => name.toLowerCase() === 'idempotency-key')?.[1]
    if (own !== undefined && Buffer.byteLength(own) > maxIdempotencyKeyBytes)
      throw violation(reason.protocolError, 'idempotency key longer than 100 bytes')
    const exactlyOnce = qos === 2 ? this.#client.session.unreleased.open(packetId, topic, payload) : undefined
    return own || exactlyOnce
  }
}

const outcomeLabels = {
  done: { outcome: 'done' },
  refused: { outcome: 'refused' },
  failed: { outcome: 'failed' },
} as const

function unknownAlias(alias: number): never {
  throw violation(reason.protocolError, `unknown topic alias ${alias}`)
}

function codeOf(known: boolean): Reason {
  return known ? reason.success : reason.packetIdNotFound
}

/**
 * Answers a message of QoS 1 or 2. What was not committed and could be later is never acknowledged: MQTT 5 says so with
 * a reason; MQTT 3.1.1 has no such answer, and the connection is closed so that the client sends again. What can never
 * be accepted is acknowledged in 3.1.1, because the client would send it for ever; the reason stands on `ack/…`.
 */
function acknowledge(inbound: Inbound, outcome: Outcome): void {
  const { client, session, qos, packetId } = inbound
  const refused = outcome.type !== 'done'
  if (client.version < 5 && outcome.type === 'failed') {
    client.disconnect(outcome.code)
    return
  }
  if (qos === 2) {
    if (refused && client.version === 5) session.unreleased.release(packetId)
    else session.unreleased.commit(packetId)
  }
  if (qos === 1 && (client.version < 5 || outcome.code === reason.success)) {
    client.connection.sendPuback(packetId)
    return
  }
  const packet: IPubackPacket | IPubrecPacket = {
    cmd: qos === 1 ? 'puback' : 'pubrec',
    messageId: packetId,
    reasonCode: outcome.code,
    properties: refused ? client.reasonProperties(outcome.text) : undefined,
  }
  client.send(packet)
}
