import { violation } from '../errors.ts'
import { Cursor } from './cursor.ts'
import type { FrameReader } from './frame-reader.ts'
import { type Properties, readProperties } from './properties.ts'
import type { Qos, Version } from './publish.ts'
import { reason } from './reason.ts'

/**
 * Reads the packets of a client other than PUBLISH. The parser of `mqtt-packet` is not used for them because it takes text that is not
 * UTF-8, properties in packets where they are forbidden, and trailing bytes, and merges user properties of one name; it
 * is what these readers are compared with in the tests, and it writes what the server sends.
 */
export const packetType = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
  auth: 15,
} as const

export interface WillPacket {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: Properties | undefined
}

export interface ConnectPacket {
  readonly version: Version
  readonly clean: boolean
  /** Seconds; 0 is none. */
  readonly keepAlive: number
  readonly clientId: string
  readonly will: WillPacket | undefined
  readonly userName: string | undefined
  readonly password: Buffer | undefined
  readonly properties: Properties
}

export interface SubscriptionRequest {
  readonly filter: string
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
}

export interface SubscribePacket {
  readonly packetId: number
  readonly requests: SubscriptionRequest[]
  readonly subscriptionId: number | undefined
}

/** The protocol level of a CONNECT; undefined when it is not of this family of protocols. */
export function readLevel(frame: FrameReader): { level: number; supported: boolean } | undefined {
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  const name = cursor.text()
  if (name !== 'MQTT' && name !== 'MQIsdp') return undefined
  const level = cursor.u8()
  return { level, supported: name === 'MQTT' ? level === 4 || level === 5 : level === 3 }
}

/** @throws MqttError malformed packet, protocol error */
export function readConnect(frame: FrameReader): ConnectPacket {
  requireFlags(frame.head, 0)
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  cursor.text()
  const version = cursor.u8() as Version
  const flags = readConnectFlags(cursor.u8(), version)
  const keepAlive = cursor.u16()
  const properties = (version === 5 ? readProperties(cursor, 'connect') : undefined) ?? {}
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined)
    throw violation(reason.protocolError, 'authentication data without a method')
  const clientId = cursor.text()
  const will = flags.will ? readWill(cursor, version, flags) : undefined
  const userName = flags.userName ? cursor.text() : undefined
  // A view would keep the chunk alive, and secrets with it.
  const password = flags.password ? Buffer.from(cursor.binary()) : undefined
  cursor.finish()
  return { version, clean: flags.clean, keepAlive, clientId, will, userName, password, properties }
}

interface ConnectFlags {
  readonly clean: boolean
  readonly will: boolean
  readonly willQos: Qos
  readonly willRetain: boolean
  readonly userName: boolean
  readonly password: boolean
}

function readConnectFlags(bits: number, version: Version): ConnectFlags {
  const will = (bits & 4) !== 0
  const willQos = (bits >> 3) & 3
  const willRetain = (bits & 32) !== 0
  const password = (bits & 64) !== 0
  const userName = (bits & 128) !== 0
  if (bits & 1) throw violation(reason.malformedPacket, 'reserved connect flag')
  if (willQos === 3 || (!will && (willQos > 0 || willRetain))) throw violation(reason.malformedPacket, 'will flags')
  if (version < 5 && password && !userName) throw violation(reason.malformedPacket, 'password without user name')
  return { clean: (bits & 2) !== 0, will, willQos: willQos as Qos, willRetain, userName, password }
}

function readWill(cursor: Cursor, version: Version, flags: ConnectFlags): WillPacket {
  const properties = version === 5 ? readProperties(cursor, 'will') : undefined
  const topic = cursor.text()
  const payload = Buffer.from(cursor.binary())
  return { topic, payload, qos: flags.willQos, retain: flags.willRetain, properties }
}

/** @throws MqttError malformed packet, protocol error */
export function readSubscribe(frame: FrameReader, version: Version): SubscribePacket {
  requireFlags(frame.head, 2)
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  const packetId = readPacketId(cursor)
  const properties = version === 5 ? readProperties(cursor, 'subscribe') : undefined
  const requests: SubscriptionRequest[] = []
  while (cursor.remaining > 0) requests.push(readRequest(cursor, version))
  if (requests.length === 0) throw violation(reason.protocolError, 'subscribe without a filter')
  return { packetId, requests, subscriptionId: properties?.subscriptionIds?.[0] }
}

function readRequest(cursor: Cursor, version: Version): SubscriptionRequest {
  const filter = cursor.text()
  const options = cursor.u8()
  const qos = options & 3
  const retainHandling = (options >> 4) & 3
  if (options & (version === 5 ? 0xc0 : 0xfc) || qos === 3)
    throw violation(reason.malformedPacket, 'subscription options')
  if (retainHandling === 3) throw violation(reason.protocolError, 'retain handling')
  return {
    filter,
    qos: qos as Qos,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  }
}

/** @throws MqttError malformed packet, protocol error */
export function readUnsubscribe(frame: FrameReader, version: Version): { packetId: number; filters: string[] } {
  requireFlags(frame.head, 2)
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  const packetId = readPacketId(cursor)
  if (version === 5) readProperties(cursor, 'unsubscribe')
  const filters: string[] = []
  while (cursor.remaining > 0) filters.push(cursor.text())
  if (filters.length === 0) throw violation(reason.protocolError, 'unsubscribe without a filter')
  return { packetId, filters }
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP. @throws MqttError */
export function readAcknowledgement(frame: FrameReader, version: Version): { packetId: number; code: number } {
  requireFlags(frame.head, frame.head >> 4 === packetType.pubrel ? 2 : 0)
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  const packetId = readPacketId(cursor)
  let code = 0
  if (version === 5 && cursor.remaining > 0) {
    code = cursor.u8()
    if (cursor.remaining > 0) readProperties(cursor, 'acknowledgement')
  }
  cursor.finish()
  return { packetId, code }
}

/** @throws MqttError */
export function readDisconnect(frame: FrameReader, version: Version): { code: number; sessionExpiry?: number } {
  requireFlags(frame.head, 0)
  const cursor = new Cursor(frame.bytes, frame.start, frame.end)
  if (version < 5 || cursor.remaining === 0) {
    cursor.finish()
    return { code: 0 }
  }
  const code = cursor.u8()
  const properties = cursor.remaining > 0 ? readProperties(cursor, 'disconnect') : undefined
  cursor.finish()
  return { code, sessionExpiry: properties?.sessionExpiry }
}

/** @throws MqttError */
export function readPing(frame: FrameReader): void {
  requireFlags(frame.head, 0)
  if (frame.end !== frame.start) throw violation(reason.malformedPacket, 'ping with a body')
}

function readPacketId(cursor: Cursor): number {
  const id = cursor.u16()
  if (id === 0) throw violation(reason.protocolError, 'packet identifier 0')
  return id
}

/** The reserved bits of the fixed header [MQTT-2.2.2-2] (3.1.1), [MQTT-2.1.3-1] (5). */
function requireFlags(head: number, wanted: number): void {
  if ((head & 15) !== wanted) throw violation(reason.malformedPacket, 'fixed header flags')
}
