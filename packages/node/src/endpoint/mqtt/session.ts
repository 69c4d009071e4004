import { randomBytes } from 'node:crypto'
import type { OutgoingPublish } from './codec/publish.ts'
import type { Inbound } from './inbound.ts'
import { type Delivery, isExpired, type Message, type Subscription, secondsLeft } from './message.ts'
import type { DropReason, MqttMetrics } from './metrics.ts'
import type { MqttLimits } from './options.ts'
import type { SessionStore, StoredMessage, StoredSession, StoredSessionState } from './session-store.ts'
import { UnreleasedMessages } from './unreleased.ts'

/** What a session needs of the connection that serves it. */
export interface Link {
  /** How many messages of QoS 1 and 2 the client takes at a time. */
  readonly receiveMaximum: number
  /** False while the client reads too slowly. */
  readonly writable: boolean
  /** Writes a message; false when it is larger than the client takes [MQTT-3.1.2-25]. */
  sendPublish(packet: OutgoingPublish): boolean
  sendRelease(packetId: number): void
}

export interface SessionDeps {
  readonly limits: MqttLimits
  readonly metrics: MqttMetrics
  readonly store: SessionStore
}

interface Outgoing extends StoredMessage {
  packetId: number
  released: boolean
}

const maxPacketId = 0xffff

/** The state of one client that may outlive its connection (MQTT 5 section 4.1). */
export class Session {
  readonly key: string
  readonly principal: string
  readonly clientId: string
  readonly subscriptions = new Map<string, Subscription>()
  /** Received QoS 2 messages until they are released. */
  readonly unreleased: UnreleasedMessages
  /** Seconds that it outlives its connection. */
  expirySeconds: number
  /** When it ends, milliseconds since 1970; undefined while connected. */
  expiresAt: number | undefined
  /** Whether the store knows it. */
  stored: boolean
  readonly #deps: SessionDeps
  #link: Link | undefined
  /** Received messages of QoS 1 and 2 on their way to the commit, by packet identifier. */
  readonly #inbound = new Map<number, Inbound>()
  #inboundQos1 = 0
  /** Sent on this connection and not acknowledged, in the order of sending. */
  readonly #inflight = new Map<number, Outgoing>()
  /** Sent on an earlier connection and to be sent again. */
  #resend = new Map<number, Outgoing>()
  #queue: Outgoing[] = []
  #queueBytes = 0
  #lastPacketId = 0
  #sequence = 0

