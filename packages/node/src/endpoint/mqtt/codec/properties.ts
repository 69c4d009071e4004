import { violation } from '../errors.ts'
import type { Cursor } from './cursor.ts'
import { reason } from './reason.ts'

/** Properties that a client may send, and those of an application message that a server may forward. */
export interface Properties {
  payloadFormat?: number
  /** Seconds. */
  messageExpiry?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  subscriptionIds?: number[]
  /** Seconds; 0xffffffff is for ever. */
  sessionExpiry?: number
  authenticationMethod?: string
  authenticationData?: Uint8Array
  requestProblem?: number
  requestResponse?: number
  /** Seconds. */
  willDelay?: number
  reasonString?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  topicAlias?: number
  maximumPacketSize?: number
  /** In the order of the packet, equal names kept [MQTT-3.3.2-18]. */
  userProperties?: [string, string][]
}

type Name = Exclude<keyof Properties, 'userProperties' | 'subscriptionIds'>
type Type = 'flag' | 'u16' | 'u32' | 'text' | 'binary'
interface Rule {
  readonly name: Name
  readonly type: Type
  /** The value 0 is a protocol error. */
  readonly positive?: boolean
}

const subscriptionId = 11
const userProperty = 38

/** MQTT 5 section 2.2.2.2, the rows that a client may send. */
const rules = new Map<number, Rule>([
  [1, { name: 'payloadFormat', type: 'flag' }],
  [2, { name: 'messageExpiry', type: 'u32' }],
  [3, { name: 'contentType', type: 'text' }],
  [8, { name: 'responseTopic', type: 'text' }],
  [9, { name: 'correlationData', type: 'binary' }],
  [17, { name: 'sessionExpiry', type: 'u32' }],
  [21, { name: 'authenticationMethod', type: 'text' }],
  [22, { name: 'authenticationData', type: 'binary' }],
  [23, { name: 'requestProblem', type: 'flag' }],
  [24, { name: 'willDelay', type: 'u32' }],
  [25, { name: 'requestResponse', type: 'flag' }],
  [31, { name: 'reasonString', type: 'text' }],
  [33, { name: 'receiveMaximum', type: 'u16', positive: true }],
  [34, { name: 'topicAliasMaximum', type: 'u16' }],
  [35, { name: 'topicAlias', type: 'u16' }],
  [39, { name: 'maximumPacketSize', type: 'u32', positive: true }],
])

const message = [1, 2, 3, 8, 9] as const
/** Which properties each packet of a client may carry; user properties are allowed everywhere. */
const allowed = {
  connect: new Set<number>([17, 21, 22, 23, 25, 33, 34, 39]),
  will: new Set<number>([...message, 24]),
  publish: new Set<number>([...message, 35]),
  acknowledgement: new Set<number>([31]),
  subscribe: new Set<number>([subscriptionId]),
  unsubscribe: new Set<number>(),
  disconnect: new Set<number>([17, 31]),
  auth: new Set<number>([21, 22, 31]),
} as const

export type PropertyOwner = keyof typeof allowed

/**
 * Reads a block of properties; undefined when it is empty.
 * @throws MqttError malformed packet or protocol error: unknown, repeated or misplaced properties, forbidden values
 */
export function readProperties(cursor: Cursor, owner: PropertyOwner): Properties | undefined {
  const length = cursor.varint()
  if (length === 0) return undefined
  if (length > cursor.remaining) throw violation(reason.malformedPacket, 'property length')
  const end = cursor.position + length
  const properties: Properties = {}
  while (cursor.position < end) readProperty(cursor, owner, properties)
  if (cursor.position !== end) throw violation(reason.malformedPacket, 'property length')
  return properties
}

function readProperty(cursor: Cursor, owner: PropertyOwner, into: Properties): void {
  const id = cursor.varint()
  if (id === userProperty) {
    into.userProperties ??= []
    into.userProperties.push([cursor.text(), cursor.text()])
    return
  }
  if (!allowed[owner].has(id)) throw violation(reason.protocolError, `property ${id} in ${owner}`)
  if (id === subscriptionId) {
    readSubscriptionId(cursor, into)
    return
  }
  const rule = rules.get(id)!
  if (into[rule.name] !== undefined) throw violation(reason.protocolError, `${rule.name} twice`)
  const value = readValue(cursor, rule)
  if (rule.positive && value === 0) throw violation(reason.protocolError, `${rule.name} is 0`)
  // [MQTT-3.3.2-14]
  if (rule.name === 'responseTopic' && /[+#]/.test(String(value)))
    throw violation(reason.protocolError, 'wildcard in the response topic')
  Object.assign(into, { [rule.name]: value })
}

function readSubscriptionId(cursor: Cursor, into: Properties): void {
  const value = cursor.varint()
  if (value === 0 || into.subscriptionIds) throw violation(reason.protocolError, 'subscription identifier')
  into.subscriptionIds = [value]
}

function readValue(cursor: Cursor, rule: Rule): number | string | Uint8Array {
  switch (rule.type) {
    case 'flag': {
      const value = cursor.u8()
      if (value > 1) throw violation(reason.protocolError, `${rule.name} is neither 0 nor 1`)
      return value
    }
    case 'u16':
      return cursor.u16()
    case 'u32':
      return cursor.u32()
    case 'text':
      return cursor.text()
    case 'binary':
      return cursor.binary()
  }
}
