import { createHash } from 'node:crypto'
import { type Message, ownMessage, type Sfid } from '@w3bstream/protocol'
import type { CronJob } from '../../../project/definition.ts'

const prefix = 'cron:'

/** Which firing of which job a message is. */
export interface Firing {
  readonly cronJobId: Sfid
  /** Its scheduled time, milliseconds. */
  readonly atMs: number
}

/**
 * The message of a firing. All that identifies it follows from job and time, so that it is the same firing whoever puts it
 * into the log, and however often. The payload is as published: `{"ID","Timestamp"}`, the second the scheduled time.
 */
export function firingMessage({ cronJobId, eventType }: CronJob, atMs: number, nowMs: number): Message {
  const idempotencyKey = `${prefix}${cronJobId}:${atMs}`
  const digest = createHash('sha256').update(idempotencyKey).digest()
  const payload = Buffer.from(JSON.stringify({ ID: cronJobId, Timestamp: rfc3339(atMs) }))
  const eventId = `${uuidOf(digest)}_monitor`
  const fields = { nonce: digest.subarray(16), payload, eventType, eventId, idempotencyKey }
  return { ...ownMessage('timer', nowMs, fields), timestampMs: atMs }
}

/** Reads the firing out of a message of kind `timer`; undefined when it is another's timer. */
export function firingOf({ idempotencyKey }: Message): Firing | undefined {
  const found = /^cron:(\d{1,20}):(\d{1,16})$/.exec(idempotencyKey)
  return found ? { cronJobId: found[1]!, atMs: Number(found[2]) } : undefined
}

/** Scheduled times are whole seconds, and a fraction of zero is not written. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** The form of a random UUID (version 4), of bytes that are not random. */
function uuidOf(digest: Uint8Array): string {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
