import type {
  BatchRow,
  DatabaseSchema,
  DefinitionRow,
  KvItem,
  KvRange,
  KvWrite,
  ProjectTransaction,
  SqlLimits,
  SqlRequest,
  SqlResult,
} from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { compareText } from '../key-order.ts'
import { Savepoints } from '../sql/savepoints.ts'
import type { MemoryProject } from './project.ts'
import { appendBatch, changeOutbox, hexKey, type KvRow, kvKey, type OutboxChange } from './state.ts'

/** Writes that are not committed. Marks keep copies of it. */
interface Draft {
  readonly kv: Map<string, KvWrite>
  definition: readonly DefinitionRow[]
  outbox: readonly { id: Uint8Array; change: OutboxChange }[]
}

/** The open transaction of a batch. Every answer is a promise, as a backend across a network has it. */
export class MemoryTransaction implements ProjectTransaction {
  readonly #project: MemoryProject
  readonly #savepoints: Savepoints
  readonly #marks: Draft[] = []
  #draft: Draft
  #over: Error | undefined

  constructor(project: MemoryProject) {
    this.#project = project
    this.#savepoints = new Savepoints(project.db)
    this.#draft = { kv: new Map(), definition: project.state.definition, outbox: [] }
    project.exec('BEGIN')
  }

  async kvGet(namespace: string, key: string): Promise<Uint8Array | undefined> {
    this.#check()
    const name = kvKey(namespace, key)
    return (this.#draft.kv.get(name) ?? this.#project.state.kv.get(name))?.value?.slice()
  }

  async kvPut(entries: readonly KvWrite[]): Promise<void> {
    this.#check()
    for (const { namespace, key, value } of entries)
      this.#draft.kv.set(kvKey(namespace, key), { namespace, key, value: value === null ? null : value.slice() })
  }

  async kvList(namespace: string, { prefix = '', after, limit }: KvRange): Promise<KvItem[]> {
    this.#check()
    return [...new Map<string, KvWrite>([...this.#project.state.kv, ...this.#draft.kv]).values()]
      .filter((row): row is KvRow => row.namespace === namespace && row.value !== null && row.key.startsWith(prefix))
      .filter(({ key }) => after === undefined || compareText(key, after) > 0)
      .sort((a, b) => compareText(a.key, b.key))
      .slice(0, limit)
      .map(({ key, value }) => ({ key, value: value.slice() }))
  }

  async sqlExecute(request: SqlRequest, limits?: SqlLimits): Promise<SqlResult> {
    this.#check()
    this.#project.keepCommitted()
    return this.#project.sql.execute(request, limits)
  }

  async sqlQuery(request: SqlRequest, limits?: SqlLimits): Promise<SqlResult> {
    this.#check()
    return this.#project.sql.query(request, limits)
  }

  async savepoint(): Promise<void> {
    this.#check()
    this.#project.keepCommitted()
    this.#savepoints.mark()
    this.#savepoints.materialise()
    this.#marks.push({ ...this.#draft, kv: new Map(this.#draft.kv) })
  }

  async rollbackToSavepoint(): Promise<void> {
    this.#check()
    this.#savepoints.rollback()
    this.#project.sql.rolledBack()
    this.#draft = this.#marks.pop()!
  }

  async releaseSavepoint(): Promise<void> {
    this.#check()
    this.#savepoints.release()
    this.#marks.pop()
  }

  async definitionPut({ kind, id, value }: DefinitionRow): Promise<void> {
    this.#check()
    const rows = this.#draft.definition
    const at = rows.findIndex((row) => row.kind === kind && row.id === id)
    this.#draft.definition = at < 0 ? [...rows, { kind, id, value }] : rows.with(at, { kind, id, value })
  }

  async definitionDelete(kind: string, id: string): Promise<void> {
    this.#check()
    this.#draft.definition = this.#draft.definition.filter((row) => row.kind !== kind || row.id !== id)
  }

  async migrate(schema: DatabaseSchema, clockMs?: number): Promise<void> {
    this.#check()
    this.#project.keepCommitted()
    this.#project.sql.migrate(schema, clockMs)
  }

  async findIdempotent(
    key: Uint8Array,
  ): Promise<{ height: bigint; index: number; timeMs: number; receipt: Uint8Array } | undefined> {
    this.#check()
    return this.#project.state.idempotency.get(hexKey(key))
  }

  async outboxUpdate(id: Uint8Array, change: OutboxChange): Promise<void> {
    this.#check()
    this.#draft.outbox = [...this.#draft.outbox, { id: id.slice(), change }]
  }

  async commit(batch: BatchRow): Promise<void> {
    this.#check()
    const { state } = this.#project
    const wanted = (state.batches.at(-1)?.height ?? 0n) + 1n
    if (batch.height !== wanted) throw new DatabaseError({ code: 'BATCH_HEIGHT', wanted, given: batch.height })
    this.#project.exec('COMMIT')
    for (const [name, { value, ...place }] of this.#draft.kv)
      if (value === null) state.kv.delete(name)
      else state.kv.set(name, { ...place, value })
    state.definition = this.#draft.definition
    for (const { id, change } of this.#draft.outbox) state.outbox = changeOutbox(state.outbox, id, change)
    appendBatch(state, batch)
    this.#end('committed')
  }

  async rollback(): Promise<void> {
    if (this.#over) return
    this.#project.exec('ROLLBACK')
    this.#end('rolled back')
  }

  #check(): void {
    if (this.#over) throw this.#over
  }

  #end(how: string): void {
    this.#over = new Error(`the transaction is ${how}`)
    this.#project.transaction = undefined
  }
}
