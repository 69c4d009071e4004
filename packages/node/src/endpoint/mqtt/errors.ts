import { W3bstreamError } from '@w3bstream/protocol'
import type { Reason } from './codec/reason.ts'

export type MqttFault =
  /** What a peer sent breaks the protocol; the connection is closed with this MQTT 5 reason. */
  | { code: 'MQTT_PACKET'; reason: Reason; detail: string }
  | { code: 'MQTT_OPTIONS'; problems: readonly string[] }
  /** The file of persistent sessions was written by a newer version, or is not such a file. */
  | { code: 'MQTT_STORE'; detail: string }
  | { code: 'MQTT_TOPIC'; topic: string; detail: string }
  | { code: 'MQTT_NOT_CONNECTED'; url: string }

export class MqttError extends W3bstreamError<MqttFault> {}

/** A violation by the peer. */
export function violation(reason: Reason, detail: string): MqttError {
  return new MqttError({ code: 'MQTT_PACKET', reason, detail })
}
