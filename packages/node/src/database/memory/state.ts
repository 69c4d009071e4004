import { encodeEffectBody } from '@w3bstream/protocol'
import type { BatchRow, DefinitionRow, KvWrite, LogRow, MessageRow, OutboxRow } from '../database.ts'

export type StoredBatch = Omit<BatchRow, 'messages' | 'logs' | 'effects' | 'idempotency'> & { certificate: Uint8Array }
export type StoredMessage = MessageRow & { height: bigint }
export type StoredLog = LogRow & { height: bigint; row: number }
export type OutboxChange = Partial<Pick<OutboxRow, 'state' | 'local' | 'detail' | 'attempts'>>
export type KvRow = KvWrite & { readonly value: Uint8Array }

/** What is committed of a project, in the order of its history. */
export interface MemoryState {
  readonly batches: StoredBatch[]
  readonly messages: StoredMessage[]
  readonly logs: StoredLog[]
  outbox: readonly OutboxRow[]
  readonly kv: Map<string, KvRow>
  definition: readonly DefinitionRow[]
  /** Place of the message that carried a key, by the key's hexadecimal digits. */
  readonly idempotency: Map<string, { height: bigint; index: number; timeMs: number; receipt: Uint8Array }>
}

export function emptyState(): MemoryState {
  return { batches: [], messages: [], logs: [], outbox: [], kv: new Map(), definition: [], idempotency: new Map() }
}

export function kvKey(namespace: string, key: string): string {
  return JSON.stringify([namespace, key])
}

export function hexKey(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function changeOutbox(outbox: readonly OutboxRow[], id: Uint8Array, change: OutboxChange): readonly OutboxRow[] {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const wanted = hexKey(id)
  return outbox.map((row) => (hexKey(row.id) === wanted ? { ...row, ...given, updatedMs: Date.now() } : row))
}

/** Adds a batch; bytes are copied, because callers write the next batch into the same buffers. */
export function appendBatch(state: MemoryState, batch: BatchRow): void {
  const { messages, logs, effects, idempotency, forgetKeysBeforeMs = 0, ...rest } = batch
  const { height, timeMs } = batch
  state.batches.push({ ...copyBytes(rest), certificate: new Uint8Array() })
  state.messages.push(...messages.map((message) => ({ ...copyBytes(message), height })))
  const firstRow = Number(height) * 2 ** 20
  state.logs.push(...logs.map((log) => ({ ...log, height, row: firstRow + log.index })))
  const added = effects.map(
    ({ effect, local }): OutboxRow => ({
      height,
      index: effect.index,
      messageIndex: effect.messageIndex,
      id: effect.id.slice(),
      kind: effect.body.kind,
      body: encodeEffectBody(effect.body),
      local,
      state: 'INIT',
      attempts: 0,
      detail: '',
      updatedMs: timeMs,
    }),
  )
  state.outbox = [...state.outbox, ...added]
  for (const { key, index } of idempotency) {
    const receipt = messages.find((message) => message.index === index)?.receipt.slice() ?? new Uint8Array()
    state.idempotency.set(hexKey(key), { height, index, timeMs, receipt })
  }
  for (const [key, place] of state.idempotency) if (place.timeMs < forgetKeysBeforeMs) state.idempotency.delete(key)
}

function copyBytes<T extends object>(row: T): T {
  const copied = Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? value.slice() : value])
  return Object.fromEntries(copied) as T
}
