import { randomBytes, randomUUID } from 'node:crypto'
import { type EffectBody, fromHex, type Message, ownMessage, toHex } from '@w3bstream/protocol'
import { emittedPrefix } from '../flow/limits.ts'

const keyOfEffect = /^(?:effect|flow):(0x[0-9a-f]{64})$/

/** What came back from outside, as a message; with an event type it is routed like an event. */
export function answerMessage(effectId: Uint8Array, eventType: string, payload: Uint8Array, nowMs: number): Message {
  const eventId = `${randomUUID()}_monitor`
  // Whatever is tried twice, the project hears of it once.
  const idempotencyKey = `effect:${toHex(effectId)}`
  return ownMessage('answer', nowMs, { nonce: randomBytes(16), payload, eventType, eventId, idempotencyKey })
}

/** An event that the project's flow made. By its key the flow knows it, and does not take it again. */
export function emittedMessage(
  effectId: Uint8Array,
  { eventType, payload }: Extract<EffectBody, { kind: 'event' }>,
  nowMs: number,
): Message {
  const idempotencyKey = `${emittedPrefix}${toHex(effectId)}`
  return ownMessage('answer', nowMs, {
    nonce: randomBytes(16),
    payload,
    eventType,
    eventId: `${randomUUID()}_flow`,
    idempotencyKey,
  })
}

/**
 * The effect of kind `api` or `event` that a message is of. It is settled in the batch of its answer: there is no moment at which one
 * is on disk without the other, so no restart, however late, makes a second answer.
 */
export function answeredEffect({ kind, eventType, idempotencyKey }: Message): Uint8Array | undefined {
  if (kind !== 'answer' || eventType === '') return undefined
  const id = keyOfEffect.exec(idempotencyKey)?.[1]
  return id === undefined ? undefined : fromHex(id, 32)
}
