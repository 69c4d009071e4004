import { ProtocolError, Reader, Writer } from '@w3bstream/protocol'
import type { StateEntry, StateValue } from '../database.ts'

/** Bytes of one entry: more than any row or value that the limits of projects and statements allow. */
export const maxEntryBytes = 1024 * 1024 * 1024

const tags = { tip: 0, definition: 1, kv: 2, table: 3, row: 4, idempotency: 5 } as const
const valueTags = { null: 0, integer: 1, real: 2, text: 3, bytes: 4 } as const

/** Writes an entry as `docs/spec/snapshot.md` says, its length before it. */
export function writeEntry(writer: Writer, entry: StateEntry): void {
  const body = scratch.clear().u8(tags[entry.type])
  writeBody(body, entry)
  writer.bytes(body.view())
}

/** Used for the body, whose length stands before it. */
const scratch = new Writer(4096)

function writeBody(writer: Writer, entry: StateEntry): void {
  switch (entry.type) {
    case 'tip': {
      const { height, timeMs, header, hash, receiptsRoot, effectsRoot, stateDigest } = entry.batch
      writer.u64(height).uint(timeMs).bytes(header).raw(hash).raw(receiptsRoot).raw(effectsRoot).raw(stateDigest)
      return
    }
    case 'definition':
      writer.text(entry.row.kind).text(entry.row.id).text(entry.row.value)
      return
    case 'kv':
      writer.text(entry.namespace).text(entry.key).bytes(entry.value)
      return
    case 'table':
      writer.text(entry.definition).u64(BigInt.asUintN(64, entry.lastNumber))
      return
    case 'row':
      writer.uint(entry.values.length)
      for (const value of entry.values) writeValue(writer, value)
      return
    case 'idempotency':
      writer.raw(entry.key).u64(entry.height).uint(entry.index).uint(entry.timeMs).bytes(entry.receipt)
  }
}

function writeValue(writer: Writer, value: StateValue): void {
  if (value === null) writer.u8(valueTags.null)
  else if (typeof value === 'bigint') writer.u8(valueTags.integer).u64(BigInt.asUintN(64, value))
  else if (typeof value === 'number') writer.u8(valueTags.real).raw(doubleBytes(value))
  else if (typeof value === 'string') writer.u8(valueTags.text).text(value)
  else writer.u8(valueTags.bytes).bytes(value)
}

/** @throws ProtocolError on anything but one canonical entry */
export function decodeEntry(body: Uint8Array): StateEntry {
  const reader = new Reader(body)
  const entry = readBody(reader, reader.u8())
  reader.end()
  return entry
}

function readBody(reader: Reader, tag: number): StateEntry {
  switch (tag) {
    case tags.tip:
      return {
        type: 'tip',
        batch: {
          height: reader.u64(),
          timeMs: reader.uint(),
          header: reader.bytes('header', maxEntryBytes),
          hash: reader.raw(32),
          receiptsRoot: reader.raw(32),
          effectsRoot: reader.raw(32),
          stateDigest: reader.raw(32),
        },
      }
    case tags.definition:
      return {
        type: 'definition',
        row: { kind: text(reader, 'kind'), id: text(reader, 'id'), value: text(reader, 'value') },
      }
    case tags.kv:
      return {
        type: 'kv',
        namespace: text(reader, 'namespace'),
        key: text(reader, 'key'),
        value: reader.bytes('value', maxEntryBytes),
      }
    case tags.table:
      return { type: 'table', definition: text(reader, 'table'), lastNumber: BigInt.asIntN(64, reader.u64()) }
    case tags.row:
      return { type: 'row', values: Array.from({ length: columnCount(reader) }, () => readValue(reader)) }
    case tags.idempotency:
      return {
        type: 'idempotency',
        key: reader.raw(32),
        height: reader.u64(),
        index: reader.uint(),
        timeMs: reader.uint(),
        receipt: reader.bytes('receipt', maxEntryBytes),
      }
    default:
      return unknown('entry', tag, '0 … 5')
  }
}

function readValue(reader: Reader): StateValue {
  const tag = reader.u8()
  switch (tag) {
    case valueTags.null:
      return null
    case valueTags.integer:
      return BigInt.asIntN(64, reader.u64())
    case valueTags.real: {
      const bytes = reader.raw(8)
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0)
    }
    case valueTags.text:
      return text(reader, 'text')
    case valueTags.bytes:
      return reader.bytes('bytes', maxEntryBytes)
    default:
      return unknown('value', tag, '0 … 4')
  }
}

function text(reader: Reader, field: string): string {
  return reader.text(field, maxEntryBytes)
}

function columnCount(reader: Reader): number {
  const count = reader.uint()
  // SQLite's own limit of columns, above that of the dialect.
  if (count > 2000) throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'columns', size: count, limit: 2000 })
  return count
}

function doubleBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return bytes
}

function unknown(field: string, tag: number, wanted: string): never {
  throw new ProtocolError({ code: 'CODEC_VALUE', field, value: `${tag}`, wanted })
}
