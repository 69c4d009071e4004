/** The shapes in which nodes answer, checked: what is between here and the node may answer too. */
import { ClientError, refusal } from './errors.ts'
import type { HandlerResult, PublishAnswer } from './event.ts'

type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws ClientError ANSWER_INVALID */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ClientError({ code: 'ANSWER_INVALID', detail: `not JSON: ${text.slice(0, 80)}` }, { cause })
  }
}

/** The answer to one event. @throws ClientError REFUSED, UNAUTHORIZED for an error inside it; ANSWER_INVALID */
export function readAnswer(value: unknown): PublishAnswer {
  if (!isObject(value)) throw new ClientError({ code: 'ANSWER_INVALID', detail: 'not an object' })
  const { eventID, messageID, error, results } = value
  // A node of the earlier generation answers 201 and writes the error's key into the body.
  if (typeof error === 'string' && error !== '') throw refusal(400, error, '')
  if (typeof eventID !== 'string') throw new ClientError({ code: 'ANSWER_INVALID', detail: 'eventID is missing' })
  return {
    eventId: eventID,
    ...(typeof messageID === 'string' ? { messageId: messageID } : {}),
    results: readResults(results),
  }
}

/** The answers to a batch, in the order of the batch. @throws ClientError ANSWER_INVALID */
export function readPushAnswers(value: unknown, eventIds: readonly string[]): PublishAnswer[] {
  if (!Array.isArray(value) || value.length !== eventIds.length)
    throw new ClientError({ code: 'ANSWER_INVALID', detail: `not an array of ${eventIds.length}` })
  const byIndex = new Map(value.filter(isObject).map((item) => [item.index, item]))
  return eventIds.map((eventId, i) => {
    const item = byIndex.get(i)
    if (!item) throw new ClientError({ code: 'ANSWER_INVALID', detail: `no answer with index ${i}` })
    return { eventId, results: readResults(item.results) }
  })
}

function readResults(value: unknown): readonly HandlerResult[] | null {
  if (value === null || value === undefined) return null
  if (!Array.isArray(value) || !value.every(isObject))
    throw new ClientError({ code: 'ANSWER_INVALID', detail: 'results is not an array' })
  return value.map((result) => ({
    appletName: String(result.appletName ?? ''),
    instanceID: String(result.instanceID ?? ''),
    handler: String(result.handler ?? ''),
    code: Number(result.code),
    ...(typeof result.error === 'string' && result.error !== '' ? { error: result.error } : {}),
  }))
}

/** The error JSON of a node (`key`, `code`, `desc`) as an error; `status` when the JSON names none. */
export function readError(value: unknown, status: number, retryAfterMs?: number): ClientError {
  if (!isObject(value) || typeof value.key !== 'string') return refusal(status, `HTTP_${status}`, '', retryAfterMs)
  const own = typeof value.code === 'number' ? Math.floor(value.code / 1_000_000) : status
  const asked = typeof value.retryAfterMs === 'number' ? value.retryAfterMs : retryAfterMs
  return refusal(own, value.key, typeof value.desc === 'string' ? value.desc : '', asked)
}
