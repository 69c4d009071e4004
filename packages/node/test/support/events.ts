import { type Answer, type Device, type ErrorBody, type EventBody, request } from './management.ts'
import type { NodeProcess } from './node-process.ts'

export interface HttpEvent {
  readonly channel: string
  readonly token?: string
  readonly payload?: string | Uint8Array<ArrayBuffer>
  readonly eventType?: string
  readonly eventId?: string
  readonly idempotencyKey?: string
}

/** Sends an event to the event port, as a device does. */
export function postEvent(
  node: NodeProcess,
  { channel, token, payload = '', eventType, eventId, idempotencyKey }: HttpEvent,
): Promise<Answer<EventBody & ErrorBody>> {
  const url = new URL(`/srv-applet-mgr/v0/event/${channel}`, node.events)
  if (eventType !== undefined) url.searchParams.set('eventType', eventType)
  if (eventId !== undefined) url.searchParams.set('eventID', eventId)
  const headers: Record<string, string> = {}
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
  return request(url.href, { method: 'POST', headers, body: payload })
}

/** {@link postEvent} by one device. */
export function sender(node: NodeProcess, channel: string, device: Device) {
  return (payload: string, options: Partial<HttpEvent> = {}) =>
    postEvent(node, { channel, token: device.token, payload, ...options })
}
