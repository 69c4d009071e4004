import { randomUUID } from 'node:crypto'
import { generate, type IConnackPacket } from 'mqtt-packet'
import { toApiError } from '../api-error.ts'
import type { Identity } from '../endpoint.ts'
import { type Broker, principalOf } from './broker.ts'
import { Client } from './client.ts'
import type { FrameReader } from './codec/frame-reader.ts'
import { type ConnectPacket, packetType, readConnect, readLevel } from './codec/packets.ts'
import { connackReturnCode, type Reason, reason } from './codec/reason.ts'
import { type Connection, type ConnectionHandler, hold } from './connection.ts'
import { MqttError, violation } from './errors.ts'
import { readTopic } from './event-payload.ts'
import type { Session } from './session.ts'
import { isTopicName } from './topics.ts'

/** A connection is refused with a CONNACK. */
class Refusal {
  readonly code: Reason
  constructor(code: Reason) {
    this.code = code
  }
}

/** The first packet of a connection: who is it, and which session is it about. */
export class Handshake implements ConnectionHandler {
  readonly startedAt = Date.now()
  readonly #broker: Broker
  readonly #onEnd: (handshake: Handshake) => void
  #connection: Connection | undefined
  #version: 3 | 4 | 5 | undefined

  /** @param onEnd told when it succeeded, failed or the peer went away */
  constructor(broker: Broker, onEnd: (handshake: Handshake) => void) {
    this.#broker = broker
    this.#onEnd = onEnd
  }

  begin(connection: Connection): void {
    this.#connection = connection
  }

  packet(reader: FrameReader): void {
    const connection = this.#connection!
    if (reader.head >> 4 !== packetType.connect) throw violation(reason.protocolError, 'first packet is not CONNECT')
    const level = readLevel(reader)
    if (!level) throw violation(reason.malformedPacket, 'protocol name')
    if (!level.supported) {
      this.#version = level.level > 5 ? 5 : 4
      this.#refuse(reason.unsupportedVersion)
      return
    }
    this.#version = level.level as 3 | 4 | 5
    const packet = readConnect(reader)
    connection.hold(hold.step)
    this.#connect(connection, packet)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => connection.release(hold.step))
  }

  broken(error: MqttError): void {
    this.#broker.metrics.violations.inc()
    // Only who spoke MQTT 5 so far is told; otherwise the connection closes [MQTT-3.1.4-1].
    const told = this.#version === 5 && error.fault.code === 'MQTT_PACKET'
    if (told && error.fault.code === 'MQTT_PACKET') this.#refuse(error.fault.reason)
    else this.close()
  }

  /** Time is up, or the node is stopping. */
  close(): void {
    this.#onEnd(this)
    this.#connection?.end()
  }

  drained(): void {}

  closed(): void {
    this.#onEnd(this)
  }

  #failed(error: unknown): void {
    if (error instanceof Refusal) {
      this.#refuse(error.code)
      return
    }
    if (error instanceof MqttError) {
      this.broken(error)
      return
    }
    this.#broker.logger.error('MQTT connect failed', {}, error)
    this.#refuse(reason.serverUnavailable)
  }

  #refuse(code: Reason): void {
    const version = this.#version ?? 4
    this.#broker.metrics.refusedConnections.inc({ reason: `0x${code.toString(16)}` })
    const answer = {
      cmd: 'connack',
      sessionPresent: false,
      reasonCode: code,
      returnCode: connackReturnCode(code),
    } as const
    this.#onEnd(this)
    this.#connection?.end(generate(answer, { protocolVersion: version }))
  }

  async #connect(connection: Connection, connect: ConnectPacket): Promise<void> {
    const broker = this.#broker
    if (broker.stopping) throw new Refusal(reason.serverUnavailable)
    if (connect.properties.authenticationMethod !== undefined) throw new Refusal(reason.badAuthenticationMethod)
    const clientId = checkClientId(broker, connect)
    const identity = await this.#authenticate(connect)
    checkWill(broker, connect, identity)
    if (!connection.open) return
    // Nobody in particular has no session to come back to, and none that somebody else could take over.
    const principal = identity ? principalOf(identity) : `anonymous:${randomUUID()}`
    const { session, present } = openSession(broker, principal, clientId, connect)
    session.expirySeconds = identity ? expiryOf(broker, connect) : 0
    this.#welcome(connection, connect, session, identity, present)
  }

  async #authenticate({ password }: ConnectPacket): Promise<Identity | undefined> {
    if (password === undefined || password.length === 0) return undefined
    try {
      return await this.#broker.door.authenticate(password.toString('utf8'))
    } catch (error) {
      const { status, code } = toApiError(error)
      if (status === 401 || code === 'AccessKeyNotFound') throw new Refusal(reason.badUserNameOrPassword)
      throw status < 500 && status !== 429 ? new Refusal(reason.notAuthorized) : error
    }
  }

  #welcome(
    connection: Connection,
    connect: ConnectPacket,
    session: Session,
    identity: Identity | undefined,
    present: boolean,
  ): void {
    const broker = this.#broker
    const { keepAliveSeconds } = broker.limits
    // Only MQTT 5 can tell the client another time [MQTT-3.1.2-21].
    const tooLong = connect.version === 5 && (connect.keepAlive === 0 || connect.keepAlive > keepAliveSeconds)
    const keepAlive = tooLong ? keepAliveSeconds : connect.keepAlive
    const client = new Client(
      broker,
      connection,
      session,
      identity,
      connect,
      keepAlive > 0 ? keepAlive * 1500 : Infinity,
    )
    connection.packetBytes = broker.limits.packetBytes
    connection.shortestLengths = connect.version === 5
    connection.handler = client
    this.#onEnd(this)
    broker.clients.set(session, client)
    broker.metrics.connections.set(broker.clients.size)
    broker.metrics.sessions.set(broker.sessions.size)
    session.expiresAt = undefined
    session.save()
    const properties = connect.version === 5 ? connackProperties(broker, connect, session, tooLong) : undefined
    client.send({ cmd: 'connack', sessionPresent: present, reasonCode: 0, returnCode: 0, properties })
    session.attach(client)
  }
}

