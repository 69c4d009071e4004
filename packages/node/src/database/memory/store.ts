import type { Sfid } from '@w3bstream/protocol'
import type {
  DefinitionRow,
  EffectState,
  MessageRow,
  OutboxRange,
  OutboxRow,
  Page,
  Paged,
  ProjectStore,
  ProjectTip,
  ProjectTransaction,
  SqlLimits,
  SqlRequest,
  SqlResult,
} from '../database.ts'
import { compareText } from '../key-order.ts'
import type { MemoryProject } from './project.ts'
import {
  changeOutbox,
  hexKey,
  type KvRow,
  type OutboxChange,
  type StoredBatch,
  type StoredLog,
  type StoredMessage,
} from './state.ts'
import { MemoryTransaction } from './transaction.ts'

/** A store in memory; also serves as reader, since all see the committed state. */
export class MemoryStore implements ProjectStore {
  readonly synchronous = false
  readonly #project: MemoryProject

  constructor(project: MemoryProject) {
    this.#project = project
  }

  async begin(): Promise<ProjectTransaction> {
    if (this.#project.transaction) throw new Error('a transaction of this store is open')
    this.#project.transaction = new MemoryTransaction(this.#project)
    return this.#project.transaction
  }

  async outboxUpdate(changes: readonly ({ id: Uint8Array } & OutboxChange)[]): Promise<void> {
    const { state } = this.#project
    for (const { id, ...change } of changes) state.outbox = changeOutbox(state.outbox, id, change)
  }

  async removeLogs(instanceId: Sfid): Promise<void> {
    const { state } = this.#project
    state.logs.splice(0, state.logs.length, ...state.logs.filter((row) => row.instanceId !== instanceId))
  }

  async putCertificates(certificates: readonly { height: bigint; certificate: Uint8Array }[]): Promise<void> {
    for (const { height, certificate } of certificates) {
      const batch = this.#batch(height)
      if (batch) batch.certificate = certificate.slice()
    }
  }

  async tip(): Promise<ProjectTip> {
    const last = this.#project.state.batches.at(-1)
    if (!last) return { height: 0n, batchHash: new Uint8Array(32), stateDigest: new Uint8Array(32), timeMs: 0 }
    return { height: last.height, batchHash: last.hash, stateDigest: last.stateDigest, timeMs: last.timeMs }
  }

  async definition(kind?: string): Promise<readonly DefinitionRow[]> {
    return this.#project.state.definition.filter((row) => kind === undefined || row.kind === kind)
  }

  async definitionGet(kind: string, id: string): Promise<DefinitionRow | undefined> {
    return this.#project.state.definition.find((row) => row.kind === kind && row.id === id)
  }

  async batch(height: bigint): Promise<StoredBatch | undefined> {
    const batch = this.#batch(height)
    return batch && { ...batch }
  }

  async messages(height: bigint): Promise<readonly MessageRow[]> {
    return this.#project.state.messages
      .filter((message) => message.height === height)
      .map(({ height: _, ...message }) => message)
  }

  async messageById(id: Uint8Array): Promise<StoredMessage | undefined> {
    const wanted = hexKey(id)
    return this.#project.state.messages.find((message) => hexKey(message.id) === wanted)
  }

  async listMessages(
    filter: Partial<Pick<MessageRow, 'publisherId' | 'eventType' | 'eventId' | 'status' | 'kind'>> & Page,
  ): Promise<Paged<StoredMessage>> {
    const { size, offset, ...fields } = filter
    return paged(matching(this.#project.state.messages, fields).reverse(), { size, offset })
  }

  async heightSince(timeMs: number): Promise<bigint> {
    const { batches } = this.#project.state
    const found = batches.find((batch) => batch.timeMs >= timeMs)
    return found?.height ?? (batches.at(-1)?.height ?? 0n) + 1n
  }

  async countEvents(from: bigint, batches: number): Promise<Map<Sfid | '', number>> {
    const counts = new Map<Sfid | '', number>()
    for (const { height, kind, eventType, publisherId } of this.#project.state.messages)
      if (height >= from && height < from + BigInt(batches) && eventType !== '' && kind !== 'config')
        counts.set(publisherId, (counts.get(publisherId) ?? 0) + 1)
    return counts
  }

  async listLogs(
    filter: { instanceId?: string; appletId?: string; eventId?: string; level?: number; after?: number } & Page,
  ): Promise<Paged<StoredLog>> {
    const { size, offset, after, ...fields } = filter
    const found = matching(this.#project.state.logs, fields)
    const rows = after === undefined ? found.reverse() : found.filter(({ row }) => row > after)
    return paged(rows, { size, offset })
  }

  async listKv(filter: { namespace?: string; prefix?: string } & Page): Promise<Paged<KvRow>> {
    const { namespace, prefix = '' } = filter
    const rows = [...this.#project.state.kv.values()]
      .filter((row) => (namespace === undefined || row.namespace === namespace) && row.key.startsWith(prefix))
      .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.key, b.key))
    return paged(rows, filter)
  }

  async outboxPending({ from, limit }: OutboxRange = {}): Promise<readonly OutboxRow[]> {
    const { height, index } = from ?? { height: 0n, index: 0 }
    return this.#project.state.outbox
      .filter(({ state }) => state !== 'CONFIRMED' && state !== 'FAILED')
      .filter((row) => row.height > height || (row.height === height && row.index >= index))
      .slice(0, limit)
  }

  async outbox(filter: { state?: EffectState; kind?: string; height?: bigint } & Page): Promise<Paged<OutboxRow>> {
    const { size, offset, ...fields } = filter
    return paged(matching(this.#project.state.outbox, fields).reverse(), { size, offset })
  }

  async query(request: SqlRequest, limits: SqlLimits): Promise<SqlResult> {
    const { timeMs } = await this.tip()
    return this.#project.query({ clockMs: timeMs, ...request }, limits)
  }

  async close(): Promise<void> {
    await this.#project.transaction?.rollback()
  }

  #batch(height: bigint): StoredBatch | undefined {
    return this.#project.state.batches.find((batch) => batch.height === height)
  }
}

/** A reader's end of life is no end of the writer's transaction. */
export class MemoryReader extends MemoryStore {
  override async close(): Promise<void> {}
}

/** Rows whose fields equal the given ones. */
function matching<T extends object>(rows: readonly T[], fields: Partial<T>): T[] {
  const wanted = Object.entries(fields).filter(([, value]) => value !== undefined)
  return rows.filter((row) => wanted.every(([name, value]) => row[name as keyof T] === value))
}

function paged<T>(rows: readonly T[], { size = 10, offset = 0 }: Page): Paged<T> {
  const start = Math.max(0, offset)
  return { data: rows.slice(start, size < 0 ? undefined : start + size), total: rows.length }
}
