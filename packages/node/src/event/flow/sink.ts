import type { DatabaseSchema } from '../../database/database.ts'
import type { Flow } from '../../project/flow.ts'
import { type Fields, SinkRefusal } from './fields.ts'
import { reservedTypePrefix } from './limits.ts'
import type { Report } from './problem.ts'
import { type ChainSink, readChainSink } from './sink-chain.ts'
import { readSqlSink, type SqlSink } from './sink-sql.ts'
import { fillTemplate, isConstant, readTemplate, type Template } from './template.ts'

/** Longest topic that results are published on. */
const topicBytes = 1024

/** Where results go. */
export type Sink =
  | { readonly type: 'none' }
  | SqlSink
  | ChainSink
  | { readonly type: 'mqtt'; readonly topic: Template }
  | { readonly type: 'event'; readonly eventType: string }

/** Reads the sink of a flow, whose event types `sources` are. @returns undefined after a report */
export function readSink(
  { sink }: Flow,
  context: { database: DatabaseSchema; sources: ReadonlySet<string> },
  report: Report,
): Sink | undefined {
  const info = sink?.sinkInfo
  switch (sink?.sinkType ?? '') {
    case 'RMDB':
      return readSqlSink(info?.DBInfo, context.database, report)
    case 'BLOCKCHAIN':
      return readChainSink(info?.chainBlock, report)
    case 'MQTT':
      return readMqttSink(info?.mqtt?.topic, report)
    case 'EVENT':
      return readEventSink(info?.event?.eventType, context.sources, report)
    default:
      return { type: 'none' }
  }
}

/** The topic of a result. @throws SinkRefusal when a field would change the topic's levels */
export function topicOf(topic: Template, fields: Fields): string {
  const filled = fillTemplate(topic, fields, (value, field) => {
    if (value === '' || /[+#/\0]/.test(value))
      throw new SinkRefusal(`field "${field}" is "${value.slice(0, 80)}", which is no level of a topic`)
  })
  if (Buffer.byteLength(filled) > topicBytes) throw new SinkRefusal(`the topic is longer than ${topicBytes} bytes`)
  return filled
}

function readMqttSink(text: string | undefined, report: Report): Sink | undefined {
  const path = ['sink', 'sinkInfo', 'mqtt', 'topic']
  if (!text) return void report(path, 'is missing')
  const topic = readTemplate(text)
  if ('problem' in topic) return void report(path, topic.problem)
  const wild = topic.parts.some((part) => 'text' in part && /[+#\0]/.test(part.text))
  if (wild) report(path, 'is no topic: + and # stand for many')
  if (isConstant(topic) && Buffer.byteLength(text) > topicBytes) report(path, `is longer than ${topicBytes} bytes`)
  return { type: 'mqtt', topic }
}

function readEventSink(eventType: string | undefined, sources: ReadonlySet<string>, report: Report): Sink | undefined {
  const path = ['sink', 'sinkInfo', 'event', 'eventType']
  if (!eventType) return void report(path, 'is missing')
  if (Buffer.byteLength(eventType) > 1024) report(path, 'is longer than 1024 bytes')
  if (eventType.startsWith(reservedTypePrefix))
    report(path, `types that begin with ${reservedTypePrefix} are the node's own`)
  if (sources.has(eventType))
    report(path, `"${eventType}" is a source of the flow: what a flow makes does not enter it again`)
  return { type: 'event', eventType }
}
