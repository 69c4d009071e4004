import { sha256 } from '#sha256'
import { Reader, Writer } from './bytes/codec.ts'
import { ProtocolError } from './error.ts'
import type { Sfid } from './ids.ts'

/**
 * Everything that can change a project's state is a message. Kinds:
 * `data` from devices, `config` from the owner, `answer` what came back for an effect (a transaction's receipt, an
 * asynchronous call's result), `chain` logs and heights, `timer` firings.
 */
export const messageKinds = ['data', 'config', 'answer', 'chain', 'timer'] as const
export type MessageKind = (typeof messageKinds)[number]

/**
 * Who answers for a message: `vouched`, the member that checked a token; or `signed`, the device's own signature over
 * the envelope of `docs/spec/envelope.md`, which anybody can check.
 */
export type Origin = { type: 'vouched' } | { type: 'signed'; envelope: Uint8Array }

/** A message as it stands in a batch. */
export interface Message {
  readonly kind: MessageKind
  /** When the node received it, milliseconds; for signed messages the envelope's own time. The first part of the id. */
  readonly receivedMs: number
  /** Distinguishes messages of equal content: the ingest counter of the member, or the envelope's nonce. */
  readonly nonce: Uint8Array
  readonly origin: Origin
  /** `''` for messages that no device sent. */
  readonly publisherId: Sfid | ''
  readonly publisherKey: string
  readonly eventType: string
  /** A label for tracing, not a key. */
  readonly eventId: string
  /** The sender's clock, milliseconds. */
  readonly timestampMs: number
  /** The full MQTT topic, when it came by MQTT; else `''`. */
  readonly topic: string
  /** Makes a sender's retry safe; empty when the sender gave none. At most 128 bytes. */
  readonly idempotencyKey: string
  readonly payload: Uint8Array
}

/** A message of the node's own, which no device sent: a change of the configuration, an answer from outside, a timer. */
export function ownMessage(
  kind: 'config' | 'answer' | 'timer',
  nowMs: number,
  fields: Pick<Message, 'nonce' | 'payload'> & Partial<Pick<Message, 'eventType' | 'eventId' | 'idempotencyKey'>>,
): Message {
  const { nonce, payload, eventType = '', eventId = '', idempotencyKey = '' } = fields
  return {
    kind,
    receivedMs: nowMs,
    nonce,
    origin: { type: 'vouched' },
    publisherId: '',
    publisherKey: '',
    eventType,
    eventId,
    timestampMs: nowMs,
    topic: '',
    idempotencyKey,
    payload,
  }
}

export const messageLimits = {
  payloadBytes: 16 * 1024 * 1024,
  textBytes: 4096,
  publisherIdBytes: 20,
  topicBytes: 65535,
  nonceBytes: 64,
  envelopeBytes: 17 * 1024 * 1024,
}

const utf8 = new TextEncoder()
const domain = utf8.encode('w3bstream/message/v1')

/** The canonical bytes of a message. */
export function encodeMessage(message: Message, writer = new Writer(128 + message.payload.length)): Uint8Array {
  return writeMessage(writer, message).view()
}

export function writeMessage(writer: Writer, message: Message): Writer {
  const { origin } = message
  writer
    .u8(messageKinds.indexOf(message.kind))
    .uint(message.receivedMs)
    .bytes(message.nonce)
    .u8(origin.type === 'signed' ? 1 : 0)
  if (origin.type === 'signed') writer.bytes(origin.envelope)
  return writer
    .text(message.publisherId)
    .text(message.publisherKey)
    .text(message.eventType)
    .text(message.eventId)
    .uint(message.timestampMs)
    .text(message.topic)
    .text(message.idempotencyKey)
    .bytes(message.payload)
}

