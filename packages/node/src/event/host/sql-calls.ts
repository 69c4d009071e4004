import type { Writer } from '@w3bstream/protocol'
import type {
  MaybePromise,
  ProjectTransaction,
  SqlLimits,
  SqlRequest,
  SqlResult,
  SqlValue,
} from '../../database/database.ts'
import { DatabaseError } from '../../database/errors.ts'
import { HostFault } from '../../engine/engine.ts'
import { digestTags } from '../write-set.ts'
import type { HeldBytes } from './held-bytes.ts'

/** The SQL statements of calls. The first one of a call that may write marks where the transaction goes back to. */
export class SqlCalls {
  readonly #transaction: ProjectTransaction
  readonly #held: HeldBytes
  #writes: { request: SqlRequest; result: SqlResult }[] = []
  #savepoint = false

  constructor(needs: { transaction: ProjectTransaction; held: HeldBytes }) {
    this.#transaction = needs.transaction
    this.#held = needs.held
  }

  /** Whether the call has written nothing, so that neither {@link keep} nor {@link drop} has anything to do. */
  get untouched(): boolean {
    return !this.#savepoint
  }

  /** @throws HostFault Sql, Limit; DatabaseError of the storage */
  execute(request: SqlRequest, limits: SqlLimits): MaybePromise<SqlResult> {
    this.#held.hold(
      sizeOf([request.statement, ...request.params.map((param) => (param.type === 'null' ? '' : param.value))]),
    )
    const run = () => this.#transaction.sqlExecute(request, limits)
    const done = (result: SqlResult) => {
      this.#writes.push({ request, result })
      this.#held.add(sizeOf(result.rows.flat()))
      return result
    }
    if (this.#savepoint) return sqlFault(run, done)
    this.#savepoint = true
    const mark = this.#transaction.savepoint()
    return mark instanceof Promise ? mark.then(() => sqlFault(run, done)) : sqlFault(run, done)
  }

  /** @throws HostFault Sql, Limit; DatabaseError of the storage */
  query(request: SqlRequest, limits: SqlLimits): MaybePromise<SqlResult> {
    return sqlFault(
      () => this.#transaction.sqlQuery(request, limits),
      (result) => result,
    )
  }

  /** The call succeeded: what it wrote enters the digest. */
  async keep(digest: Writer): Promise<void> {
    for (const { request, result } of this.#writes) writeSqlDigest(digest, request, result)
    if (this.#savepoint) await this.#transaction.releaseSavepoint()
    this.#clear()
  }

  /** The call failed: nothing of it stays. */
  async drop(): Promise<void> {
    if (this.#savepoint) await this.#transaction.rollbackToSavepoint()
    this.#clear()
  }

  #clear(): void {
    this.#writes = []
    this.#savepoint = false
  }
}

function sqlFault<T>(run: () => MaybePromise<T>, done: (result: T) => T): MaybePromise<T> {
  try {
    const result = run()
    return result instanceof Promise
      ? result.then(done, (error: unknown) => Promise.reject(toFault(error)))
      : done(result)
  } catch (error) {
    throw toFault(error)
  }
}

/** Faults of the statement are the guest's; those of the disk are the node's and end the batch. */
function toFault(error: unknown): unknown {
  if (error instanceof DatabaseError && error.code.startsWith('SQL_'))
    return new HostFault('Sql', error.message, {
      cause: error,
      ...(error.code === 'SQL_LIMIT' && { limit: 'SQL_LIMIT' }),
    })
  return error
}

/** Near enough for a bound. */
function sizeOf(values: readonly (SqlValue | undefined)[]): number {
  let size = 0
  for (const value of values) size += typeof value === 'string' || value instanceof Uint8Array ? value.length + 16 : 16
  return size
}

function writeSqlDigest(digest: Writer, { statement, params }: SqlRequest, result: SqlResult): void {
  digest.u8(digestTags.sql).text(statement).uint(params.length)
  for (const param of params) digest.text(param.type).text(plain(param.type === 'null' ? null : param.value))
  digest.uint(result.changes).uint(result.rows.length)
  for (const row of result.rows) for (const value of row) digest.text(plain(value))
}

function plain(value: unknown): string {
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value} ${String(value)}`
}
