import { decodeEvent, type EventPb, ProtocolError } from '@w3bstream/protocol'
import { ApiError } from '../api-error.ts'
import type { PushItem } from '../endpoint.ts'

/**
 * What a published message means: the topics and payloads that devices have used so far, and the plain form for
 * connections that authenticated themselves. Pure: used by the node's own broker and when attached to another.
 */

/** A topic, read as one that carries events. */
export interface EventTopic {
  /** The first level, which is the project's full name. */
  readonly channel: string
  /**
   * `channel`: `<channel>`; `typed`: `<channel>/<eventType>`; `push`: `<channel>/push/<token>/<eventType>[/ts=&id=]`;
   * `broken-push`: other topics below `<channel>/push`; `deep`: everything else, which is no event.
   */
  readonly form: 'channel' | 'typed' | 'push' | 'broken-push' | 'deep'
  readonly eventType?: string
  readonly token?: string
  readonly timestampMs?: number
  readonly eventId?: string
}

/** An event as it was found in a message. */
export interface FoundEvent {
  /** Who sent it; absent when the connection says so. */
  readonly token?: string
  readonly eventType?: string
  readonly eventId?: string
  readonly timestampMs?: number
  readonly payload: Uint8Array
}

/** Events in one message; more are refused. 1000 is what the batching clients send at most. */
const maxEventsPerMessage = 1000

export function readTopic(topic: string): EventTopic {
  const slash = topic.indexOf('/')
  if (slash < 0) return { channel: topic, form: 'channel' }
  const channel = topic.slice(0, slash)
  const levels = topic.slice(slash + 1).split('/')
  if (levels[0] === 'push') return readPushTopic(channel, levels)
  return levels.length === 1 && levels[0] !== ''
    ? { channel, form: 'typed', eventType: levels[0]! }
    : { channel, form: 'deep' }
}

function readPushTopic(channel: string, [, token, eventType, query, ...more]: string[]): EventTopic {
  if (!token || eventType === undefined || more.length > 0) return { channel, form: 'broken-push' }
  const parameters = new URLSearchParams(query ?? '')
  return {
    channel,
    form: 'push',
    token,
    eventType: eventType || undefined,
    timestampMs: readTime(parameters.get('ts')),
    eventId: parameters.get('id') || undefined,
  }
}

/**
 * A sender's time in milliseconds or seconds, or undefined when there is none. Microseconds and nanoseconds, which some
 * tools send, are recognised by their size: 10^14 ms is the year 5138.
 */
export function readTime(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0) return undefined
  if (number >= 1e17) return Math.floor(number / 1e6)
  if (number >= 1e14) return Math.floor(number / 1e3)
  return Math.floor(number)
}

/**
 * The events of a message on a topic of the forms `channel`, `typed` or `push`.
 * @param authenticated the connection said who it is, so that the payload may be the event itself
 * @returns events without a token are those of the connection's device, or of nobody in particular
 * @throws ApiError BadRequest
 */
export function readEvents(topic: EventTopic, payload: Buffer, authenticated: boolean): FoundEvent[] {
  if (topic.form === 'push') {
    const { token, eventType, eventId, timestampMs } = topic
    return [{ token, eventType, eventId, timestampMs, payload }]
  }
  const wrapped = topic.form === 'channel' ? unwrap(payload) : undefined
  if (wrapped && (!authenticated || wrapped.every((event) => event.token))) return wrapped
  return [{ eventType: topic.eventType, payload }]
}

/** The events of a message that has one of the forms with a header; undefined when it has none of them. */
function unwrap(payload: Buffer): FoundEvent[] | undefined {
  const first = payload[0]
  // Protobuf first: 0x0a is its first tag, and a newline as well.
  if (first === 0x0a || first === 0x12) {
    const event = tryProtobuf(payload)
    if (event?.token) return [fromProtobuf(event)]
  }
  // Without this word there is no header, and no need to parse what belongs to the applet.
  if (!startsJson(payload) || !payload.includes('"header"')) return undefined
  const items = headerItems(parseJson(payload))
  return items?.map(fromHeader)
}

function tryProtobuf(payload: Buffer): EventPb | undefined {
  try {
    return decodeEvent(payload)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function fromProtobuf(event: EventPb): FoundEvent {
  return {
    token: event.token,
    eventType: event.eventType || undefined,
    eventId: event.eventId || undefined,
    timestampMs: readTime(event.pubTime),
    payload: event.payload,
  }
}

interface HeaderItem {
  readonly header: Record<string, unknown>
  readonly payload: unknown
  readonly base64: boolean
}

/** `{events:[…]}` with base64 payloads, one `{header,payload}`, or an array of these. */
function headerItems(value: unknown): HeaderItem[] | undefined {
  if (!isRecord(value) && !Array.isArray(value)) return undefined
  const base64 = isRecord(value) && Array.isArray(value.events)
  const list = Array.isArray(value) ? value : base64 ? (value.events as unknown[]) : [value]
  if (list.length === 0 || !list.every((item) => isRecord(item) && isRecord(item.header))) return undefined
  if (list.length > maxEventsPerMessage)
    throw new ApiError('BadRequest', `${list.length} events in one message, limit ${maxEventsPerMessage}`)
  return list.map((item) => ({ header: item.header, payload: item.payload, base64 }))
}

function fromHeader({ header, payload, base64 }: HeaderItem): FoundEvent {
  return {
    token: text(header.token),
    eventType: text(header.event_type),
    eventId: text(header.event_id),
    timestampMs: readTime(header.pub_time ?? header.timestamp),
    payload: readPayload(payload, base64),
  }
}

function readPayload(payload: unknown, base64: boolean): Uint8Array {
  if (payload === undefined || payload === null) return Buffer.alloc(0)
  if (typeof payload !== 'string') return Buffer.from(JSON.stringify(payload))
  if (!base64) return Buffer.from(payload)
  const bytes = Buffer.from(payload, 'base64')
  // The decoder skips what is not base64; a length that does not fit tells.
  const digits = payload.replace(/=+$/, '').length
  if (bytes.length !== Math.floor((digits * 3) / 4))
    throw new ApiError('BadRequest', 'payload of an item of `events` is not base64')
  return bytes
}

/**
 * A data push: `[{device_id, event_type?, payload, timestamp?}]`.
 * @throws ApiError BadRequest
 */
export function readPushItems(payload: Buffer): PushItem[] {
  const list = startsJson(payload) ? parseJson(payload) : undefined
  if (!Array.isArray(list)) throw new ApiError('BadRequest', 'incorrect payload format for batched event')
  if (list.length > maxEventsPerMessage)
    throw new ApiError('BadRequest', `${list.length} events in one message, limit ${maxEventsPerMessage}`)
  return list.map((item: unknown, index) => {
    if (
      !isRecord(item) ||
      typeof item.device_id !== 'string' ||
      item.device_id === '' ||
      typeof item.payload !== 'string'
    )
      throw new ApiError('BadRequest', `incorrect payload format for batched event: item ${index}`)
    return {
      deviceId: item.device_id,
      eventType: text(item.event_type),
      payload: Buffer.from(item.payload),
      timestampMs: readTime(item.timestamp),
    }
  })
}

function startsJson(payload: Buffer): boolean {
  let at = 0
  while (at < payload.length && isSpace(payload[at]!)) at++
  return payload[at] === 0x7b || payload[at] === 0x5b
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
