import { envelopeToJson } from '@w3bstream/protocol'
import { parseJson, readAnswer, readError, readPushAnswers } from './answers.ts'
import { ClientError, interruption } from './errors.ts'
import type { OutgoingEvent } from './event.ts'
import type { Settings } from './options.ts'
import { readRpcResult, rpcRequest } from './rpc.ts'
import { sealEvent } from './sign.ts'
import type { Transport } from './transport.ts'

/** The most that is read of an answer. */
const answerBytes = 8 * 1024 * 1024

/** Events over HTTP; signed ones as JSON-RPC, the others on the event route, which earlier nodes have too. */
export function createHttpTransport(settings: Settings): Transport {
  const { token, signer, project, timeoutMs } = settings
  const request = settings.fetch ?? fetch
  const route = eventRoute(settings)

  async function post(url: URL, body: Uint8Array | string, headers: Record<string, string>, signal: AbortSignal) {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await request(url, {
        method: 'POST',
        // A copy with a buffer of its own: what `fetch` accepts in every version of its types.
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...strict, ...headers },
        signal: AbortSignal.any([signal, timeout]),
      })
      return await readReply(response)
    } catch (error) {
      throw interruption(error, signal, timeout, timeoutMs)
    }
  }

  return {
    recognisesRetries: true,

    async send(event, signal) {
      if (signer && project) {
        const envelope = envelopeToJson(await sealEvent(event, project, signer))
        return readAnswer(readRpcResult(await post(rpcRoute(route), rpcRequest(1, { envelope }), json, signal)))
      }
      const url = withQuery(route, {
        eventType: event.eventType,
        eventID: event.eventId,
        timestamp: `${event.timestampMs}`,
      })
      const headers = { 'content-type': 'application/octet-stream', 'idempotency-key': event.idempotencyKey }
      return readAnswer(await post(url, event.payload, headers, signal))
    },

    async push(events, signal) {
      const url = withQuery(route, { eventType: 'DA-TA_PU-SH', timestamp: `${Date.now()}` })
      const eventIds = events.map((event) => event.eventId)
      return readPushAnswers(await post(url, pushBody(events), json, signal), eventIds)
    },

    close: () => Promise.resolve(),
  }
}

/** A refusal is told by the status (RFC 7240, section 4.4), not by the result of a success. */
const strict = { prefer: 'handling=strict' }

const json = { 'content-type': 'application/json' }

function eventRoute({ url, channel }: Settings): URL {
  const route = new URL(url)
  if (!/\/event\/[^/]+\/?$/.test(route.pathname))
    route.pathname = `${route.pathname.replace(/\/$/, '')}/srv-applet-mgr/v0/event/${encodeURIComponent(channel)}`
  return route
}

/** Beside the event route, on the same server. */
function rpcRoute(route: URL): URL {
  return new URL('/rpc', route)
}

function withQuery(route: URL, query: Record<string, string>): URL {
  const url = new URL(route)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

/** Data push carries payloads as text. @throws ClientError EVENT_INVALID */
function pushBody(events: readonly OutgoingEvent[]): string {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return JSON.stringify(
    events.map(({ deviceId, eventType, payload, timestampMs }) => {
      try {
        return { device_id: deviceId, event_type: eventType, payload: utf8.decode(payload), timestamp: timestampMs }
      } catch (cause) {
        throw new ClientError(
          { code: 'EVENT_INVALID', field: 'payload', wanted: 'text, when an account publishes' },
          { cause },
        )
      }
    }),
  )
}

async function readReply(response: Response): Promise<unknown> {
  const text = await readText(response)
  if (response.ok) return parseJson(text)
  throw readError(parseOrNothing(text), response.status, retryAfterMs(response.headers.get('retry-after')))
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    size += part.value.length
    if (size > answerBytes) {
      await reader?.cancel()
      throw new ClientError({ code: 'ANSWER_INVALID', detail: `more than ${answerBytes} bytes` })
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}
