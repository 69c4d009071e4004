import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, trafficLimitText } from '../api-error.ts'
import type { AccountIdentity, Door, EventAnswer, EventInput, PublisherIdentity, PushItem } from '../endpoint.ts'
import { tokenOf } from './auth.ts'
import { decodeUtf8, goJson, jsonType } from './json.ts'
import type { HttpLimits } from './options.ts'
import { basePath } from './route.ts'

/** The event type by which clients ask for a data push. */
const pushType = 'DA-TA_PU-SH'
const envelopeType = 'application/vnd.w3bstream.envelope'
const maxTextLength = 1024
const maxIdempotencyBytes = 128

interface EventRequest {
  Params: { channel: string }
  Querystring: { eventType?: string | string[]; eventID?: string | string[]; timestamp?: string | string[] }
  Body: Buffer | undefined
}

/** Where events come in; the others are the paths of the public gateway and of Studio's relay. */
const paths = [`${basePath}/event/:channel`, '/event/:channel', '/api/w3bapp/event/:channel']

/** Routes of events: any body of any type, taken as it is. The door does everything else. */
export function registerEventRoutes(app: FastifyInstance, door: Door, limits: HttpLimits): void {
  void app.register((scope, _options, ready) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    for (const [index, url] of paths.entries())
      scope.post<EventRequest>(url, {
        schema: index === 0 ? documentation : { hide: true },
        bodyLimit: limits.payloadBytes,
        onRequest: async (request) => acceptAnyType(request),
        handler: (request, reply) => receive(request, reply, door, limits),
      })
    ready()
  })
}

const contentTypes = new WeakMap<FastifyRequest, string>()

/** What a device says about its body decides nothing here, so text that is no media type must not cost it its event. */
function acceptAnyType(request: FastifyRequest): void {
  const { headers } = request.raw
  if (headers['content-type'] === envelopeType) contentTypes.set(request, envelopeType)
  headers['content-type'] = 'application/octet-stream'
}

async function receive(
  request: FastifyRequest<EventRequest>,
  reply: FastifyReply,
  door: Door,
  limits: HttpLimits,
): Promise<FastifyReply> {
  const body = request.body ?? new Uint8Array()
  if (contentTypes.get(request) === envelopeType) return answer(reply, await door.publishEnvelope(body, 'http'))
  const { channel } = request.params
  const token = tokenOf(request)
  const eventType = text(request.query.eventType, 'eventType')
  if (eventType === pushType) return push(await pusher(token, door), channel, body, reply, door, limits)
  const publisher = await publisherOf(token, channel, door)
  const eventId = text(request.query.eventID, 'eventID')
  const event: EventInput = {
    channel,
    eventType,
    eventId,
    timestampMs: timestamp(request.query.timestamp),
    payload: body,
    idempotencyKey: idempotencyKey(request.headers['idempotency-key']),
    transport: 'http',
  }
  try {
    return answer(reply, await door.publish(publisher, event))
  } catch (error) {
    if (!isTrafficLimit(error) || wantsStatus(request)) throw error
    reply.header('retry-after', Math.ceil((error.fault.retryAfterMs ?? 0) / 1000))
    return answer(reply, overLimit(publisher, channel, eventId))
  }
}

function isTrafficLimit(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 'TrafficLimitExceeded'
}

/** Clients that ask so (RFC 7240, section 4.4) are told by the status; those of the earlier generation know only 201. */
function wantsStatus({ headers }: FastifyRequest): boolean {
  const prefer = headers.prefer
  return (Array.isArray(prefer) ? prefer.join() : (prefer ?? '')).split(/[,;]/).some((preference) => {
    return preference.replaceAll(' ', '').toLowerCase() === 'handling=strict'
  })
}

function overLimit({ publisherId, publisherKey }: PublisherIdentity, channel: string, eventId?: string): EventAnswer {
  const nothingRan = { appletName: '', instanceID: '0', handler: '', returnValue: null, code: -1 } as const
  return {
    channel,
    publisherID: publisherId,
    publisherKey,
    eventID: eventId?.toLowerCase() ?? `${randomUUID()}_w3b`,
    timestamp: 0,
    results: [{ ...nothingRan, error: trafficLimitText }],
  }
}

async function publisherOf(token: string, channel: string, door: Door): Promise<PublisherIdentity> {
  if (token === '') return door.anonymous(channel)
  const identity = await door.authenticate(token)
  if (identity.type === 'publisher') return identity
  if (identity.accessKey === undefined) throw new ApiError('PublisherNotFound', identity.accountId)
  needEvents(identity)
  throw new ApiError('InvalidAuthPublisherID', 'an account’s access key can push data only')
}

async function pusher(token: string, door: Door): Promise<AccountIdentity> {
  if (token === '') throw new ApiError('InvalidToken', 'token contains an invalid number of segments')
  const identity = await door.authenticate(token)
  if (identity.type !== 'account') throw new ApiError('UnknownError', 'the account of the token is not found')
  needEvents(identity)
  return identity
}

function needEvents(identity: AccountIdentity): void {
  if (!identity.permits('Event', 'READ_WRITE')) throw new ApiError('AccessKeyPermissionDenied', 'Event READ_WRITE')
}

