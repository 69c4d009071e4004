import { fromBase64, toBase64 } from './bytes/base64.ts'
import { fromHex, type Hex, toHex } from './bytes/hex.ts'
import { didKeyFromPublicKey, publicKeyFromDidKey } from './device-key.ts'
import { type Envelope, encodeEnvelope, envelopeLimits, envelopeVersion } from './envelope.ts'
import { ProtocolError } from './error.ts'

/** The envelope for clients to which JSON comes easier than bytes. The signature is over the same canonical bytes. */
export interface EnvelopeJson {
  /** The version. */
  readonly w3b: 1
  readonly project: Hex
  /** `did:key:z…` */
  readonly device: string
  readonly nonce: Hex
  readonly timestampMs: number
  readonly eventType: string
  /** @default '' */
  readonly eventId?: string
  /** Base64 with padding, as the signature. */
  readonly payload: string
  readonly signature: string
}

const wanted: Readonly<Record<keyof EnvelopeJson, 'number' | 'string'>> = {
  w3b: 'number',
  project: 'string',
  device: 'string',
  nonce: 'string',
  timestampMs: 'number',
  eventType: 'string',
  eventId: 'string',
  payload: 'string',
  signature: 'string',
}

export function envelopeToJson(envelope: Envelope): EnvelopeJson {
  const { project, device, nonce, timestampMs, eventType, eventId, payload, signature } = envelope
  return {
    w3b: envelopeVersion,
    project: toHex(project),
    device: didKeyFromPublicKey(device),
    nonce: toHex(nonce),
    timestampMs,
    eventType,
    ...(eventId === '' ? {} : { eventId }),
    payload: toBase64(payload),
    signature: toBase64(signature),
  }
}

/**
 * The envelope of a parsed JSON value; unknown members are refused. The signature is not checked here.
 * @throws ProtocolError CODEC_VALUE, CODEC_LIMIT, HEX_INVALID
 */
export function envelopeFromJson(value: unknown): Envelope {
  const json = checkShape(value)
  const envelope: Envelope = {
    project: fromHex(json.project, 32),
    device: publicKeyFromDidKey(json.device),
    nonce: fromHex(json.nonce),
    timestampMs: json.timestampMs,
    eventType: json.eventType,
    eventId: json.eventId ?? '',
    payload: fromBase64(json.payload, 'payload', envelopeLimits.payloadBytes),
    signature: fromBase64(json.signature, 'signature', envelopeLimits.signatureBytes),
  }
  // The binary form is the definition: what it refuses is no envelope in JSON either.
  encodeEnvelope(envelope)
  return envelope
}

/** Whether a parsed JSON value means to be an envelope; `envelopeFromJson` then says whether it is one. */
export function looksLikeEnvelopeJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'w3b')
}

function checkShape(value: unknown): EnvelopeJson {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('envelope', value, 'an object')
  for (const field of Object.keys(value)) if (!Object.hasOwn(wanted, field)) refuse(field, 'unknown', 'no such member')
  const json = value as Record<string, unknown>
  for (const [field, type] of Object.entries(wanted)) {
    if (field === 'eventId' && json[field] === undefined) continue
    if (typeof json[field] !== type) refuse(field, json[field], type)
  }
  if (json.w3b !== envelopeVersion) refuse('w3b', json.w3b, `${envelopeVersion}`)
  return value as EnvelopeJson
}

function refuse(field: string, value: unknown, wanted: string): never {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  throw new ProtocolError({ code: 'CODEC_VALUE', field, value: text.slice(0, 80), wanted })
}
