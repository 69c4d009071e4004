/** Messages to MQTT subscribers of the project, and the message that an event came with. */
import { fromText } from './bytes'
import { outPointer, outSize, refuse, takeBytes, takeBytesAt } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_send_mqtt_msg')
declare function ws_send_mqtt_msg(topic: usize, topicSize: usize, message: usize, messageSize: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_get_mqtt_msg')
declare function ws_get_mqtt_msg(rid: i32, topic: usize, topicSize: usize, pointer: usize, size: usize): i32

// @ts-ignore: decorator
@lazy const topicPointer: usize = memory.data(4, 4)
// @ts-ignore: decorator
@lazy const topicSize: usize = memory.data(4, 4)

export class Message {
  constructor(
    readonly topic: string,
    readonly payload: Uint8Array,
  ) {}
}

/** Publishes after the commit. */
export function publishBytes(topic: string, payload: Uint8Array): void {
  const name = String.UTF8.encode(topic)
  const code = ws_send_mqtt_msg(changetype<usize>(name), name.byteLength, payload.dataStart, payload.length)
  if (code != 0) refuse('mqtt.publish ' + topic, code)
}

export function publish(topic: string, payload: string): void {
  publishBytes(topic, fromText(payload))
}

/** The MQTT message behind this event, or null when it came another way. */
export function message(rid: i32): Message | null {
  if (ws_get_mqtt_msg(rid, topicPointer, topicSize, outPointer(), outSize()) != 0) return null
  const topic = takeBytesAt(load<u32>(topicPointer), load<u32>(topicSize))
  return new Message(String.UTF8.decodeUnsafe(topic.dataStart, topic.length), takeBytes())
}
