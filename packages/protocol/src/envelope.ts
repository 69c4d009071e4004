/**
 * The signed envelope: an event that a device's own key answers for, so that it needs no token and anybody can check it.
 * `docs/spec/envelope.md` is the specification; the JSON form is in `envelope-json.ts`.
 */
import { sha256 } from '#sha256'
import { verifySignature } from '#verify'
import { Reader, Writer } from './bytes/codec.ts'
import { concatBytes, toHex } from './bytes/hex.ts'
import { decodeDeviceKey, deviceKeyBytes, didKeyFromPublicKey } from './device-key.ts'
import { ProtocolError } from './error.ts'
import type { Sfid } from './ids.ts'
import { isLowS, toLowS } from './low-s.ts'
import type { Message } from './message.ts'
import type { Signer } from './signer.ts'

export interface Envelope {
  /** The project's own id, 32 bytes. */
  readonly project: Uint8Array
  /** The device's public key with its multicodec prefix (`device-key.ts`). */
  readonly device: Uint8Array
  /** 8 to 32 bytes, never used twice by one device: repeating an envelope is a retry and runs once. */
  readonly nonce: Uint8Array
  /** The device's clock, milliseconds; the first part of the message's id, which has 48 bits for it. */
  readonly timestampMs: number
  readonly eventType: string
  /** A label for tracing; `''` for none. */
  readonly eventId: string
  readonly payload: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** What a device decides; the signer adds its key and the signature. */
export type UnsignedEnvelope = Omit<Envelope, 'device' | 'signature'>

export const envelopeVersion = 1

export const envelopeLimits = {
  nonceBytesMin: 8,
  nonceBytes: 32,
  timestampMs: 2 ** 48 - 1,
  eventTypeBytes: 256,
  eventIdBytes: 256,
  payloadBytes: 16 * 1024 * 1024,
  signatureBytes: 64,
} as const

const domain = new TextEncoder().encode('w3bstream/envelope/v1')

/** The canonical bytes. @throws ProtocolError CODEC_VALUE, CODEC_LIMIT for an envelope that no decoder would accept */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  check(envelope)
  checkSignature(envelope)
  return concatBytes(writeBody(envelope), envelope.signature)
}

/** @throws ProtocolError on anything but one canonical envelope; the signature is not checked here */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new Reader(bytes)
  const version = reader.u8()
  if (version !== envelopeVersion) refuse('version', version, `${envelopeVersion}`)
  const envelope: Envelope = {
    project: reader.raw(32),
    device: reader.bytes('device', deviceKeyBytes),
    nonce: reader.bytes('nonce', envelopeLimits.nonceBytes),
    timestampMs: reader.uint(),
    eventType: reader.text('eventType', envelopeLimits.eventTypeBytes),
    eventId: reader.text('eventId', envelopeLimits.eventIdBytes),
    payload: reader.bytes('payload', envelopeLimits.payloadBytes),
    signature: reader.raw(envelopeLimits.signatureBytes),
  }
  reader.end()
  check(envelope)
  checkSignature(envelope)
  return envelope
}

/**
 * The bytes that are signed: the domain, then all of the envelope but its signature.
 * @throws ProtocolError CODEC_VALUE, CODEC_LIMIT
 */
export function envelopePreimage(envelope: Omit<Envelope, 'signature'>): Uint8Array {
  check(envelope)
  return concatBytes(domain, writeBody(envelope))
}

/** @throws ProtocolError CODEC_VALUE, CODEC_LIMIT; ENVELOPE_SIGNATURE when the signer gave no 64 bytes */
export async function signEnvelope(unsigned: UnsignedEnvelope, signer: Signer): Promise<Envelope> {
  const body = { ...unsigned, device: signer.device }
  const preimage = envelopePreimage(body)
  const signature = await signer.sign(sha256(preimage), preimage)
  if (signature.length !== envelopeLimits.signatureBytes)
    throw new ProtocolError({ code: 'ENVELOPE_SIGNATURE', device: didKeyFromPublicKey(signer.device) })
  return { ...body, signature: toLowS(decodeDeviceKey(signer.device).type, signature) }
}

