import type { ProjectKey } from '@w3bstream/protocol'
import type { Properties } from './codec/properties.ts'
import type { Qos } from './codec/publish.ts'
import type { Session } from './session.ts'

/** An application message on its way to subscribers. */
export interface Message {
  /** Only subscriptions of the same project see it. */
  readonly project: ProjectKey
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly properties?: Properties
  /** Milliseconds since 1970, from the message expiry interval. */
  readonly expiresAt?: number
  /** Who published it, for subscriptions without their own messages. */
  readonly origin?: Session
}

/** What a session subscribed to. */
export interface Subscription {
  readonly session: Session
  /** As the client wrote it, `$share/<group>/` included. */
  readonly filter: string
  readonly path: string
  readonly shareGroup: string | undefined
  readonly project: ProjectKey
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  readonly id: number | undefined
}

/** How a message goes to one session: what its matching subscriptions add up to. */
export interface Delivery {
  readonly qos: Qos
  readonly retain: boolean
  readonly subscriptionIds?: number[]
}

/** Seconds a message has left to live, rounded up; undefined when it does not expire. */
export function secondsLeft(message: Message, now: number): number | undefined {
  return message.expiresAt === undefined ? undefined : Math.max(0, Math.ceil((message.expiresAt - now) / 1000))
}

export function isExpired(message: Message, now: number): boolean {
  return message.expiresAt !== undefined && message.expiresAt <= now
}
