/**
 * What a node must keep. Each project has one store of its own, owned by the one executor that runs the project; the node
 * has one {@link ControlStore} (`control.ts`) for accounts and the registry of projects. Nothing is committed across stores.
 *
 * A {@link ProjectStore} promises: a transaction is on disk, whole, when `commit` returns, or leaves no trace; bytes come
 * back exactly; order of the rows is the order of the history. Embedded backends answer at once, others with promises;
 * callers await both. Which one it is, `synchronous` says, so that the engine knows whether a guest may be suspended.
 */
import type { Effect, ProjectKey, Sfid } from '@w3bstream/protocol'

export type MaybePromise<T> = T | Promise<T>

/** A value bound to a statement of an applet, with the type the applet named. */
export type SqlParam =
  | { type: 'int32' | 'int64'; value: bigint }
  | { type: 'float32' | 'float64'; value: number }
  | { type: 'string'; value: string }
  | { type: 'bool'; value: boolean }
  | { type: 'bytes'; value: Uint8Array }
  /** RFC 3339. */
  | { type: 'time'; value: string }
  | { type: 'null' }

/** A statement in the dialect of `docs/spec/sql.md`; parameters are `?` or `$n`. */
export interface SqlRequest {
  readonly statement: string
  readonly params: readonly SqlParam[]
  /** What `now()` is, milliseconds: the clock of the batch. @default none, and such a statement fails */
  readonly clockMs?: number
}

/** Types that results carry, which decide their JSON form. */
export type SqlType =
  | 'integer'
  | 'bigint'
  | 'real'
  | 'text'
  | 'boolean'
  | 'timestamp'
  | 'numeric'
  | 'bytes'
  | 'json'
  | 'null'
export type SqlValue = null | bigint | number | string | boolean | Uint8Array

export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[]
  readonly rows: readonly (readonly SqlValue[])[]
  readonly changes: number
}

/** What the result of one statement may take. */
export interface SqlLimits {
  /** @default 10_000 */
  readonly rows: number
  /** Bytes of all values together. @default 4 MiB */
  readonly bytes: number
  /** How long a statement may run that is no part of a batch, milliseconds. @default without end */
  readonly timeMs?: number
}

/** Where a store stands. */
export interface ProjectTip {
  /** Number of batches committed. */
  readonly height: bigint
  /** Hash of the last batch; 32 zeros before the first. */
  readonly batchHash: Uint8Array
  /** The running digest over all logical writes; 32 zeros before the first. */
  readonly stateDigest: Uint8Array
  readonly timeMs: number
}

/** A message of a batch with what became of it. */
export interface MessageRow {
  readonly index: number
  readonly id: Uint8Array
  /** Canonical bytes (`protocol/message.ts`). */
  readonly message: Uint8Array
  readonly receivedMs: number
  readonly kind: string
  readonly publisherId: Sfid | ''
  readonly eventType: string
  readonly eventId: string
  /** `ok`, `failed`, `unrouted`, `duplicate`, `refused`, `applied` (config, answer). */
  readonly status: string
  /** Canonical bytes (`protocol/receipt.ts`). */
  readonly receipt: Uint8Array
}

export interface LogRow {
  /** Number of the line in its batch. */
  readonly index: number
  readonly appletId: Sfid
  readonly instanceId: Sfid
  readonly source: string
  readonly level: number
  readonly message: string
  readonly timeMs: number
  readonly eventId: string
}

/** All that a batch writes besides the applets' own state. */
export interface BatchRow {
  readonly height: bigint
  /** Canonical header. */
  readonly header: Uint8Array
  readonly hash: Uint8Array
  readonly timeMs: number
  readonly receiptsRoot: Uint8Array
  readonly effectsRoot: Uint8Array
  readonly stateDigest: Uint8Array
  /** Recorded answers from outside, in the order they were asked. */
  readonly witness: Uint8Array
  readonly messages: readonly MessageRow[]
  readonly logs: readonly LogRow[]
  readonly effects: readonly OutboxEntry[]
  /** Keys of retries to remember, with the index of the message that carried them. */
  readonly idempotency: readonly { readonly key: Uint8Array; readonly index: number }[]
  /** Keys of batches before this time are forgotten. @default none */
  readonly forgetKeysBeforeMs?: number
}

/** An effect with what only this member knows of it. */
export interface OutboxEntry {
  readonly effect: Effect
  /** Signed transaction, its hash, the account's nonce: JSON of `chain/outbox.ts`; empty for other kinds. */
  readonly local: string
}

export type EffectState = 'INIT' | 'PENDING' | 'IN_BLOCK' | 'CONFIRMED' | 'FAILED'

export interface OutboxRow {
  readonly height: bigint
  readonly index: number
  readonly messageIndex: number
  readonly id: Uint8Array
  readonly kind: string
  /** Canonical bytes of the body. */
  readonly body: Uint8Array
  readonly local: string
  readonly state: EffectState
  readonly attempts: number
  readonly detail: string
  readonly updatedMs: number
}

