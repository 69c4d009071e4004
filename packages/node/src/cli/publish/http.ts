import type { EventAnswer } from '../../endpoint/endpoint.ts'
import { ApiClient } from '../api-client.ts'
import type { Outgoing } from './transports.ts'

/** `POST /event/:channel`, on the management port; an event beyond a traffic limit is an error (`handling=strict`). */
export function publishHttp({ url, channel, token, eventType, eventId, payload }: Outgoing): Promise<EventAnswer> {
  return new ApiClient({ url, token }).request('POST', `/event/${encodeURIComponent(channel)}`, {
    query: { eventType, eventID: eventId, timestamp: Date.now() },
    headers: { 'content-type': 'application/octet-stream', prefer: 'handling=strict' },
    body: payload,
  })
}
