import { encodeEvent } from '@w3bstream/protocol'
import type { MqttClient } from 'mqtt'
import type { EventAnswer } from '../../endpoint/endpoint.ts'
import { CliError } from '../errors.ts'
import type { Outgoing } from './transports.ts'

/** Longest wait for the connection, and for the answer, milliseconds. */
const patienceMs = 10_000

/**
 * Publishes with QoS 1 and waits for the answer on `ack/<publisher key>`. The token is in the message and in the
 * connection's password, not in the topic, where a broker's log would keep it.
 */
export async function publishMqtt(message: Outgoing): Promise<EventAnswer> {
  const { channel, token, publisherKey, eventType, eventId, payload } = message
  const url = message.mqttUrl ?? mqttAddress(message.url)
  if (publisherKey === undefined)
    throw new CliError({ code: 'CLI_USAGE', detail: 'over MQTT the answer goes to the device: name it with --device' })
  const client = await connect(url, publisherKey, token)
  try {
    const answer = nextAnswer(client, eventId.toLowerCase(), url)
    await client.subscribeAsync(`ack/${publisherKey}`, { qos: 1 })
    const event = encodeEvent({ eventType, token, pubTime: Date.now(), eventId, pubId: publisherKey, payload })
    const refusal = await client.publishAsync(channel, Buffer.from(event), { qos: 1 }).then(() => undefined, refusalOf)
    return await answer.catch((error: unknown) => {
      throw error instanceof CliError && error.code === 'CLI_API' ? error : (refusal ?? error)
    })
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError({ code: 'CLI_UNREACHABLE', url, reason: (error as Error).message }, { cause: error })
  } finally {
    await client.endAsync(true)
  }
}

/** The node's own refusal, whose reason comes on `ack/…` in most cases; anything else is thrown. */
function refusalOf(error: unknown): unknown {
  if (typeof (error as { code?: unknown }).code === 'number') return error
  throw error
}

function mqttAddress(nodeUrl: string): string {
  const { hostname, protocol } = new URL(nodeUrl)
  return protocol === 'https:' ? `mqtts://${hostname}:1883` : `mqtt://${hostname}:1883`
}

async function connect(url: string, username: string, password: string): Promise<MqttClient> {
  // Loaded here, so that no other command has it in memory, the node least of all.
  const { connectAsync } = await import('mqtt')
  return connectAsync(
    url,
    { username, password, protocolVersion: 5, connectTimeout: patienceMs, reconnectPeriod: 0 },
    false,
  )
}

/** The answer to this event; answers to others of the device pass by. */
function nextAnswer(client: MqttClient, eventId: string, url: string): Promise<EventAnswer> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new CliError({ code: 'CLI_UNREACHABLE', url, reason: 'no answer in time' })),
      patienceMs,
    )
    late.unref()
    client.on('message', (_topic, payload) => {
      const answer = readAnswer(payload)
      // Not every error tells of which event it is.
      if (!answer || (answer.eventID ?? eventId) !== eventId) return
      const { key, desc = '' } = answer
      if (key) reject(new CliError({ code: 'CLI_API', status: 0, key, desc, fields: [] }))
      else resolve(answer)
    })
    client.on('close', () =>
      reject(new CliError({ code: 'CLI_UNREACHABLE', url, reason: 'the connection was closed' })),
    )
  })
}

/** An answer to an event, or the JSON of an error. */
type Answer = EventAnswer & { readonly key?: string; readonly desc?: string }

function readAnswer(payload: Buffer): Answer | undefined {
  try {
    return JSON.parse(payload.toString('utf8')) as Answer
  } catch {
    return undefined
  }
}