async function push(
  account: AccountIdentity,
  channel: string,
  body: Uint8Array,
  reply: FastifyReply,
  door: Door,
  limits: HttpLimits,
): Promise<FastifyReply> {
  const answers = await door.push(account, channel, readItems(body, limits.pushItems))
  return reply.code(201).header('content-type', jsonType).send(goJson(answers))
}

/** @throws ApiError UnknownError, as clients know it for a body that is no list of events; PayloadTooLarge */
function readItems(body: Uint8Array, maxItems: number): PushItem[] {
  const value = parse(body)
  if (!Array.isArray(value)) throw incorrect('not an array')
  if (value.length > maxItems) throw new ApiError('PayloadTooLarge', `${value.length} items; at most ${maxItems}`)
  return value.map(readItem)
}

function readItem(value: unknown, index: number): PushItem {
  if (typeof value !== 'object' || value === null) throw incorrect(`item ${index} is not an object`)
  const {
    device_id: deviceId,
    event_type: eventType,
    payload,
    timestamp: timestampMs,
  } = value as Record<string, unknown>
  if (typeof deviceId !== 'string' || deviceId === '' || deviceId.length > 128)
    throw incorrect(`item ${index}: device_id must be a text of 1 to 128 characters`)
  if (typeof payload !== 'string') throw incorrect(`item ${index}: payload must be a text`)
  if (
    eventType !== undefined &&
    eventType !== null &&
    (typeof eventType !== 'string' || eventType.length > maxTextLength)
  )
    throw incorrect(`item ${index}: event_type must be a text`)
  const time = typeof timestampMs === 'number' && Number.isFinite(timestampMs) && timestampMs >= 0
  return {
    deviceId,
    eventType: eventType || undefined,
    payload: Buffer.from(payload),
    timestampMs: time ? Math.floor(timestampMs) : undefined,
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(body))
  } catch (error) {
    throw incorrect(error instanceof Error ? error.message : 'not JSON')
  }
}

function incorrect(reason: string): ApiError {
  return new ApiError('UnknownError', `incorrect payload format for batched event: ${reason}`)
}

/** The fields in the order that clients have always seen; ours at the end. */
function answer(reply: FastifyReply, given: EventAnswer): FastifyReply {
  const { channel, publisherID, publisherKey, eventID, timestamp, results, error, messageID } = given
  const body = {
    channel,
    publisherID,
    publisherKey,
    eventID,
    timestamp,
    results: results?.map(resultOf) ?? null,
    error: error || undefined,
    messageID,
  }
  return reply.code(201).header('content-type', jsonType).send(goJson(body))
}

function resultOf({
  appletName,
  instanceID,
  handler,
  returnValue,
  code,
  error,
}: NonNullable<EventAnswer['results']>[number]) {
  return { appletName, instanceID, handler, returnValue, code, error: error || undefined }
}

function text(value: string | string[] | undefined, field: string): string | undefined {
  const first = Array.isArray(value) ? value[0] : value
  if (first && first.length > maxTextLength) throw wrong(field, `at most ${maxTextLength} characters`, 'query')
  return first || undefined
}

function timestamp(value: string | string[] | undefined): number | undefined {
  const first = Array.isArray(value) ? value[0] : value
  if (first === undefined || first === '') return undefined
  if (!/^-?\d{1,15}$/.test(first)) throw wrong('timestamp', 'must be a whole number of milliseconds', 'query')
  return Math.max(0, Number(first))
}

function idempotencyKey(value: string | string[] | undefined): string | undefined {
  const first = Array.isArray(value) ? value[0] : value
  if (first && Buffer.byteLength(first) > maxIdempotencyBytes)
    throw wrong('Idempotency-Key', `at most ${maxIdempotencyBytes} bytes`, 'header')
  return first || undefined
}

function wrong(field: string, msg: string, part: 'query' | 'header'): ApiError {
  return new ApiError('badRequest', '', { fields: [{ field, msg, in: part }] })
}

const documentation = {
  summary: 'Publish an event, or push many (eventType=DA-TA_PU-SH); answered after the commit',
  operationId: 'postEvent',
  tags: ['Event'],
  params: { type: 'object', properties: { channel: { type: 'string' } }, required: ['channel'] },
  querystring: {
    type: 'object',
    properties: {
      eventType: { type: 'string', default: 'DEFAULT' },
      eventID: { type: 'string' },
      timestamp: { type: 'integer', description: 'milliseconds' },
      authorization: { type: 'string', description: 'token, instead of the header' },
    },
  },
  consumes: ['application/octet-stream'],
  response: {
    201: {
      type: 'object',
      properties: {
        channel: { type: 'string' },
        publisherID: { type: 'string' },
        publisherKey: { type: 'string' },
        eventID: { type: 'string' },
        timestamp: { type: 'integer' },
        results: { type: ['array', 'null'], items: { type: 'object' } },
        error: { type: 'string' },
        messageID: { type: 'string' },
      },
    },
    default: { $ref: 'Error#' },
  },
}
