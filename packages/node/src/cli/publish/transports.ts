import type { EventAnswer } from '../../endpoint/endpoint.ts'
import { publishHttp } from './http.ts'
import { publishMqtt } from './mqtt.ts'
import { publishRpc } from './rpc.ts'

/** A message to be sent as a device. */
export interface Outgoing {
  /** The node's management address. */
  readonly url: string
  readonly mqttUrl?: string
  /** Full name of the project. */
  readonly channel: string
  /** Token of the device. */
  readonly token: string
  /** Key of the device, when it is known. */
  readonly publisherKey?: string
  readonly eventType: string
  readonly eventId: string
  readonly payload: Uint8Array
}

export type Transport = (message: Outgoing) => Promise<EventAnswer>

/** The ways to a node, by the name that `--transport` takes. */
export const transports: Readonly<Record<string, Transport>> = { http: publishHttp, mqtt: publishMqtt, rpc: publishRpc }
