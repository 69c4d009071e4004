import { randomBytes, randomUUID } from 'node:crypto'
import {
  decodeEnvelope,
  decodeReceipt,
  type Envelope,
  fromHex,
  type Message,
  type ProjectKey,
  receiptStatus,
  signedMessage,
  toHex,
  verifyEnvelope,
} from '@w3bstream/protocol'
import type { Devices } from '../device/device.ts'
import { ApiError, trafficLimitText } from '../endpoint/api-error.ts'
import type {
  AccountIdentity,
  Door,
  EventAnswer,
  EventInput,
  Identity,
  PublisherIdentity,
  PushAnswer,
  PushItem,
} from '../endpoint/endpoint.ts'
import type { Projects } from '../project/project.ts'
import { CommittedAnswer, eventResults } from './answer.ts'
import type { EventCounter } from './event-counter.ts'
import type { EventManager } from './event-manager.ts'
import { reservedTypePrefix } from './flow/limits.ts'
import type { Committed } from './mailbox.ts'
import { normalizeTimestamp } from './timestamp.ts'
import type { Traffic } from './traffic/traffic.ts'

export interface IngestDeps {
  readonly manager: EventManager
  readonly traffic: Pick<Traffic, 'through'>
  readonly projects: Projects
  readonly devices: Devices
  /** Accounts' tokens and access keys; nothing when the token is well-formed and nobody's. @throws ApiError */
  authenticateAccount(token: string): AccountIdentity | undefined
  readonly events: EventCounter
  readonly now: () => number
}

export interface IngestOptions {
  /** Bytes of one payload. */
  readonly payloadBytes: number
  /** How far an envelope's time may be from now, milliseconds. @default 300_000 */
  readonly envelopeWindowMs: number
  /** Items of one data push. @default 10_000 */
  readonly pushItems: number
}

const maxTextBytes = 1024
const maxKeyBytes = 128
const defaultType = 'DEFAULT'

/** The one door for every protocol: authenticates, completes what the sender left out, and hands the message to the project. */
export class Ingest implements Door {
  readonly #options: IngestOptions
  readonly #deps: IngestDeps
  /** Distinguishes messages of equal content: random at each start, then counted. */
  readonly #boot = randomBytes(8)
  #sequence = 0

  constructor(options: IngestOptions, deps: IngestDeps) {
    this.#options = options
    this.#deps = deps
  }

  authenticate(token: string): Identity {
    const identity = this.#deps.devices.authenticate(token) ?? this.#deps.authenticateAccount(token)
    if (identity) return identity
    throw token.startsWith('w3b_') ? new ApiError('AccessKeyNotFound') : new ApiError('PublisherNotFound')
  }