function checkClientId({ limits }: Broker, { clientId, clean, version }: ConnectPacket): string {
  if (Buffer.byteLength(clientId) > limits.clientIdBytes) throw new Refusal(reason.clientIdNotValid)
  if (clientId !== '') return clientId
  // [MQTT-3.1.3-8] of 3.1.1: without a name only a session that ends with the connection. 3.1 wants a name always.
  if (version === 3 || (version === 4 && !clean)) throw new Refusal(reason.clientIdNotValid)
  return `w3b-${randomUUID()}`
}

/** A will is subject to the rules of any message of its sender. */
function checkWill({ limits }: Broker, { will }: ConnectPacket, identity: Identity | undefined): void {
  if (!will) return
  if (!isTopicName(will.topic, limits)) throw new Refusal(reason.topicNameInvalid)
  const { channel, form } = readTopic(will.topic)
  const event = form === 'channel' || form === 'push' || form === 'typed'
  const allowed = identity?.type === 'publisher' ? channel === identity.channel : !identity && event
  if (!allowed) throw new Refusal(reason.notAuthorized)
}

/** MQTT 3: a session that is not clean is kept as long as the node keeps any. */
function expiryOf({ limits }: Broker, { version, clean, properties }: ConnectPacket): number {
  const wanted = version === 5 ? (properties.sessionExpiry ?? 0) : clean ? 0 : limits.sessionExpirySeconds
  return Math.min(wanted, limits.sessionExpirySeconds)
}

function openSession(broker: Broker, principal: string, clientId: string, { clean }: ConnectPacket) {
  const { sessions, wills, clients } = broker
  const existing = sessions.get(principal, clientId)
  // [MQTT-3.1.4-3]
  if (existing) clients.get(existing)?.takenOver()
  // Ending the earlier connection may have ended its session.
  const kept = sessions.get(principal, clientId)
  if (kept && !clean) {
    wills.cancel(kept)
    return { session: kept, present: true }
  }
  if (kept) sessions.discard(kept)
  const session = sessions.create(principal, clientId)
  if (!session) throw new Refusal(reason.quotaExceeded)
  return { session, present: false }
}

function connackProperties(
  { limits }: Broker,
  connect: ConnectPacket,
  session: Session,
  otherKeepAlive: boolean,
): IConnackPacket['properties'] {
  return {
    receiveMaximum: limits.inflightMessages,
    maximumPacketSize: limits.packetBytes,
    topicAliasMaximum: limits.topicAliases,
    ...(connect.clientId === '' && { assignedClientIdentifier: session.clientId }),
    ...(session.expirySeconds !== (connect.properties.sessionExpiry ?? 0) && {
      sessionExpiryInterval: session.expirySeconds,
    }),
    ...(otherKeepAlive && { serverKeepAlive: limits.keepAliveSeconds }),
  }
}
