import { randomBytes, randomUUID } from 'node:crypto'
import { fromHex, type Message, ownMessage, toHex } from '@w3bstream/protocol'

const keyOfEffect = /^effect:(0x[0-9a-f]{64})$/

/** What came back from outside, as a message; with an event type it is routed like an event. */
export function answerMessage(effectId: Uint8Array, eventType: string, payload: Uint8Array, nowMs: number): Message {
  const eventId = `${randomUUID()}_monitor`
  // Whatever is tried twice, the project hears of it once.
  const idempotencyKey = `effect:${toHex(effectId)}`
  return ownMessage('answer', nowMs, { nonce: randomBytes(16), payload, eventType, eventId, idempotencyKey })
}

/**
 * The effect of kind `api` that a message answers. It is settled in the batch of its answer: there is no moment at which one
 * is on disk without the other, so no restart, however late, makes a second answer.
 */
export function answeredEffect({ kind, eventType, idempotencyKey }: Message): Uint8Array | undefined {
  if (kind !== 'answer' || eventType === '') return undefined
  const id = keyOfEffect.exec(idempotencyKey)?.[1]
  return id === undefined ? undefined : fromHex(id, 32)
}
