import { encodeEvent } from '@w3bstream/protocol'
import type { IClientOptions, MqttClient } from 'mqtt'
import { isObject, parseJson, readAnswer, readError } from './answers.ts'
import { ClientError, interruption, refusal } from './errors.ts'
import type { OutgoingEvent, PublishAnswer } from './event.ts'
import type { Settings } from './options.ts'
import type { Transport } from './transport.ts'

type Answer = PromiseWithResolvers<PublishAnswer>

/** Reason codes of MQTT 5 (2.4) as the HTTP status of the same meaning. */
const statusOfReason = new Map([
  [0x87, 401],
  [0x97, 429],
  [0x89, 503],
  [0x8b, 503],
])

/**
 * Events over MQTT with QoS 1, as the protobuf `Event` on the project's topic. With a `publisherKey` an event is done when
 * its answer came on `ack/<publisherKey>`; without one when the node acknowledged it. The library is loaded here, at the
 * first event: applications that use another transport do not carry it.
 */
export function createMqttTransport(settings: Settings): Transport {
  const { channel, publisherKey, timeoutMs, token = '' } = settings
  const withProperties = settings.mqttVersion === 5
  /** Answers that are waited for, by event id; the same id may be under way several times. */
  const waiting = new Map<string, Set<Answer>>()
  let connection: Promise<MqttClient> | undefined
  let established: MqttClient | undefined
  let closed = false

  async function connect(): Promise<MqttClient> {
    const { connectAsync } = await import('mqtt')
    // Without the library's own retries at first: it would try for ever and never say why.
    const client = await connectAsync(settings.url, connectOptions(settings), false)
    established = client
    client.on('message', (topic, payload) => {
      if (topic === `ack/${publisherKey}`) deliver(waiting, payload)
    })
    // Faults of the connection: the library connects again, and an event that waits too long says TIMEOUT.
    client.on('error', () => {})
    if (publisherKey !== undefined) await client.subscribeAsync(`ack/${publisherKey}`, { qos: 1 })
    if (closed) await client.endAsync(true)
    return client
  }

  function connected(): Promise<MqttClient> {
    connection ??= connect().catch((error: unknown) => {
      connection = undefined
      throw connectFailure(error)
    })
    return connection
  }

  async function publish(event: OutgoingEvent, signal: AbortSignal): Promise<void> {
    const client = await abortable(connected(), signal)
    const userProperties = { 'Idempotency-Key': event.idempotencyKey }
    const message = encodeEvent({ ...event, token, pubTime: event.timestampMs })
    const options = { qos: 1 as const, ...(withProperties ? { properties: { userProperties } } : {}) }
    await abortable(client.publishAsync(channel, message as Buffer, options).catch(throwReason), signal)
  }

  async function publishAndWait(event: OutgoingEvent, signal: AbortSignal): Promise<PublishAnswer> {
    const answer = Promise.withResolvers<PublishAnswer>()
    const forget = remember(waiting, event.eventId, answer)
    try {
      // An error's answer may come before or instead of the acknowledgement.
      await Promise.race([publish(event, signal), answer.promise])
      return await abortable(answer.promise, signal)
    } finally {
      forget()
    }
  }

  return {
    recognisesRetries: withProperties,

    async send(event, signal) {
      const timeout = AbortSignal.timeout(timeoutMs)
      const either = AbortSignal.any([signal, timeout])
      try {
        if (publisherKey !== undefined) return await publishAndWait(event, either)
        await publish(event, either)
        return { eventId: event.eventId }
      } catch (error) {
        throw interruption(error, signal, timeout, timeoutMs)
      }
    },

    async close() {
      closed = true
      // One that is still being made ends itself.
      await established?.endAsync(true)
    },
  }
}

function connectOptions({ token, mqttVersion, timeoutMs, publisherKey }: Settings): IClientOptions {
  return {
    protocolVersion: mqttVersion,
    // Reconnecting is the library's work once a connection stood; the first one is the client's retry.
    clean: true,
    connectTimeout: timeoutMs,
    ...(token === undefined ? {} : { username: publisherKey ?? 'w3bstream', password: token }),
  }
}

function connectFailure(error: unknown): ClientError {
  const code = isObject(error) ? error.code : undefined
  // Not authorised: 4 and 5 in MQTT 3.1.1, 0x86 and 0x87 in MQTT 5.
  if (code === 4 || code === 5 || code === 0x86 || code === 0x87)
    return new ClientError({ code: 'UNAUTHORIZED', key: `MQTT_${code}`, desc: 'the node refused the connection' })
  const detail = error instanceof Error ? error.message : String(error)
  return new ClientError({ code: 'NETWORK', detail }, { cause: error })
}

/** @throws ClientError for a negative acknowledgement */
function throwReason(error: unknown): never {
  const code = isObject(error) ? error.code : undefined
  if (typeof code !== 'number') throw error
  throw refusal(statusOfReason.get(code) ?? 400, `MQTT_${code}`, error instanceof Error ? error.message : '')
}

function remember(waiting: Map<string, Set<Answer>>, eventId: string, answer: Answer): () => void {
  // The answer may fail before anybody waits for it.
  answer.promise.catch(() => {})
  const answers = waiting.get(eventId) ?? new Set()
  waiting.set(eventId, answers.add(answer))
  return () => {
    answers.delete(answer)
    if (answers.size === 0) waiting.delete(eventId)
  }
}

function deliver(waiting: Map<string, Set<Answer>>, payload: Uint8Array): void {
  let value: unknown
  try {
    value = parseJson(new TextDecoder().decode(payload))
  } catch {
    // No answer to any event of ours.
    return
  }
  if (!isObject(value) || typeof value.eventID !== 'string') return
  const [answer] = waiting.get(value.eventID) ?? []
  if (!answer) return
  try {
    if (typeof value.key === 'string' && typeof value.code === 'number') throw readError(value, 500)
    answer.resolve(readAnswer(value))
  } catch (error) {
    answer.reject(error)
  }
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // It may fail when nobody waits any more.
  promise.catch(() => {})
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
