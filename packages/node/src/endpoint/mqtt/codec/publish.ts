import { violation } from '../errors.ts'
import { Cursor, readText } from './cursor.ts'
import type { FrameReader } from './frame-reader.ts'
import { type Properties, readProperties } from './properties.ts'
import { reason } from './reason.ts'

export type Qos = 0 | 1 | 2
export type Version = 3 | 4 | 5

export interface PublishPacket {
  topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  /** 0 for QoS 0. */
  readonly packetId: number
  readonly properties: Properties | undefined
}

/** Remembers the last topic of a connection: a device usually has one, and its text is then not decoded again. */
export class TopicMemory {
  #bytes: Buffer | undefined
  #topic = ''

  read(bytes: Buffer, start: number, end: number): string {
    const last = this.#bytes
    if (last?.length === end - start && last.compare(bytes, start, end) === 0) return this.#topic
    this.#topic = readText(bytes, start, end)
    this.#bytes = Buffer.from(bytes.subarray(start, end))
    return this.#topic
  }
}

/**
 * Reads the PUBLISH that `frame` stands at. The payload is a view of the received chunk.
 * @throws MqttError malformed packet, protocol error
 */
export function readPublish(frame: FrameReader, version: Version, topics: TopicMemory): PublishPacket {
  const { bytes, head, start, end } = frame
  const qos = (head >> 1) & 3
  const dup = (head & 8) !== 0
  if (qos === 3) throw violation(reason.malformedPacket, 'QoS 3')
  if (dup && qos === 0) throw violation(reason.malformedPacket, 'DUP with QoS 0')
  if (end - start < 2) throw violation(reason.malformedPacket, 'packet too short')
  let at = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!)
  if (at + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0) > end)
    throw violation(reason.malformedPacket, 'packet too short')
  const topic = topics.read(bytes, start + 2, at)
  let packetId = 0
  if (qos > 0) {
    packetId = (bytes[at]! << 8) | bytes[at + 1]!
    at += 2
    if (packetId === 0) throw violation(reason.protocolError, 'packet identifier 0')
  }
  let properties: Properties | undefined
  if (version === 5) {
    if (bytes[at] === 0) at++
    else {
      const cursor = new Cursor(bytes, at, end)
      properties = readProperties(cursor, 'publish')
      at = cursor.position
    }
  }
  return {
    topic,
    payload: bytes.subarray(at, end),
    qos: qos as Qos,
    retain: (head & 1) !== 0,
    dup,
    packetId,
    properties,
  }
}

/** An outgoing PUBLISH. */
export interface OutgoingPublish {
  /** Empty when a topic alias stands for it. */
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  readonly packetId: number
  readonly properties?: Properties | undefined
}

/** Writes a PUBLISH for a client of this protocol version. */
export function writePublish(packet: OutgoingPublish, version: Version): Buffer {
  const topicBytes = Buffer.byteLength(packet.topic)
  const block = version === 5 ? writeMessageProperties(packet.properties) : undefined
  const length = 2 + topicBytes + (packet.qos > 0 ? 2 : 0) + (block?.length ?? 0) + packet.payload.length
  const out = Buffer.allocUnsafe(1 + varintSize(length) + length)
  out[0] = 0x30 | (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0)
  let at = writeVarint(out, 1, length)
  at = out.writeUInt16BE(topicBytes, at)
  at += out.write(packet.topic, at)
  if (packet.qos > 0) at = out.writeUInt16BE(packet.packetId, at)
  if (block) {
    out.set(block, at)
    at += block.length
  }
  out.set(packet.payload, at)
  return out
}

const noProperties = Buffer.of(0)

/** The property block of an application message, its length included. */
function writeMessageProperties(properties: Properties | undefined): Buffer {
  if (!properties) return noProperties
  const parts: Buffer[] = []
  const { payloadFormat, messageExpiry, contentType, responseTopic, correlationData, topicAlias } = properties
  if (payloadFormat !== undefined) parts.push(Buffer.of(1, payloadFormat))
  if (messageExpiry !== undefined) parts.push(Buffer.of(2), u32(messageExpiry))
  if (contentType !== undefined) parts.push(Buffer.of(3), prefixed(Buffer.from(contentType)))
  if (responseTopic !== undefined) parts.push(Buffer.of(8), prefixed(Buffer.from(responseTopic)))
  if (correlationData !== undefined) parts.push(Buffer.of(9), prefixed(correlationData))
  for (const id of properties.subscriptionIds ?? []) parts.push(Buffer.of(11), varint(id))
  if (topicAlias !== undefined) parts.push(Buffer.of(35, topicAlias >> 8, topicAlias & 0xff))
  for (const [name, value] of properties.userProperties ?? [])
    parts.push(Buffer.of(38), prefixed(Buffer.from(name)), prefixed(Buffer.from(value)))
  const block = Buffer.concat(parts)
  return Buffer.concat([varint(block.length), block])
}

function prefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes])
}

function u32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4)
  out.writeUInt32BE(value)
  return out
}

function varint(value: number): Buffer {
  const out = Buffer.allocUnsafe(varintSize(value))
  writeVarint(out, 0, value)
  return out
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}
