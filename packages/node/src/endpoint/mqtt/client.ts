import { generate, type Packet } from 'mqtt-packet'
import type { Identity } from '../endpoint.ts'
import type { Broker } from './broker.ts'
import type { FrameReader } from './codec/frame-reader.ts'
import {
  type ConnectPacket,
  packetType,
  readAcknowledgement,
  readDisconnect,
  readPing,
  readSubscribe,
  readUnsubscribe,
  type WillPacket,
} from './codec/packets.ts'
import { type OutgoingPublish, readPublish, TopicMemory, type Version, writePublish } from './codec/publish.ts'
import { type Reason, reason } from './codec/reason.ts'
import { type Connection, hold } from './connection.ts'
import { type MqttError, violation } from './errors.ts'
import type { Sender } from './inbound.ts'
import { Publisher } from './publisher.ts'
import type { Link, Session } from './session.ts'
import { subscribe, unsubscribe } from './subscribe.ts'

const pingresp = Buffer.of(0xd0, 0)
const maxReceive = 0xffff
const largestPacket = 268_435_460

/** A connection that passed CONNECT, together with the session it serves. */
export class Client implements Link, Sender {
  readonly broker: Broker
  readonly connection: Connection
  readonly session: Session
  readonly identity: Identity | undefined
  readonly userName: string | undefined
  readonly version: Version
  readonly receiveMaximum: number
  /** Milliseconds of silence after which it counts as lost: one and a half times what was agreed [MQTT-3.1.2-22]. */
  readonly silenceMs: number
  readonly #maximumPacketSize: number
  readonly #wantsReasons: boolean
  readonly #topics = new TopicMemory()
  readonly #publisher: Publisher
  /** Aliases given to topics of outgoing messages, as many as the client takes. */
  readonly #aliases = new Map<string, number>()
  readonly #aliasMaximum: number
  #will: WillPacket | undefined
  #slowSince: number | undefined
  #abort: AbortController | undefined
  #gone = false
  #stopping = false

  constructor(
    broker: Broker,
    connection: Connection,
    session: Session,
    identity: Identity | undefined,
    connect: ConnectPacket,
    silenceMs: number,
  ) {
    const { properties } = connect
    this.broker = broker
    this.connection = connection
    this.session = session
    this.identity = identity
    this.userName = connect.userName
    this.version = connect.version
    this.receiveMaximum = properties.receiveMaximum ?? maxReceive
    this.silenceMs = silenceMs
    this.#maximumPacketSize = properties.maximumPacketSize ?? largestPacket
    this.#wantsReasons = properties.requestProblem !== 0
    this.#aliasMaximum = Math.min(properties.topicAliasMaximum ?? 0, broker.limits.topicAliases)
    this.#will = connect.will
    this.#publisher = new Publisher(this)
  }

