import type { ProjectKey } from '@w3bstream/protocol'
import type { Qos } from './codec/publish.ts'
import type { Message } from './message.ts'

/**
 * Keeps persistent sessions across restarts of the node. What is written between two flushes becomes durable together.
 * A flush survives the end of the process at any instant. When the machine itself loses power the last moments before
 * may be missing: the events that devices sent are not concerned, they are durable by the door's commit.
 */
export interface SessionStore {
  loadSessions(): Iterable<StoredSession>
  loadRetained(): Iterable<Message>
  putSession(session: StoredSessionState): void
  deleteSession(key: string): void
  putMessage(key: string, message: StoredMessage): void
  deleteMessage(key: string, sequence: number): void
  putRetained(message: Message): void
  deleteRetained(project: ProjectKey, topic: string): void
  /** Resolves when everything that was put before is kept. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface StoredSessionState {
  readonly key: string
  readonly principal: string
  readonly clientId: string
  /** Random, new for every new session: the stem of the idempotency keys of its QoS 2 messages. */
  readonly stem: string
  /** Seconds that the session outlives its connection. */
  readonly expirySeconds: number
  /** Milliseconds since 1970; undefined while connected. */
  readonly expiresAt: number | undefined
  readonly subscriptions: readonly StoredSubscription[]
  /** Of received QoS 2 messages: the epoch that new ones belong to, and packet identifiers not yet released, with theirs. */
  readonly epoch: number
  readonly unreleased: readonly (readonly [packetId: number, epoch: number])[]
}

interface StoredSubscription {
  readonly filter: string
  readonly path: string
  readonly shareGroup?: string
  readonly project: ProjectKey
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  readonly id?: number
}

/** A message of QoS 1 or 2 that its client has not acknowledged. */
export interface StoredMessage {
  /** Ascending in the order of delivery. */
  readonly sequence: number
  /** 0 while it waits to be sent. */
  readonly packetId: number
  /** The client has it; what is left is PUBREL. */
  readonly released: boolean
  readonly qos: Qos
  readonly retain: boolean
  readonly subscriptionIds?: number[]
  readonly message: Message
}

export interface StoredSession extends StoredSessionState {
  readonly messages: readonly StoredMessage[]
}

/** Keeps nothing: sessions live as long as the process. */
export const noSessionStore: SessionStore = {
  loadSessions: () => [],
  loadRetained: () => [],
  putSession() {},
  deleteSession() {},
  putMessage() {},
  deleteMessage() {},
  putRetained() {},
  deleteRetained() {},
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
}
