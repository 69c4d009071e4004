import type { Broker } from './broker.ts'
import type { WillPacket } from './codec/packets.ts'
import { readTopic } from './event-payload.ts'
import { publishInbound, type Sender } from './inbound.ts'
import type { Session } from './session.ts'

interface PendingWill {
  readonly will: WillPacket
  readonly sender: Sender
  readonly dueAt: number
}

/** Last wills of connections that ended without goodbye (MQTT 5 section 3.1.2.5); they wait out their delay here. */
export class Wills {
  readonly #pending = new Map<Session, PendingWill>()

  /** Publishes a will, or begins its delay, which ends with the session at the latest [MQTT-3.1.3-9]. */
  release(broker: Broker, sender: Sender, will: WillPacket): void {
    const delay = Math.min(will.properties?.willDelay ?? 0, sender.session.expirySeconds)
    if (delay === 0) publishWill(broker, sender, will)
    else this.#pending.set(sender.session, { will, sender, dueAt: Date.now() + delay * 1000 })
  }

  /** The client is back in time. */
  cancel(session: Session): void {
    this.#pending.delete(session)
  }

  /** The session ended before the delay did. */
  sessionEnded(broker: Broker, session: Session): void {
    const pending = this.#pending.get(session)
    if (!pending) return
    this.#pending.delete(session)
    publishWill(broker, pending.sender, pending.will)
  }

  tick(broker: Broker, now: number): void {
    for (const [session, pending] of this.#pending) if (pending.dueAt <= now) this.sessionEnded(broker, session)
  }
}

function publishWill(broker: Broker, sender: Sender, { topic, payload, qos, retain, properties }: WillPacket): void {
  // A device that was revoked has no last word.
  if (sender.identity && !sender.identity.valid) return
  const { willDelay: _, ...rest } = properties ?? {}
  const message = { topic, target: readTopic(topic), payload, qos, retain, properties: rest, patient: false }
  const published = publishInbound(broker, sender, message)
  void published.then((outcome) => {
    broker.metrics.received.inc({ outcome: outcome.type })
    if (outcome.type !== 'done') broker.logger.warn('will refused', { reason: outcome.code })
  })
}
