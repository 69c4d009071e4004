import { setTimeout } from 'node:timers/promises'
import type { ProjectKey } from '@w3bstream/protocol'
import { ApiError, toApiError } from '../api-error.ts'
import type { Door, EventAnswer, EventInput, PublisherIdentity } from '../endpoint.ts'
import type { FoundEvent } from './event-payload.ts'

/** What came of one event. `identity` is known as soon as somebody was authenticated. */
export interface Submission {
  readonly identity: PublisherIdentity | undefined
  readonly eventId: string | undefined
  readonly answer?: EventAnswer
  readonly error?: ApiError
}

export interface SubmitRequest {
  readonly channel: string
  readonly topic: string
  readonly event: FoundEvent
  /** Who the connection belongs to; a token in the message comes before it. */
  readonly identity?: PublisherIdentity
  readonly idempotencyKey?: string
  /** Wait while the project is busy, instead of failing with `MailboxFull`. */
  readonly patient: boolean
  /** Ends the waiting. */
  readonly signal?: () => AbortSignal
}

/** Milliseconds. */
const retryMs = 20

/** Takes one event through the door; never rejects. */
export async function submitEvent(door: Door, request: SubmitRequest): Promise<Submission> {
  const { channel, event, topic, idempotencyKey } = request
  const { eventId, eventType, timestampMs, payload } = event
  let identity = event.token === undefined ? request.identity : undefined
  const input: EventInput = {
    channel,
    eventType,
    eventId,
    timestampMs,
    payload,
    idempotencyKey,
    transport: 'mqtt',
    topic,
  }
  try {
    identity ??= await identify(door, channel, event.token)
    for (;;) {
      try {
        return { identity, eventId, answer: await door.publish(identity, input) }
      } catch (error) {
        if (!request.patient || !isBusy(error)) throw error
        const signal = request.signal?.()
        // Ready again already: another sender took the room between. Not at once, so that nobody spins.
        if (door.acceptsWork(identity.project)) await setTimeout(retryMs, undefined, { signal })
        else await untilReady(door, identity.project, signal)
      }
    }
  } catch (error) {
    return { identity, eventId, error: toApiError(error) }
  }
}

async function identify(door: Door, channel: string, token: string | undefined): Promise<PublisherIdentity> {
  if (token === undefined) return door.anonymous(channel)
  const identity = await door.authenticate(token)
  if (identity.type !== 'publisher') throw new ApiError('InvalidAuthPublisherID', 'the token of an account')
  return identity
}

function isBusy(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'MailboxFull'
}

/** Resolves when the project takes work; rejects with the signal's reason. */
function untilReady(door: Door, project: ProjectKey, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      forget()
      reject(signal?.reason)
    }
    const forget = door.whenReady(project, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * Whether sending the same message again can never help. What the node could not do (5xx) and what it had no room for
 * (429) was not committed and must not be acknowledged. An event beyond the traffic limit is refused for good: a client of
 * MQTT 3.1.1 would send it, and be disconnected, until the period ends.
 */
export function isPermanent(error: ApiError): boolean {
  if (error.code === 'TrafficLimitExceeded') return true
  return error.status >= 400 && error.status < 500 && error.status !== 429
}

/** The answer for `ack/<publisherKey>`, with the fields in the order that devices know. */
export function answerJson(answer: EventAnswer): string {
  const { channel, publisherID, publisherKey, eventID, timestamp, results, error, messageID } = answer
  return JSON.stringify({ channel, publisherID, publisherKey, eventID, timestamp, results, error, messageID })
}

/** The same for an event that was refused: the error of the API, and which event it was. */
export function errorJson(error: ApiError, source: string, eventId: string | undefined): string {
  return JSON.stringify({ ...error.toJson(source), eventID: eventId?.toLowerCase() })
}