  constructor(
    state: Pick<StoredSession, 'key' | 'principal' | 'clientId'> & Partial<StoredSession>,
    deps: SessionDeps,
  ) {
    this.key = state.key
    this.principal = state.principal
    this.clientId = state.clientId
    this.expirySeconds = state.expirySeconds ?? 0
    this.expiresAt = state.expiresAt
    this.stored = state.stem !== undefined
    this.unreleased = new UnreleasedMessages(
      state.stem ?? randomBytes(12).toString('base64url'),
      state.epoch ?? 0,
      state.unreleased ?? [],
    )
    this.#deps = deps
    for (const message of state.messages ?? []) this.#restore({ ...message })
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  /** Whether it outlives its connection. */
  get persistent(): boolean {
    return this.expirySeconds > 0
  }

  /** A connection takes over: what was not acknowledged goes out again with its old identifier [MQTT-4.4.0-1]. */
  attach(link: Link): void {
    this.#link = link
    this.expiresAt = undefined
    this.pump()
  }

  detach(): void {
    this.#link = undefined
    this.#resend = new Map([...this.#inflight, ...this.#resend])
    this.#inflight.clear()
  }

  deliver(message: Message, delivery: Delivery): void {
    const link = this.#link
    if (delivery.qos === 0) {
      if (!link) this.#drop('offline')
      else if (!link.writable) this.#drop('slow_client')
      else this.#write(link, message, delivery, 0, false)
      return
    }
    const outgoing: Outgoing = { sequence: ++this.#sequence, packetId: 0, released: false, message, ...delivery }
    if (link && this.#queue.length === 0 && this.#hasRoom(link)) this.#send(link, outgoing)
    else this.#enqueue(outgoing)
  }

  /** A message of QoS 1 or 2 from the client is on its way. */
  received(inbound: Inbound): void {
    this.#inbound.set(inbound.packetId, inbound)
    if (inbound.qos === 1) this.#inboundQos1++
  }

  /** It has arrived, or was refused. */
  finished(inbound: Inbound): void {
    this.#inbound.delete(inbound.packetId)
    if (inbound.qos === 1) this.#inboundQos1--
  }

  /** The message with this identifier that is on its way. */
  onItsWay(packetId: number): Inbound | undefined {
    return this.#inbound.get(packetId)
  }

  /** Messages of the client that count against the Receive Maximum. */
  get unacknowledged(): number {
    return this.#inboundQos1 + this.unreleased.size
  }

  /** Sends what waits, as far as the client takes it. */
  pump(): void {
    for (const [id, outgoing] of this.#resend) {
      if (!this.#link || !this.#hasRoom(this.#link)) return
      this.#resend.delete(id)
      this.#send(this.#link, outgoing)
    }
    while (this.#link && this.#queue.length > 0 && this.#hasRoom(this.#link)) {
      const outgoing = this.#queue.shift()!
      this.#queueBytes -= outgoing.message.payload.length
      if (isExpired(outgoing.message, Date.now())) this.#forget(outgoing, 'expired')
      else this.#send(this.#link, outgoing)
    }
  }

  /** PUBACK, PUBCOMP, or a PUBREC that refuses. */
  acknowledged(packetId: number): void {
    const outgoing = this.#unacknowledged(packetId)
    if (!outgoing) return
    this.#inflight.delete(packetId)
    this.#resend.delete(packetId)
    this.#forget(outgoing)
    this.pump()
  }

  /** PUBREC. Returns false when nothing of that identifier was sent. */
  clientReceived(packetId: number): boolean {
    const outgoing = this.#unacknowledged(packetId)
    if (outgoing?.qos !== 2) return false
    outgoing.released = true
    if (this.persistent) this.#deps.store.putMessage(this.key, outgoing)
    this.#link?.sendRelease(packetId)
    return true
  }

  /** Writes the session, without its messages, to the store when it is to survive. */
  save(): void {
    if (!this.persistent) return
    this.stored = true
    this.#deps.store.putSession(this.#state())
  }

  #state(): StoredSessionState {
    return {
      key: this.key,
      principal: this.principal,
      clientId: this.clientId,
      expirySeconds: this.expirySeconds,
      expiresAt: this.expiresAt,
      subscriptions: [...this.subscriptions.values()].map(({ session: _, ...stored }) => stored),
      ...this.unreleased.state(),
    }
  }

  #restore(outgoing: Outgoing): void {
    this.#sequence = outgoing.sequence
    if (outgoing.packetId > 0) this.#resend.set(outgoing.packetId, outgoing)
    else {
      this.#queue.push(outgoing)
      this.#queueBytes += outgoing.message.payload.length
    }
  }

  #unacknowledged(packetId: number): Outgoing | undefined {
    return this.#inflight.get(packetId) ?? this.#resend.get(packetId)
  }

  #hasRoom(link: Link): boolean {
    const most = Math.min(link.receiveMaximum, this.#deps.limits.outgoingInflight)
    return link.writable && this.#inflight.size < most
  }

  #enqueue(outgoing: Outgoing): void {
    const { queuedMessages, queuedBytes } = this.#deps.limits
    const bytes = this.#queueBytes + outgoing.message.payload.length
    if (this.#queue.length >= queuedMessages || bytes > queuedBytes) {
      this.#drop('queue_full')
      return
    }
    this.#queue.push(outgoing)
    this.#queueBytes = bytes
    if (this.persistent) this.#deps.store.putMessage(this.key, outgoing)
  }

  #send(link: Link, outgoing: Outgoing): void {
    const again = outgoing.packetId > 0
    if (!again) outgoing.packetId = this.#nextPacketId()
    this.#inflight.set(outgoing.packetId, outgoing)
    if (outgoing.released) {
      link.sendRelease(outgoing.packetId)
      return
    }
    if (this.persistent && !again) this.#deps.store.putMessage(this.key, outgoing)
    if (this.#write(link, outgoing.message, outgoing, outgoing.packetId, again)) return
    this.#inflight.delete(outgoing.packetId)
    this.#forget(outgoing)
  }

  #write(link: Link, message: Message, delivery: Delivery, packetId: number, dup: boolean): boolean {
    const { qos, retain, subscriptionIds } = delivery
    const messageExpiry = secondsLeft(message, Date.now())
    const properties =
      message.properties || subscriptionIds || messageExpiry !== undefined
        ? { ...message.properties, subscriptionIds, messageExpiry }
        : undefined
    const { topic, payload } = message
    const sent = link.sendPublish({ topic, payload, qos, retain, dup, packetId, properties })
    if (sent) this.#deps.metrics.delivered.inc()
    else this.#drop('too_large')
    return sent
  }

  #forget(outgoing: Outgoing, reason?: DropReason): void {
    if (reason) this.#drop(reason)
    if (this.persistent) this.#deps.store.deleteMessage(this.key, outgoing.sequence)
  }

  #drop(reason: DropReason): void {
    this.#deps.metrics.dropped.inc({ reason })
  }

  /** There is always a free one: far fewer are in flight than exist. */
  #nextPacketId(): number {
    do this.#lastPacketId = (this.#lastPacketId % maxPacketId) + 1
    while (this.#unacknowledged(this.#lastPacketId))
    return this.#lastPacketId
  }
}