/** Part of an outbox. */
export interface OutboxRange {
  /** From this place on. */
  readonly from?: { readonly height: bigint; readonly index: number }
  /** Effects at most. */
  readonly limit?: number
}

/** One entry of a project's definition (`project/definition.ts`): settings, applets, strategies, publishers, … */
export interface DefinitionRow {
  readonly kind: string
  readonly id: string
  /** JSON. */
  readonly value: string
}

/** A key with its value; null removes the key. */
export interface KvWrite {
  readonly namespace: string
  readonly key: string
  readonly value: Uint8Array | null
}

export interface KvRange {
  /** Keys that begin so. @default '' */
  readonly prefix?: string
  /** Keys behind this one only. */
  readonly after?: string
  /** Entries at most. */
  readonly limit: number
}

export interface KvItem {
  readonly key: string
  readonly value: Uint8Array
}

/** The open transaction of a batch. */
export interface ProjectTransaction {
  kvGet(namespace: string, key: string): MaybePromise<Uint8Array | undefined>
  /** Entries of one key are applied in their order. */
  kvPut(entries: readonly KvWrite[]): MaybePromise<void>
  /** In the order of the keys' UTF-8 bytes. */
  kvList(namespace: string, range: KvRange): MaybePromise<readonly KvItem[]>
  /** @throws DatabaseError SQL_* */
  sqlExecute(request: SqlRequest, limits?: SqlLimits): MaybePromise<SqlResult>
  /** Reads only. @throws DatabaseError SQL_* */
  sqlQuery(request: SqlRequest, limits?: SqlLimits): MaybePromise<SqlResult>
  /** Marks a point to return to; marks nest. */
  savepoint(): MaybePromise<void>
  /** Undoes what was written since the innermost mark, and removes the mark. */
  rollbackToSavepoint(): MaybePromise<void>
  /** Keeps what was written since the innermost mark, and removes the mark. */
  releaseSavepoint(): MaybePromise<void>
  definitionPut(row: DefinitionRow): MaybePromise<void>
  definitionDelete(kind: string, id: string): MaybePromise<void>
  /**
   * Brings the applets' tables to this schema.
   * @param clockMs what `now()` is in defaults for rows that are there
   * @throws DatabaseError SCHEMA_DESTRUCTIVE, SCHEMA_INVALID
   */
  migrate(schema: DatabaseSchema, clockMs?: number): MaybePromise<void>
  /** The message that carried this key, if it is remembered. */
  findIdempotent(
    key: Uint8Array,
  ): MaybePromise<{ height: bigint; index: number; timeMs: number; receipt: Uint8Array } | undefined>
  outboxUpdate(
    id: Uint8Array,
    change: Partial<Pick<OutboxRow, 'state' | 'local' | 'detail' | 'attempts'>>,
  ): MaybePromise<void>
  /** Writes the batch and makes everything durable. Nothing of the transaction can be used afterwards. */
  commit(batch: BatchRow): MaybePromise<void>
  rollback(): MaybePromise<void>
}

export interface ProjectStore extends ProjectReader {
  readonly synchronous: boolean
  begin(): MaybePromise<ProjectTransaction>
  /** Local knowledge about effects and certificates, outside the project's history; durable at the next commit or at most 100 ms later. */
  outboxUpdate(
    changes: readonly ({ id: Uint8Array } & Partial<Pick<OutboxRow, 'state' | 'local' | 'detail' | 'attempts'>>)[],
  ): MaybePromise<void>
  /** Forgets the log lines of an instance. */
  removeLogs(instanceId: Sfid): MaybePromise<void>
  putCertificates(certificates: readonly { height: bigint; certificate: Uint8Array }[]): MaybePromise<void>
}

export interface Page {
  /** @default 10; −1 for all */
  readonly size?: number
  /** @default 0 */
  readonly offset?: number
}

export interface Paged<T> {
  readonly data: readonly T[]
  readonly total: number
}

