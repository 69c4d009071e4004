import { type Envelope, fromHex, type Hex, type Signer, sha256, signEnvelope } from '@w3bstream/protocol'
import type { OutgoingEvent } from './event.ts'

/**
 * The event as a signed envelope. The nonce is the head of the idempotency key's hash, so that an event which the caller
 * sends again under its own key is recognised too.
 */
export async function sealEvent(event: OutgoingEvent, project: Hex, signer: Signer): Promise<Envelope> {
  const { timestampMs, eventType, eventId, payload, idempotencyKey } = event
  const nonce = sha256(new TextEncoder().encode(idempotencyKey)).subarray(0, 16)
  return await signEnvelope({ project: fromHex(project, 32), nonce, timestampMs, eventType, eventId, payload }, signer)
}
