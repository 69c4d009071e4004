import { HostFault } from '../engine.ts'
import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** What MQTT 5, section 4.7 forbids in a topic that is published to; 65,535 bytes is the longest MQTT string. */
const wildcard = /[+#\0]/
const topicBytes = 65_535

function sendMqtt(guest: Guest) {
  return (topicPointer: number, topicSize: number, pointer: number, size: number): number => {
    const topic = guest.key(topicPointer, topicSize)
    const payload = topic === undefined ? undefined : guest.read(pointer, size)
    if (topic === undefined || payload === undefined) return status.failed
    if (topic === '' || wildcard.test(topic) || topicSize >>> 0 > topicBytes)
      throw new HostFault('Invalid', 'the topic is empty, too long, or has wildcards')
    guest.call.host.publishMqtt(topic, payload)
    return status.ok
  }
}

function getMqtt(guest: Guest) {
  return (rid: number, topicAt: number, topicSizeAt: number, payloadAt: number, payloadSizeAt: number): number => {
    const message = rid === guest.call.rid ? guest.call.host.mqttMessage() : undefined
    if (message === undefined) return status.resourceNotFound
    const code = guest.handOverText(message.topic, topicAt, topicSizeAt)
    return code === status.ok ? guest.handOver(message.payload, payloadAt, payloadSizeAt) : code
  }
}

export const mqttFunctions = [
  hostFunction('ws_send_mqtt_msg', 'iiii:i', sendMqtt, { fuel: hostFuel.effect }),
  hostFunction('ws_get_mqtt_msg', 'iiiii:i', getMqtt, { handsOver: true }),
]