  /** Aborts when the connection is gone or the endpoint stops. */
  readonly signal = (): AbortSignal => {
    this.#abort ??= new AbortController()
    if (this.#gone || this.#stopping) this.#abort.abort()
    return this.#abort.signal
  }

  get writable(): boolean {
    return this.connection.open && this.connection.unsentBytes < this.broker.limits.writeBufferBytes
  }

  /** @throws MqttError */
  packet(reader: FrameReader): void {
    if (this.identity?.valid === false) {
      this.disconnect(reason.notAuthorized)
      return
    }
    const { version } = this
    switch (reader.head >> 4) {
      case packetType.publish:
        this.#publisher.receive(readPublish(reader, version, this.#topics))
        return
      case packetType.puback:
      case packetType.pubcomp:
        this.session.acknowledged(readAcknowledgement(reader, version).packetId)
        return
      case packetType.pubrec:
        this.#received(readAcknowledgement(reader, version))
        return
      case packetType.pubrel:
        this.#publisher.release(readAcknowledgement(reader, version).packetId)
        return
      case packetType.subscribe:
        subscribe(this, readSubscribe(reader, version))
        return
      case packetType.unsubscribe:
        unsubscribe(this, readUnsubscribe(reader, version))
        return
      case packetType.pingreq:
        readPing(reader)
        this.connection.send(pingresp)
        return
      case packetType.disconnect:
        this.#goodbye(readDisconnect(reader, version))
        return
      default:
        // A second CONNECT [MQTT-3.1.0-2], AUTH without a method [MQTT-4.12.0-1], and what only servers send.
        throw violation(reason.protocolError, `packet type ${reader.head >> 4}`)
    }
  }

  /** Writes a packet other than PUBLISH. A client that takes none of that size cannot be served [MQTT-3.1.2-24]. */
  send(packet: Packet): void {
    const bytes = generate(packet, { protocolVersion: this.version })
    if (bytes.length > this.#maximumPacketSize) this.connection.end()
    else this.connection.send(bytes)
  }

  /** A reason for people, when the client wants such [MQTT-3.1.2-29]. */
  reasonProperties(text: string): { reasonString: string } | undefined {
    const fits = text.length > 0 && text.length + 16 <= this.#maximumPacketSize
    return this.version === 5 && this.#wantsReasons && fits ? { reasonString: text } : undefined
  }

  sendPublish(packet: OutgoingPublish): boolean {
    const bytes = writePublish(this.#withAlias(packet), this.version)
    if (bytes.length > this.#maximumPacketSize) return false
    this.connection.send(bytes)
    return true
  }

  sendRelease(packetId: number): void {
    this.send({ cmd: 'pubrel', messageId: packetId, reasonCode: reason.success })
  }

  /** Ends the connection from this side; MQTT 5 clients are told why [MQTT-3.14.0-1]. */
  disconnect(code: Reason, text = ''): void {
    if (this.version < 5) {
      this.connection.end()
      return
    }
    const packet: Packet = { cmd: 'disconnect', reasonCode: code, properties: this.reasonProperties(text) }
    this.connection.end(generate(packet, { protocolVersion: 5 }))
  }

  broken(error: MqttError): void {
    const { fault } = error
    this.broker.metrics.violations.inc()
    if (fault.code === 'MQTT_PACKET') this.disconnect(fault.reason, fault.detail)
    else this.disconnect(reason.unspecified)
  }

  drained(): void {
    this.#slowSince = undefined
    this.session.pump()
  }

  /** The connection is gone, or another one has taken its place. */
  closed(): void {
    if (this.#gone) return
    this.#gone = true
    const { broker, session } = this
    this.#abort?.abort()
    this.#publisher.closed()
    broker.clients.delete(session)
    broker.metrics.connections.set(broker.clients.size)
    if (this.#will) broker.wills.release(broker, this, this.#will)
    broker.sessions.disconnected(session)
    broker.metrics.sessions.set(broker.sessions.size)
  }

  /** Called about once a second: silence, slowness, revocation. */
  tick(now: number): void {
    const { connection, broker } = this
    if (this.identity?.valid === false) {
      this.disconnect(reason.notAuthorized)
      return
    }
    if (!connection.held && now - connection.lastReceivedAt > this.silenceMs) {
      this.disconnect(reason.keepAliveTimeout)
      return
    }
    if (this.writable && !connection.draining) this.#slowSince = undefined
    else this.#slowSince ??= now
    if (this.#slowSince !== undefined && now - this.#slowSince > broker.limits.slowClientMs) connection.destroy()
  }

  /** Resolves when nothing received is still on its way to the commit. */
  settled(): Promise<void> {
    return this.#publisher.settled()
  }

  takenOver(): void {
    this.disconnect(reason.sessionTakenOver)
    this.closed()
  }

  /** Takes no more; what waits for a busy project is given up without acknowledgement. */
  stop(): void {
    this.#stopping = true
    this.#abort?.abort()
    this.connection.hold(hold.stopping)
  }

  #received({ packetId, code }: { packetId: number; code: number }): void {
    if (code >= 0x80) this.session.acknowledged(packetId)
    else if (!this.session.clientReceived(packetId))
      this.send({ cmd: 'pubrel', messageId: packetId, reasonCode: reason.packetIdNotFound })
  }

  #goodbye({ code, sessionExpiry }: { code: number; sessionExpiry?: number }): void {
    const { session, broker } = this
    if (sessionExpiry !== undefined) {
      // [MQTT-3.14.2-2]: a session that was to end with the connection cannot be prolonged.
      if (session.expirySeconds === 0 && sessionExpiry > 0)
        throw violation(reason.protocolError, 'session expiry interval')
      session.expirySeconds = Math.min(sessionExpiry, broker.limits.sessionExpirySeconds)
    }
    if (code !== reason.disconnectWithWill) this.#will = undefined
    this.connection.end()
  }

  /** The topic is sent once with an alias, and from then on the alias stands for it. */
  #withAlias(packet: OutgoingPublish): OutgoingPublish {
    if (this.#aliasMaximum === 0) return packet
    const known = this.#aliases.get(packet.topic)
    if (known !== undefined) return { ...packet, topic: '', properties: { ...packet.properties, topicAlias: known } }
    if (this.#aliases.size >= this.#aliasMaximum) return packet
    const topicAlias = this.#aliases.size + 1
    this.#aliases.set(packet.topic, topicAlias)
    return { ...packet, properties: { ...packet.properties, topicAlias } }
  }
}
