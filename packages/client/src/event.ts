import { ClientError } from './errors.ts'

/** An event as an application gives it. */
export interface PublishEvent {
  /** Bytes and text go as they are; anything else as JSON. */
  readonly payload: unknown
  /** @default 'DEFAULT' */
  readonly eventType?: string
  /** A label for tracing. @default a new UUID with suffix `_w3b` */
  readonly eventId?: string
  /** @default now */
  readonly timestampMs?: number
  /** Which device, when an account publishes. */
  readonly deviceId?: string
  /** Give the same one when you send an event again yourself; it then runs once. @default a new UUID */
  readonly idempotencyKey?: string
}

/** An event with everything decided, so that all attempts send the same. */
export interface OutgoingEvent {
  readonly payload: Uint8Array
  readonly eventType: string
  readonly eventId: string
  readonly timestampMs: number
  readonly deviceId: string | undefined
  readonly idempotencyKey: string
}

/** What a handler made of an event; `code` is negative when it failed. */
export interface HandlerResult {
  readonly appletName: string
  readonly instanceID: string
  readonly handler: string
  readonly code: number
  readonly error?: string
}

export interface PublishAnswer {
  readonly eventId: string
  /** Hexadecimal; finds the receipt. Absent from nodes of the earlier generation. */
  readonly messageId?: string
  /** Null when no handler is registered for the type; undefined when the way it was sent brings none back. */
  readonly results?: readonly HandlerResult[] | null
}

const limits = { eventType: 256, eventId: 256, idempotencyKey: 128, deviceId: 256 } as const

/** @throws ClientError EVENT_INVALID */
export function completeEvent(event: PublishEvent, needsDevice: boolean): OutgoingEvent {
  for (const field of Object.keys(limits) as (keyof typeof limits)[]) {
    const text = event[field]
    if (text !== undefined && (typeof text !== 'string' || text === '' || text.length > limits[field]))
      throw new ClientError({ code: 'EVENT_INVALID', field, wanted: `1 … ${limits[field]} characters` })
  }
  const { timestampMs = Date.now(), deviceId } = event
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0)
    throw new ClientError({ code: 'EVENT_INVALID', field: 'timestampMs', wanted: 'milliseconds since 1970' })
  if (needsDevice && deviceId === undefined)
    throw new ClientError({
      code: 'EVENT_INVALID',
      field: 'deviceId',
      wanted: 'the device for which an account publishes',
    })
  return {
    payload: payloadBytes(event.payload),
    eventType: event.eventType ?? 'DEFAULT',
    // The node lower-cases ids; doing it here lets an answer be recognised by its id.
    eventId: (event.eventId ?? `${crypto.randomUUID()}_w3b`).toLowerCase(),
    timestampMs,
    deviceId,
    idempotencyKey: event.idempotencyKey ?? crypto.randomUUID(),
  }
}

function payloadBytes(payload: unknown): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  const text = typeof payload === 'string' ? payload : jsonText(payload)
  return new TextEncoder().encode(text)
}

function jsonText(payload: unknown): string {
  const invalid = (cause?: unknown) =>
    new ClientError({ code: 'EVENT_INVALID', field: 'payload', wanted: 'bytes, text or a JSON value' }, { cause })
  try {
    const text = JSON.stringify(payload)
    if (text !== undefined) return text
  } catch (cause) {
    throw invalid(cause)
  }
  throw invalid()
}