  async anonymous(channel: string): Promise<PublisherIdentity> {
    const entry = this.#deps.projects.byName(channel)
    const definition = entry && (await this.#deps.projects.definition(entry.key))
    if (!entry || !definition?.project.public)
      throw new ApiError('InvalidToken', 'token contains an invalid number of segments')
    const { data } = await this.#deps.projects.publishers(entry.key, { keys: ['anonymous'], size: 1 })
    const publisher = data[0]
    if (!publisher) throw new ApiError('PublisherNotFound', 'anonymous')
    return this.#deps.devices.identity(entry, publisher)
  }

  publish(identity: PublisherIdentity, input: EventInput): Promise<EventAnswer> {
    if (!identity.valid) return Promise.reject(new ApiError('PublisherNotFound', identity.publisherId))
    const problem = this.#checkEvent(input)
    if (problem) return Promise.reject(problem)
    const eventID = input.eventId ? input.eventId.toLowerCase() : `${randomUUID()}_w3b`
    const { channel, publisherId, publisherKey } = identity
    const eventType = input.eventType || defaultType
    if (input.channel !== channel)
      return Promise.resolve({
        channel: input.channel,
        publisherID: publisherId,
        publisherKey,
        eventID,
        timestamp: 0,
        results: null,
        error: 'InvalidEventChannel',
      })
    const message = this.#vouched(input, {
      publisherId,
      publisherKey,
      eventType,
      eventId: eventID,
      topic: input.topic ?? '',
      idempotencyKey: input.idempotencyKey ?? '',
    })
    const event = { channel, publisherID: publisherId, publisherKey, eventID }
    return this.#submit(identity.project, channel, message).then((committed) =>
      this.#answer(identity.project, event, committed, input.transport),
    )
  }

  async push(
    identity: AccountIdentity,
    channel: string,
    items: readonly PushItem[],
    { idempotencyKey = '' }: { idempotencyKey?: string } = {},
  ): Promise<PushAnswer[]> {
    if (!identity.permits('Event', 'READ_WRITE'))
      throw new ApiError('AccessKeyPermissionDenied', 'Event READ_WRITE is needed')
    const entry = this.#deps.projects.byName(channel)
    if (!entry || entry.accountId !== identity.accountId) throw new ApiError('NoProjectPermission', channel)
    const { pushItems } = this.#options
    if (items.length > pushItems) throw new ApiError('PayloadTooLarge', `${items.length} items, at most ${pushItems}`)
    const devices = await this.#ensureDevices(entry.key, items)
    return Promise.all(
      items.map((item, index) => this.#pushOne(entry.key, { channel, item, index, devices, idempotencyKey })),
    )
  }

  async publishEnvelope(bytes: Uint8Array, transport: EventInput['transport']): Promise<EventAnswer> {
    const envelope = this.#readEnvelope(bytes)
    const entry = this.#deps.projects.byKey(toHex(envelope.project))
    if (!entry) throw new ApiError('ProjectNotFound', toHex(envelope.project))
    const problem = typeProblem(envelope.eventType)
    if (problem) throw problem
    const publisher = await this.#deps.devices.byPublicKey(entry.key, envelope.device)
    if (!publisher) throw new ApiError('PublisherNotFound', 'no device of the project has this key')
    if (!verifyEnvelope(envelope)) throw new ApiError('InvalidEnvelopeSignature', 'the signature does not match')
    const distance = Math.abs(this.#deps.now() - envelope.timestampMs)
    if (distance > this.#options.envelopeWindowMs)
      throw new ApiError(
        'InvalidEnvelope',
        `timestampMs is ${distance} ms from now, at most ${this.#options.envelopeWindowMs}`,
      )
    const message = signedMessage(bytes, { id: publisher.publisherId, key: publisher.key })
    const { eventId: eventID } = message
    const committed = await this.#submit(entry.key, entry.name, message)
    const { publisherId: publisherID, key: publisherKey } = publisher
    return this.#answer(entry.key, { channel: entry.name, publisherID, publisherKey, eventID }, committed, transport)
  }

  acceptsWork(project: ProjectKey): boolean {
    return this.#deps.manager.acceptsWork(project)
  }

  whenReady(project: ProjectKey, callback: () => void): () => void {
    return this.#deps.manager.whenReady(project, callback)
  }

  /** Hands a device's message on, within its traffic limits. What they let through is counted. */
  #submit(project: ProjectKey, channel: string, message: Message): Promise<Committed> {
    const { manager, traffic } = this.#deps
    const { publisherId, publisherKey, eventType } = message
    return traffic.through(project, publisherId, () => {
      this.#count(project, channel, publisherKey, eventType)
      return manager.submit(project, message)
    })
  }

  /** A repeated event is answered with the ids of the first. Over MQTT its own event id stays: by it devices know what is answered. */
  #answer(
    project: ProjectKey,
    event: Pick<EventAnswer, 'channel' | 'publisherID' | 'publisherKey' | 'eventID'>,
    committed: Committed,
    transport: EventInput['transport'],
  ): EventAnswer | Promise<EventAnswer> {
    const { projects, now } = this.#deps
    const answer = (eventID: string, messageId: Uint8Array) =>
      new CommittedAnswer({ ...event, eventID, timestamp: now() }, { messageId, receipt: committed.receipt }, () =>
        projects.definitionNow(project),
      )
    if (receiptStatus(committed.receipt) !== 'duplicate') return answer(event.eventID, committed.messageId)
    return this.#first(project, committed.receipt).then(({ id, eventId }) =>
      answer(transport === 'mqtt' ? event.eventID : (eventId ?? event.eventID), id),
    )
  }

  /** The message that one with the receipt of a duplicate repeats. */
  async #first(project: ProjectKey, receipt: Uint8Array): Promise<{ id: Uint8Array; eventId?: string }> {
    const { duplicateOf } = JSON.parse(decodeReceipt(receipt).detail) as { duplicateOf: string }
    const id = fromHex(duplicateOf, 32)
    const reader = await this.#deps.projects.reader(project)
    return (await reader.messageById(id)) ?? { id }
  }

  #checkEvent({ payload, eventType, eventId, idempotencyKey }: EventInput): ApiError | undefined {
    const { payloadBytes } = this.#options
    if (payload.length > payloadBytes)
      return new ApiError('PayloadTooLarge', `${payload.length} bytes, at most ${payloadBytes}`)
    return (
      textProblem('eventType', eventType, maxTextBytes) ??
      typeProblem(eventType) ??
      textProblem('eventID', eventId, maxTextBytes) ??
      textProblem('Idempotency-Key', idempotencyKey, maxKeyBytes)
    )
  }

  #readEnvelope(bytes: Uint8Array): Envelope {
    try {
      return decodeEnvelope(bytes)
    } catch (cause) {
      throw new ApiError('InvalidEnvelope', cause instanceof Error ? cause.message : '', { cause })
    }
  }

  /** Devices that the project does not know are made; the same one named twice is made once. */
  async #ensureDevices(project: ProjectKey, items: readonly PushItem[]): Promise<Map<string, { publisherId: string }>> {
    const keys = [...new Set(items.map((item) => item.deviceId).filter((key) => key !== ''))]
    const { data } = await this.#deps.projects.publishers(project, { keys, size: -1 })
    const devices = new Map<string, { publisherId: string }>(data.map((publisher) => [publisher.key, publisher]))
    const missing = keys.filter((key) => !devices.has(key))
    if (missing.length === 0) return devices
    const changes = missing.map((key) => ({ op: 'publisher.upsert' as const, name: key, key }))
    const { values = [] } = await this.#deps.projects.change(project, { op: 'all', changes })
    for (const [i, value] of values.entries())
      if (value.ok && value.id) devices.set(missing[i]!, { publisherId: value.id })
    return devices
  }

  async #pushOne(
    project: ProjectKey,
    push: {
      channel: string
      item: PushItem
      index: number
      devices: ReadonlyMap<string, { publisherId: string }>
      idempotencyKey: string
    },
  ): Promise<PushAnswer> {
    const { channel, item, index, devices, idempotencyKey } = push
    const refused = (error: string): PushAnswer => ({
      index,
      results: [{ appletName: '', instanceID: '0', handler: '', returnValue: null, code: -1, error }],
    })
    const device = devices.get(item.deviceId)
    if (!device) return refused('device_id is empty')
    const problem = this.#checkEvent({ channel, transport: 'http', ...item })
    if (problem) return refused(problem.message)
    const eventType = item.eventType || defaultType
    try {
      const message = this.#vouched(item, {
        publisherId: device.publisherId,
        publisherKey: item.deviceId,
        eventType,
        eventId: `${randomUUID()}_event2`,
        topic: '',
        // Each item of a repeated push is recognised by its place in it.
        idempotencyKey: idempotencyKey && `${idempotencyKey}/${index}`,
      })
      const committed = await this.#submit(project, channel, message)
      return {
        index,
        results: eventResults(decodeReceipt(committed.receipt), this.#deps.projects.definitionNow(project)),
      }
    } catch (error) {
      if (error instanceof ApiError && error.code === 'TrafficLimitExceeded') return refused(trafficLimitText)
      return refused(error instanceof Error ? error.message : String(error))
    }
  }

  /** A device's message that this node answers for: it saw the token. */
  #vouched(
    { payload, timestampMs }: Pick<EventInput, 'payload' | 'timestampMs'>,
    fields: Pick<Message, 'publisherId' | 'publisherKey' | 'eventType' | 'eventId' | 'topic' | 'idempotencyKey'>,
  ): Message {
    const receivedMs = this.#deps.now()
    return {
      kind: 'data',
      receivedMs,
      nonce: this.#nonce(),
      origin: { type: 'vouched' },
      publisherId: fields.publisherId,
      publisherKey: fields.publisherKey,
      eventType: fields.eventType,
      eventId: fields.eventId,
      timestampMs: normalizeTimestamp(timestampMs, receivedMs),
      topic: fields.topic,
      idempotencyKey: fields.idempotencyKey,
      payload,
    }
  }

  #nonce(): Uint8Array {
    const nonce = Buffer.allocUnsafe(16)
    nonce.set(this.#boot)
    nonce.writeDoubleBE(this.#sequence++, 8)
    return nonce
  }

  #count(key: ProjectKey, project: string, publisher: string, eventtype: string): void {
    const { projects, events } = this.#deps
    const account = projects.byKey(key)?.accountId ?? ''
    events.count({ account, project, publisher, eventtype }, projects.definitionNow(key))
  }
}

/** Some types are those of the node's own messages. */
function typeProblem(eventType: string | undefined): ApiError | undefined {
  if (!eventType?.startsWith(reservedTypePrefix)) return undefined
  const msg = `types that begin with ${reservedTypePrefix} are the node's own`
  return new ApiError('badRequest', '', { fields: [{ field: 'eventType', in: '', msg }] })
}

function textProblem(field: string, text: string | undefined, limit: number): ApiError | undefined {
  // No UTF-16 unit takes more than three bytes.
  if (text === undefined || text.length * 3 <= limit) return undefined
  const size = Buffer.byteLength(text)
  if (size <= limit) return undefined
  return new ApiError('badRequest', '', { fields: [{ field, in: '', msg: `${size} bytes, at most ${limit}` }] })
}
