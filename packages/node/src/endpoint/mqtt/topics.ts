import { reason } from './codec/reason.ts'
import { violation } from './errors.ts'

/** A filter as subscribed, taken apart. */
export interface ParsedFilter {
  /** Without `$share/<group>/`. */
  readonly path: string
  readonly shareGroup: string | undefined
  readonly wildcard: boolean
}

/** Whether text may be the name of a topic [MQTT-3.3.2-2] [MQTT-4.7.3-1], within the server's own limits. */
export function isTopicName(topic: string, limits: TopicLimits): boolean {
  return (
    topic.length > 0 &&
    topic.length <= limits.maxTopicBytes &&
    !topic.includes('+') &&
    !topic.includes('#') &&
    withinLimits(topic, limits)
  )
}

export interface TopicLimits {
  readonly maxTopicBytes: number
  readonly maxTopicLevels: number
}

function withinLimits(topic: string, limits: TopicLimits): boolean {
  let levels = 1
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++
  // A character has at most three bytes, so short text needs no count.
  const fits = topic.length * 3 <= limits.maxTopicBytes || Buffer.byteLength(topic) <= limits.maxTopicBytes
  return levels <= limits.maxTopicLevels && fits
}

/**
 * Takes a topic filter apart; undefined when it is beyond the server's limits.
 * @throws MqttError when it is no filter at all: wildcards out of place [MQTT-4.7.1-1] [MQTT-4.7.1-2], empty
 *   [MQTT-4.7.3-1], a share name that is empty or has a wildcard [MQTT-4.8.2-1] [MQTT-4.8.2-2]
 */
export function parseFilter(filter: string, limits: TopicLimits): ParsedFilter | undefined {
  let path = filter
  let shareGroup: string | undefined
  if (filter.startsWith('$share/')) {
    const slash = filter.indexOf('/', 7)
    shareGroup = filter.slice(7, slash < 0 ? filter.length : slash)
    if (slash < 0 || shareGroup === '' || /[+#]/.test(shareGroup)) throw violation(reason.protocolError, 'share name')
    path = filter.slice(slash + 1)
  }
  if (path === '') throw violation(reason.malformedPacket, 'empty topic filter')
  const levels = path.split('/')
  levels.forEach((level, i) => {
    const hash = level.includes('#') && (level !== '#' || i !== levels.length - 1)
    if (hash || (level.includes('+') && level !== '+')) throw violation(reason.malformedPacket, 'wildcard in a level')
  })
  if (!withinLimits(filter, limits)) return undefined
  return { path, shareGroup, wildcard: /[+#]/.test(path) }
}

/** The part of a topic before its first slash. */
export function firstLevel(topic: string): string {
  const slash = topic.indexOf('/')
  return slash < 0 ? topic : topic.slice(0, slash)
}