/** Why a message could be encoded but not read back, or not even encoded; nothing when it is sound. */
export function messageProblem(message: Message): { field: string; msg: string } | undefined {
  const { payloadBytes, textBytes, publisherIdBytes, topicBytes, nonceBytes, envelopeBytes } = messageLimits
  const { origin, nonce, payload, publisherId, publisherKey, eventType, eventId, topic, idempotencyKey } = message
  return (
    tooLong('payload', payload.length, payloadBytes) ??
    tooLong('nonce', nonce.length, nonceBytes) ??
    (origin.type === 'signed' ? tooLong('envelope', origin.envelope.length, envelopeBytes) : undefined) ??
    tooLong('publisherId', utf8Length(publisherId, publisherIdBytes), publisherIdBytes) ??
    tooLong('publisherKey', utf8Length(publisherKey, textBytes), textBytes) ??
    tooLong('eventType', utf8Length(eventType, textBytes), textBytes) ??
    tooLong('eventId', utf8Length(eventId, textBytes), textBytes) ??
    tooLong('topic', utf8Length(topic, topicBytes), topicBytes) ??
    tooLong('idempotencyKey', utf8Length(idempotencyKey, textBytes), textBytes) ??
    noTime('receivedMs', message.receivedMs) ??
    noTime('timestampMs', message.timestampMs)
  )
}

/** Exact only near the limit: no UTF-16 unit takes more than three bytes. */
function utf8Length(text: string, limit: number): number {
  return text.length * 3 <= limit ? text.length : utf8.encode(text).length
}

function tooLong(field: string, size: number, limit: number): { field: string; msg: string } | undefined {
  return size > limit ? { field, msg: `${size} bytes, at most ${limit}` } : undefined
}

function noTime(field: string, value: number): { field: string; msg: string } | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? undefined : { field, msg: 'no whole number of milliseconds' }
}

/** @throws ProtocolError on anything but one canonical message */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new Reader(bytes)
  const message = readMessage(reader)
  reader.end()
  return message
}

export function readMessage(reader: Reader): Message {
  const { payloadBytes, textBytes, publisherIdBytes, topicBytes, nonceBytes, envelopeBytes } = messageLimits
  const kindIndex = reader.u8()
  const kind = messageKinds[kindIndex]
  if (!kind) throw new ProtocolError({ code: 'CODEC_VALUE', field: 'kind', value: `${kindIndex}`, wanted: '0 … 4' })
  return {
    kind,
    receivedMs: reader.uint(),
    nonce: reader.bytes('nonce', nonceBytes),
    origin: readOrigin(reader, envelopeBytes),
    publisherId: reader.text('publisherId', publisherIdBytes),
    publisherKey: reader.text('publisherKey', textBytes),
    eventType: reader.text('eventType', textBytes),
    eventId: reader.text('eventId', textBytes),
    timestampMs: reader.uint(),
    topic: reader.text('topic', topicBytes),
    idempotencyKey: reader.text('idempotencyKey', textBytes),
    payload: reader.bytes('payload', payloadBytes),
  }
}

function readOrigin(reader: Reader, envelopeBytes: number): Origin {
  const tag = reader.u8()
  if (tag === 0) return { type: 'vouched' }
  if (tag === 1) return { type: 'signed', envelope: reader.bytes('envelope', envelopeBytes) }
  throw new ProtocolError({ code: 'CODEC_VALUE', field: 'origin', value: `${tag}`, wanted: '0 or 1' })
}

/**
 * The id of a message: the 48-bit time it was received, then 26 bytes of a hash over project and content. The time comes
 * first so that ids grow: an index over them is appended to, not scattered, which on a disk is twenty times cheaper.
 */
export function messageId(project: Uint8Array, receivedMs: number, encoded: Uint8Array): Uint8Array {
  const id = sha256(domain, project, encoded)
  id.copyWithin(6, 0, 26)
  const high = Math.floor(receivedMs / 0x1_0000_0000)
  id[0] = high >> 8
  id[1] = high
  const low = receivedMs % 0x1_0000_0000
  for (let i = 0; i < 4; i++) id[2 + i] = low >>> (24 - 8 * i)
  return id
}
