/**
 * Service endpoints: what speaks to devices, builders and operators. An endpoint decodes a protocol, caps its sizes and
 * hands every event to one {@link Door}; it never stores, orders or executes. It acknowledges to its peer when the door's
 * promise resolves, which means: committed to disk. Endpoints open last and close first.
 */
import type { ProjectKey, Sfid } from '@w3bstream/protocol'

/** A device, as authenticated. The object lives as long as its connection, and turns invalid when it is revoked. */
export interface PublisherIdentity {
  readonly type: 'publisher'
  readonly project: ProjectKey
  /** The project's full name, which is the event channel and the MQTT topic. */
  readonly channel: string
  readonly publisherId: Sfid
  readonly publisherKey: string
  /** False after its token was rotated, or the publisher or the project removed. Checked at each message. */
  readonly valid: boolean
}

/** An account, by token or access key. */
export interface AccountIdentity {
  readonly type: 'account'
  readonly accountId: Sfid
  readonly role: 'ADMIN' | 'DEVELOPER'
  /** Name of the access key; absent for a login token. */
  readonly accessKey?: string
  /** What an access key may do in a group of operations; a login token may do everything. */
  permits(group: string, access: 'READONLY' | 'READ_WRITE'): boolean
  readonly valid: boolean
}

export type Identity = PublisherIdentity | AccountIdentity

/** One event, as an endpoint understood it. */
export interface EventInput {
  readonly channel: string
  /** @default 'DEFAULT' */
  readonly eventType?: string
  /** @default a UUID with suffix `_w3b`; lower-cased by the door */
  readonly eventId?: string
  /** The sender's clock, milliseconds. Seconds are recognised; a value far from now is replaced by now. */
  readonly timestampMs?: number
  readonly payload: Uint8Array
  /** Makes a retry safe: the same key of the same publisher is executed once, and answered alike. At most 128 bytes. */
  readonly idempotencyKey?: string
  readonly transport: 'http' | 'mqtt' | 'rpc'
  /** The full topic, for events that came by MQTT. */
  readonly topic?: string
}

/** One item of a data push: the device is created when the project does not know it. */
export interface PushItem {
  readonly deviceId: string
  /** @default 'DEFAULT' */
  readonly eventType?: string
  readonly payload: Uint8Array
  readonly timestampMs?: number
}

export interface EventResult {
  readonly appletName: string
  readonly instanceID: string
  readonly handler: string
  readonly returnValue: null
  /** What the handler returned, or −1 when it did not. */
  readonly code: number
  readonly error?: string
}

/** The answer to an event, in the shape that devices have always received. */
export interface EventAnswer {
  readonly channel: string
  readonly publisherID: string
  readonly publisherKey: string
  readonly eventID: string
  readonly timestamp: number
  readonly results: readonly EventResult[] | null
  readonly error?: string
  /** Hexadecimal id of the message, by which its receipt is found. Absent when the event was refused. */
  readonly messageID?: string
}

export interface PushAnswer {
  readonly index: number
  readonly results: readonly EventResult[] | null
}

/**
 * The one way in. Errors are `ApiError`s (see `endpoint/api-error.ts`), the same for every protocol; `MailboxFull` and
 * `NodeStopping` (429 and 503 over HTTP, quota exceeded and server unavailable over MQTT 5) ask the sender to come back later.
 */
export interface Door {
  /**
   * Finds out whose token this is. Synchronous for tokens that were seen lately.
   * @throws ApiError InvalidToken, InvalidAccessKey, AccessKeyExpired, AccessKeyNotFound, PublisherNotFound, …
   */
  authenticate(token: string): Identity | Promise<Identity>
  /** The identity that stands for callers without a token in a public project. @throws ApiError InvalidToken when the project is not public */
  anonymous(channel: string): Promise<PublisherIdentity>
  /** Resolves after the commit. @throws ApiError */
  publish(identity: PublisherIdentity, event: EventInput, options?: { signal?: AbortSignal }): Promise<EventAnswer>
  /** Data push: many events of many devices of one project, by an account. Resolves after all are committed. @throws ApiError */
  push(
    identity: AccountIdentity,
    channel: string,
    items: readonly PushItem[],
    options?: { idempotencyKey?: string },
  ): Promise<PushAnswer[]>
  /** A signed envelope (`docs/spec/envelope.md`), which needs no token. @throws ApiError */
  publishEnvelope(envelope: Uint8Array, transport: EventInput['transport']): Promise<EventAnswer>
  /** False when a message of this project would be answered with "busy"; an endpoint then stops reading. */
  acceptsWork(project: ProjectKey): boolean
  /** Calls back once, when the project accepts work again. Returns a function that forgets the call-back. */
  whenReady(project: ProjectKey, callback: () => void): () => void
}

/** Something that can be started and stopped; both are safe to repeat. */
export interface Service {
  readonly name: string
  start(): Promise<void>
  /** Stops taking work, finishes what was taken, closes; at the latest when `signal` aborts. */
  stop(signal?: AbortSignal): Promise<void>
}