/** Whether the device's key signed this. @throws ProtocolError CODEC_VALUE, CODEC_LIMIT for a malformed envelope */
export function verifyEnvelope(envelope: Envelope): boolean {
  const preimage = envelopePreimage(envelope)
  checkSignature(envelope)
  return verifySignature(decodeDeviceKey(envelope.device), envelope.signature, preimage)
}

/** Decodes and verifies. @throws ProtocolError what `decodeEnvelope` throws; ENVELOPE_SIGNATURE */
export function openEnvelope(bytes: Uint8Array): Envelope {
  const envelope = decodeEnvelope(bytes)
  if (!verifyEnvelope(envelope))
    throw new ProtocolError({ code: 'ENVELOPE_SIGNATURE', device: didKeyFromPublicKey(envelope.device) })
  return envelope
}

/**
 * The message that an envelope becomes. It is a function of the envelope and its device's registration alone, so a retry
 * has the same message id, on whichever member it arrives.
 */
export function signedMessage(encoded: Uint8Array, publisher: { id: Sfid; key: string }): Message {
  const envelope = decodeEnvelope(encoded)
  const nonce = toHex(envelope.nonce).slice(2)
  return {
    kind: 'data',
    receivedMs: envelope.timestampMs,
    nonce: envelope.nonce,
    origin: { type: 'signed', envelope: encoded },
    publisherId: publisher.id,
    publisherKey: publisher.key,
    eventType: envelope.eventType,
    eventId: envelope.eventId.toLowerCase() || `${nonce}_w3b`,
    timestampMs: envelope.timestampMs,
    topic: '',
    idempotencyKey: `nonce:0x${nonce}`,
    payload: envelope.payload,
  }
}

function writeBody(envelope: Omit<Envelope, 'signature'>): Uint8Array {
  return new Writer(256 + envelope.payload.length)
    .u8(envelopeVersion)
    .raw(envelope.project)
    .bytes(envelope.device)
    .bytes(envelope.nonce)
    .uint(envelope.timestampMs)
    .text(envelope.eventType)
    .text(envelope.eventId)
    .bytes(envelope.payload)
    .view()
}

function check(envelope: Omit<Envelope, 'signature'>): void {
  const { project, device, nonce, timestampMs, eventType, eventId, payload } = envelope
  const { nonceBytesMin, nonceBytes, eventTypeBytes, eventIdBytes, payloadBytes } = envelopeLimits
  if (project.length !== 32) refuse('project', toHex(project.subarray(0, 40)), '32 bytes')
  decodeDeviceKey(device)
  if (nonce.length < nonceBytesMin || nonce.length > nonceBytes)
    refuse('nonce', `${nonce.length} bytes`, `${nonceBytesMin} … ${nonceBytes} bytes`)
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0 || timestampMs > envelopeLimits.timestampMs)
    refuse('timestampMs', timestampMs, '0 … 2^48-1')
  if (eventType === '') refuse('eventType', '', 'at least one character')
  checkText('eventType', eventType, eventTypeBytes)
  checkText('eventId', eventId, eventIdBytes)
  if (payload.length > payloadBytes)
    throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'payload', size: payload.length, limit: payloadBytes })
}

function checkText(field: string, text: string, limit: number): void {
  // A lone surrogate has no UTF-8: it would be written as U+FFFD and come back as another text.
  if (!text.isWellFormed()) refuse(field, text, 'well-formed Unicode')
  const size = new TextEncoder().encode(text).length
  if (size > limit) throw new ProtocolError({ code: 'CODEC_LIMIT', field, size, limit })
}

function checkSignature({ device, signature }: Envelope): void {
  if (signature.length !== envelopeLimits.signatureBytes)
    refuse('signature', `${signature.length} bytes`, `${envelopeLimits.signatureBytes} bytes`)
  if (!isLowS(decodeDeviceKey(device).type, signature)) refuse('signature', 'high s', 's in the lower half')
}

function refuse(field: string, value: unknown, wanted: string): never {
  throw new ProtocolError({ code: 'CODEC_VALUE', field, value: String(value).slice(0, 80), wanted })
}
