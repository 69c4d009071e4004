import { effectId, type ProjectKey } from '@w3bstream/protocol'
import type { BatchRow, Database, LogRow, MaybePromise, MessageRow, OutboxEntry, SqlParam } from './database.ts'

/** How the suites open a backend, and make it forget what is not durable. */
export interface Candidate {
  readonly name: string
  /** A backend without projects. */
  open(): MaybePromise<Database>
  /** The same store again after a stop of the process. */
  reopen(database: Database): MaybePromise<Database>
  /** Removes everything. */
  dispose(): MaybePromise<void>
}

export const project: ProjectKey = `0x${'ab'.repeat(32)}`

export function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 0xff)
}

export function messageRow(height: number, index: number, change: Partial<MessageRow> = {}): MessageRow {
  const id = bytes(32, height * 1000 + index)
  new DataView(id.buffer).setUint32(0, height)
  new DataView(id.buffer).setUint32(4, index)
  return {
    index,
    id,
    message: bytes(200, index),
    receivedMs: 1_700_000_000_000 + index,
    kind: 'data',
    publisherId: '1234567890123456789',
    eventType: 'DEFAULT',
    eventId: `event-${height}-${index}`,
    status: 'ok',
    receipt: bytes(150, index + 1),
    ...change,
  }
}

export function logRow(index: number, change: Partial<LogRow> = {}): LogRow {
  return {
    index,
    appletId: '11',
    instanceId: '22',
    source: 'wasmCode',
    level: 4,
    message: `line ${index}`,
    timeMs: 1_700_000_000_000,
    eventId: 'event',
    ...change,
  }
}

export function effectEntry(height: number, index: number, local = ''): OutboxEntry {
  const id = effectId(new Uint8Array(32), BigInt(height), index)
  return { effect: { id, index, messageIndex: 0, body: { kind: 'metric', json: `{"n":${index}}` } }, local }
}

export function batchRow(height: number, change: Partial<BatchRow> = {}): BatchRow {
  return {
    height: BigInt(height),
    header: bytes(120, height),
    hash: bytes(32, height),
    timeMs: 1_700_000_000_000 + height,
    receiptsRoot: bytes(32, height + 1),
    effectsRoot: bytes(32, height + 2),
    stateDigest: bytes(32, height + 3),
    witness: bytes(40, height),
    messages: [],
    logs: [],
    effects: [],
    idempotency: [],
    ...change,
  }
}

/** Parameters by the types of the values. */
export function params(...values: (bigint | number | string | boolean | Uint8Array | null)[]): SqlParam[] {
  return values.map((value): SqlParam => {
    if (value === null) return { type: 'null' }
    if (typeof value === 'bigint') return { type: 'int64', value }
    if (typeof value === 'number') return { type: 'float64', value }
    if (typeof value === 'string') return { type: 'string', value }
    return typeof value === 'boolean' ? { type: 'bool', value } : { type: 'bytes', value }
  })
}