/** Reading, by the owner of the store or by others while it works; sees committed batches only. */
export interface ProjectReader {
  tip(): MaybePromise<ProjectTip>
  definition(kind?: string): MaybePromise<readonly DefinitionRow[]>
  definitionGet(kind: string, id: string): MaybePromise<DefinitionRow | undefined>
  batch(
    height: bigint,
  ): MaybePromise<
    (Omit<BatchRow, 'messages' | 'logs' | 'effects' | 'idempotency'> & { certificate: Uint8Array }) | undefined
  >
  messages(height: bigint): MaybePromise<readonly MessageRow[]>
  messageById(id: Uint8Array): MaybePromise<(MessageRow & { height: bigint }) | undefined>
  /** Newest first. */
  listMessages(
    filter: { publisherId?: Sfid; eventType?: string; eventId?: string; status?: string; kind?: string } & Page,
  ): MaybePromise<Paged<MessageRow & { height: bigint }>>
  /** Height of the first batch of that time or later; the one behind the tip when there is none. */
  heightSince(timeMs: number): MaybePromise<bigint>
  /**
   * Events (messages with a type that are no changes of the configuration) of at most `batches` batches from a height on, by
   * device; those that no device sent under `''`.
   */
  countEvents(from: bigint, batches: number): MaybePromise<ReadonlyMap<Sfid | '', number>>
  /** Newest first; `after` streams those that came later than a row number, oldest first. */
  listLogs(
    filter: { instanceId?: Sfid; appletId?: Sfid; eventId?: string; level?: number; after?: number } & Page,
  ): MaybePromise<Paged<LogRow & { height: bigint; row: number }>>
  /** By namespace and key, in the order of their UTF-8 bytes. */
  listKv(
    filter: { namespace?: string; prefix?: string } & Page,
  ): MaybePromise<Paged<{ namespace: string; key: string; value: Uint8Array }>>
  /** Effects that are not settled, in the order of the history. */
  outboxPending(range?: OutboxRange): MaybePromise<readonly OutboxRow[]>
  outbox(filter: { state?: EffectState; kind?: string; height?: bigint } & Page): MaybePromise<Paged<OutboxRow>>
  /** Reads only, in the dialect of applets. @throws DatabaseError SQL_* */
  query(request: SqlRequest, limits: SqlLimits): MaybePromise<SqlResult>
  close(): MaybePromise<void>
}

/** The tables of a project, as its configuration states them (`PROJECT_DATABASE`). Spelling as published. */
export interface DatabaseSchema {
  readonly dialect?: 'POSTGRES'
  readonly schemas?: readonly {
    /** @default 'public' */
    readonly schema?: string
    readonly tables: readonly TableSchema[]
  }[]
}

export interface TableSchema {
  readonly name: string
  readonly desc?: string
  readonly cols: readonly {
    readonly name: string
    readonly constrains: {
      readonly datatype: string
      readonly length?: number
      readonly decimal?: number
      readonly default?: string | null
      readonly null?: boolean
      readonly autoincrement?: boolean
      readonly desc?: string
    }
  }[]
  readonly keys?: readonly {
    readonly name?: string
    readonly method?: string
    readonly isUnique?: boolean
    readonly columnNames: readonly string[]
    readonly expr?: string
  }[]
}

/** A value of an applets' table as it is kept: numbers of either kind, text, bytes. */
export type StateValue = null | bigint | number | string | Uint8Array

/**
 * A piece of what further execution depends on. `docs/spec/snapshot.md` says what each is and in which order they come: the
 * same state gives the same pieces, whatever the backend and whatever happened to its files.
 */
export type StateEntry =
  | {
      readonly type: 'tip'
      readonly batch: Pick<
        BatchRow,
        'height' | 'header' | 'hash' | 'timeMs' | 'receiptsRoot' | 'effectsRoot' | 'stateDigest'
      >
    }
  | { readonly type: 'definition'; readonly row: DefinitionRow }
  | { readonly type: 'kv'; readonly namespace: string; readonly key: string; readonly value: Uint8Array }
  /** A table of the applets: its declaration as JSON, and the last number that its serial column gave. */
  | { readonly type: 'table'; readonly definition: string; readonly lastNumber: bigint }
  /** A row of the table before it. */
  | { readonly type: 'row'; readonly values: readonly StateValue[] }
  /** A key of retries that is remembered. */
  | {
      readonly type: 'idempotency'
      readonly key: Uint8Array
      readonly height: bigint
      readonly index: number
      readonly timeMs: number
      readonly receipt: Uint8Array
    }

/** The state at one height, whatever the writer does meanwhile. */
export interface StateExport {
  readonly tip: ProjectTip
  /** May be gone through once. */
  readonly entries: Iterable<StateEntry> | AsyncIterable<StateEntry>
  close(): MaybePromise<void>
}

/** Opens stores of one kind. The node's options name the kind; `index.ts` has the table. */
export interface Database {
  readonly kind: string
  /** The writer's store. At most one is open per project. */
  openProject(project: ProjectKey): MaybePromise<ProjectStore>
  /** A reader beside the writer. @throws DatabaseError STORE_NOT_FOUND */
  openReader(project: ProjectKey): MaybePromise<ProjectReader>
  /** The last committed state, beside the writer. @throws DatabaseError STORE_NOT_FOUND, STORE_EMPTY */
  exportState(project: ProjectKey): MaybePromise<StateExport>
  /**
   * Makes a project's store of a state; all or nothing. The next batch is the one behind the state's height.
   * @throws DatabaseError STORE_NOT_EMPTY, STATE_INVALID
   */
  importState(project: ProjectKey, entries: Iterable<StateEntry> | AsyncIterable<StateEntry>): Promise<void>
  /** Removes everything of a project. */
  dropProject(project: ProjectKey): MaybePromise<void>
}
