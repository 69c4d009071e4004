import Pbf from 'pbf'
import { ProtocolError } from './error.ts'

/**
 * The protobuf form of an event (proto3, package `eventpb`), which devices publish over MQTT:
 * `Event { Header header = 1; bytes payload = 2 }`,
 * `Header { string event_type = 1; string pub_id = 2; string token = 3; int64 pub_time = 4; string event_id = 5 }`.
 * Absent fields are empty, as proto3 says.
 */
export interface EventPb {
  readonly eventType: string
  /** Not used: the publisher is known by its token. */
  readonly pubId: string
  readonly token: string
  /** The sender's clock, usually milliseconds; 0 when absent. */
  readonly pubTime: number
  readonly eventId: string
  readonly payload: Uint8Array
}

type Draft = { -readonly [K in keyof EventPb]: EventPb[K] }

const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const empty = new Uint8Array(0)
const wireType = { varint: 0, bytes: 2 } as const

/** An event in protobuf; empty fields are left out. */
export function encodeEvent(event: Partial<EventPb>): Uint8Array {
  const pbf = new Pbf()
  pbf.writeMessage(1, writeHeader, event)
  if (event.payload !== undefined && event.payload.length > 0) pbf.writeBytesField(2, event.payload)
  return pbf.finish()
}

function writeHeader(event: Partial<EventPb>, pbf: Pbf): void {
  writeText(pbf, 1, event.eventType)
  writeText(pbf, 2, event.pubId)
  writeText(pbf, 3, event.token)
  if (event.pubTime) pbf.writeVarintField(4, event.pubTime)
  writeText(pbf, 5, event.eventId)
}

/** The library's own text writer mangles characters beyond U+1FFFF. */
function writeText(pbf: Pbf, field: number, text: string | undefined): void {
  if (text) pbf.writeBytesField(field, utf8.encode(text))
}

/**
 * Reads an event; unknown fields are skipped, and of a repeated field the last one counts. The payload is a view.
 * @throws ProtocolError CODEC_TRUNCATED, CODEC_VALUE (wrong wire type, text that is not UTF-8, broken number)
 */
export function decodeEvent(bytes: Uint8Array): EventPb {
  const draft: Draft = { eventType: '', pubId: '', token: '', pubTime: 0, eventId: '', payload: empty }
  readMessage(bytes, (field, pbf) => {
    if (field === 1) readHeader(readBytes(pbf, 'header'), draft)
    else if (field === 2) draft.payload = readBytes(pbf, 'payload')
  })
  return draft
}

function readHeader(bytes: Uint8Array, draft: Draft): void {
  readMessage(bytes, (field, pbf) => {
    if (field === 1) draft.eventType = readText(pbf, 'event_type')
    else if (field === 2) draft.pubId = readText(pbf, 'pub_id')
    else if (field === 3) draft.token = readText(pbf, 'token')
    else if (field === 4) draft.pubTime = readTime(pbf)
    else if (field === 5) draft.eventId = readText(pbf, 'event_id')
  })
}

/** Reads field after field; the library itself does not notice that it ran beyond the end. */
function readMessage(bytes: Uint8Array, read: (field: number, pbf: Pbf) => void): void {
  const pbf = new Pbf(bytes)
  while (pbf.pos < bytes.length) {
    try {
      const tag = pbf.readVarint()
      const before = pbf.pos
      pbf.type = tag & 7
      if (tag >> 3 === 0) throw wrong('field number', '0', 'at least 1')
      read(tag >> 3, pbf)
      if (pbf.pos === before) pbf.skip(tag)
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause
      throw new ProtocolError(
        { code: 'CODEC_VALUE', field: 'protobuf', value: `at ${pbf.pos}`, wanted: 'a field' },
        { cause },
      )
    }
    if (pbf.pos > bytes.length) truncated(pbf, bytes.length)
  }
}

function readBytes(pbf: Pbf, field: string): Uint8Array {
  if (pbf.type !== wireType.bytes) throw wrong(field, `wire type ${pbf.type}`, 'wire type 2')
  const bytes = pbf.readBytes()
  if (pbf.pos > pbf.length) truncated(pbf, pbf.length)
  return bytes
}

function readText(pbf: Pbf, field: string): string {
  const bytes = readBytes(pbf, field)
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    throw new ProtocolError({ code: 'CODEC_VALUE', field, value: 'bytes', wanted: 'UTF-8' }, { cause })
  }
}

function readTime(pbf: Pbf): number {
  if (pbf.type !== wireType.varint) throw wrong('pub_time', `wire type ${pbf.type}`, 'wire type 0')
  return pbf.readVarint(true)
}

function truncated(pbf: Pbf, available: number): never {
  throw new ProtocolError({ code: 'CODEC_TRUNCATED', offset: available, wanted: pbf.pos - available, available: 0 })
}

function wrong(field: string, value: string, wanted: string): ProtocolError {
  return new ProtocolError({ code: 'CODEC_VALUE', field, value, wanted })
}
