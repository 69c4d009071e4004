import { ApiError } from '../api-error.ts'
import type { PublisherIdentity } from '../endpoint.ts'
import { ackTopic } from './access.ts'
import type { Broker } from './broker.ts'
import type { Client } from './client.ts'
import type { PublishPacket, Qos } from './codec/publish.ts'
import { type Reason, reason } from './codec/reason.ts'
import { type EventTopic, type FoundEvent, readEvents, readPushItems } from './event-payload.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'
import { answerJson, errorJson, isPermanent, type Submission, submitEvent } from './submit.ts'

/** What is told to the sender of a message. */
export type Outcome =
  | { readonly type: 'done'; readonly code: Reason }
  /** It will never be accepted. */
  | { readonly type: 'refused'; readonly code: Reason; readonly text: string }
  /** It was not committed and may be sent again. */
  | { readonly type: 'failed'; readonly code: Reason; readonly text: string }

const done: Outcome = { type: 'done', code: reason.success }

/** Bytes that a message on its way is counted with besides its payload: its objects. */
const overheadBytes = 512

/** A received message on its way to the commit. */
export class Inbound {
  /** The connection that gets the acknowledgement; another one after the client came back and sent it again. */
  client: Client
  readonly session: Session
  readonly qos: Qos
  readonly packetId: number
  readonly bytes: number

  constructor(client: Client, packet: PublishPacket) {
    this.client = client
    this.session = client.session
    this.qos = packet.qos
    this.packetId = packet.packetId
    this.bytes = packet.payload.length + overheadBytes
  }
}

/** The properties of a message that are for its receivers. */
function forwarded({ properties }: Pick<PublishPacket, 'properties'>): Message['properties'] {
  if (!properties) return undefined
  const { topicAlias: _, messageExpiry: __, ...rest } = properties
  return rest
}

export interface Publication extends Pick<PublishPacket, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'> {
  /** The topic, taken apart. */
  readonly target: EventTopic
  /** Makes the door run it once. */
  readonly idempotencyKey?: string
  /** Wait while the project is busy. */
  readonly patient: boolean
}

/** Who publishes: a connection, or a will after its connection is gone. */
export interface Sender extends Pick<Client, 'identity' | 'session'> {
  readonly signal?: () => AbortSignal
}

/** Takes a message where it belongs: through the door, to the subscribers, or back. Never rejects. */
export async function publishInbound(broker: Broker, sender: Sender, publication: Publication): Promise<Outcome> {
  const topic = publication.target
  const { identity } = sender
  try {
    if (identity?.type === 'account') return await pushData(broker, sender, topic, publication)
    if (identity && topic.channel !== identity.channel) return refuse(reason.notAuthorized, 'topic of another project')
    if (topic.form === 'broken-push') return refuse(reason.topicNameInvalid, 'push topic without token or event type')
    if (topic.form === 'deep')
      return identity ? share(broker, sender, identity, publication) : refuse(reason.notAuthorized)
    const events = readEvents(topic, publication.payload, identity !== undefined)
    const outcome =
      events.length === 1
        ? settle(broker, await submit(broker, sender, topic, publication, events[0]!))
        : await submitAll(broker, sender, topic, publication, events)
    const plain = topic.form !== 'push' && events[0]?.payload === publication.payload
    if (outcome.type === 'done' && identity && plain) share(broker, sender, identity, publication)
    return outcome
  } catch (error) {
    if (error instanceof ApiError) return toOutcome(error)
    broker.logger.error('publish failed', { topicForm: topic.form }, error)
    return { type: 'failed', code: reason.unspecified, text: 'internal error' }
  }
}

function submit(
  { door }: Broker,
  { identity, signal }: Sender,
  { channel }: EventTopic,
  { topic, idempotencyKey, patient }: Publication,
  event: FoundEvent,
): Promise<Submission> {
  const publisher = identity?.type === 'publisher' ? identity : undefined
  return submitEvent(door, { channel, topic, event, identity: publisher, idempotencyKey, patient, signal })
}

/**
 * Several events in one message. They are separate: the message is acknowledged when the node is done with each, and
 * refused only when all were; what became of each stands on its `ack` topic.
 */
async function submitAll(
  broker: Broker,
  sender: Sender,
  topic: EventTopic,
  publication: Publication,
  events: FoundEvent[],
): Promise<Outcome> {
  const key = publication.idempotencyKey
  const submissions = await Promise.all(
    events.map((event, index) => {
      const idempotencyKey = key === undefined ? undefined : `${key}:${index}`
      return submit(broker, sender, topic, { ...publication, idempotencyKey }, event)
    }),
  )
  const outcomes = submissions.map((submission) => settle(broker, submission))
  return outcomes.find(({ type }) => type === 'failed') ?? outcomes.find(({ type }) => type === 'done') ?? outcomes[0]!
}

/** Data push: a batch of many devices' events, by an account. */
async function pushData(
  { door }: Broker,
  { identity }: Sender,
  topic: EventTopic,
  { payload }: Publication,
): Promise<Outcome> {
  if (identity?.type !== 'account' || topic.form !== 'channel')
    return refuse(reason.notAuthorized, 'an account publishes data pushes on the name of its project')
  if (!identity.permits('Event', 'READ_WRITE')) return refuse(reason.notAuthorized, 'AccessKeyPermissionDenied')
  await door.push(identity, topic.channel, readPushItems(payload))
  return done
}

/** Hands a message to the project's own readers. */
function share(broker: Broker, sender: Sender, identity: PublisherIdentity, publication: Publication): Outcome {
  const { topic, payload, qos, retain, properties } = publication
  const { project } = identity
  if (!retain && !broker.router.hasReader(project, topic)) return { type: 'done', code: reason.noMatchingSubscribers }
  const expiry = properties?.messageExpiry
  const expiresAt = expiry === undefined ? undefined : Date.now() + expiry * 1000
  const message = { project, topic, payload, qos, retain, properties: forwarded(publication), expiresAt }
  const readers = broker.router.route({ ...message, origin: sender.session })
  return { type: 'done', code: readers > 0 ? reason.success : reason.noMatchingSubscribers }
}

/** Tells the device's `ack` topic, when it listens, and says what the acknowledgement is. */
function settle({ router, source }: Broker, { identity, eventId, answer, error }: Submission): Outcome {
  const outcome = error ? toOutcome(error) : answer?.error ? toRefusal(answer.error) : done
  if (!identity || outcome.type === 'failed') return outcome
  const topic = ackTopic(identity.publisherKey)
  if (router.hasReader(identity.project, topic)) {
    const json = answer ? answerJson(answer) : error ? errorJson(error, source, eventId) : ''
    router.route({ project: identity.project, topic, payload: Buffer.from(json), qos: 0, retain: false })
  }
  return outcome
}

function refuse(code: Reason, text = ''): Outcome {
  return { type: 'refused', code, text }
}

/** An answer that carries an error: the event was not run. */
function toRefusal(key: string): Outcome {
  return refuse(key === 'InvalidEventChannel' ? reason.notAuthorized : reason.implementationSpecific, key)
}

/** The reason code of an error (MQTT 5 section 3.4.2.1). */
function toOutcome(error: ApiError): Outcome {
  const type = isPermanent(error) ? 'refused' : 'failed'
  return { type, code: reasonOf(error), text: error.code }
}

function reasonOf(error: ApiError): Reason {
  switch (error.status) {
    case 401:
    case 403:
    case 404:
      return reason.notAuthorized
    case 429:
    case 507:
    case 413:
      return reason.quotaExceeded
    case 400:
      return reason.payloadFormatInvalid
    default:
      return reason.implementationSpecific
  }
}
