import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import type { DatabaseSchema, SqlLimits, SqlRequest, SqlResult } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { migrateSchema } from '../migrate/migrate.ts'
import { readSchema } from '../migrate/read-schema.ts'
import { Catalog } from './catalog.ts'
import { clockMicros } from './clock.ts'
import { type Compiled, compile } from './compile.ts'
import type { Raw } from './convert.ts'
import { type DefineNeeds, define, isDefinition } from './define.ts'
import { Guard } from './guard.ts'
import { defaultSqlLimits, statementLimits } from './limits.ts'
import { registerNatives } from './natives.ts'
import { bindParam, typesOfParams } from './params.ts'
import { parseStatement } from './parse.ts'
import { refuse } from './refuse.ts'
import { collect, resultColumns } from './results.ts'
import { runStatement } from './run.ts'
import { Tables } from './tables.ts'
import { Deadline } from './watch.ts'

interface Prepared extends Compiled {
  readonly statement: StatementSync
}

/** Statements kept ready; each is some kilobytes in SQLite. Reading one anew costs a few hundred microseconds. */
const cachedStatements = 256

export interface AppletSqlOptions {
  /** Another connection may change the tables: look before each statement. @default false */
  readonly shared?: boolean
}

/**
 * The SQL of applets on one connection: statements in the dialect of `docs/spec/sql.md`, checked, printed anew for SQLite and
 * held to the tables of applets. Transactions are the caller's.
 */
export class AppletSql {
  readonly #db: DatabaseSync
  readonly #catalog: Catalog
  readonly #guard: Guard
  readonly #deadline = new Deadline()
  readonly #define: DefineNeeds
  readonly #cache = new LRUCache<string, Prepared>({ max: cachedStatements })
  readonly #shared: boolean
  #schemaVersion: StatementSync | undefined
  #seenVersion = -1
  /** Tables may have changed since the transaction began. */
  #defined = true

  constructor(db: DatabaseSync, options: AppletSqlOptions = {}) {
    this.#db = db
    this.#shared = options.shared ?? false
    // SQLite's LIKE folds case unless told otherwise.
    db.exec('PRAGMA case_sensitive_like = ON; PRAGMA trusted_schema = ON')
    registerNatives(db, this.#deadline.tick)
    this.#catalog = new Catalog(db)
    this.#guard = new Guard(db)
    this.#define = {
      catalog: this.#catalog,
      tables: new Tables(db, this.#catalog),
      constant: (sql) => this.#constant(sql),
    }
  }

  /** @throws DatabaseError SQL_*; the statement then left no trace */
  execute(request: SqlRequest, limits: SqlLimits = defaultSqlLimits): SqlResult {
    checkParams(request)
    const prepared = this.#cached(request)
    if (prepared) return this.#run(prepared, request, limits)
    const node = parseStatement(request.statement)
    if (isDefinition(node)) {
      checkCount(0, request)
      this.#defined = true
      const { clockMs } = request
      this.#atomically(() => define(node, { ...this.#define, ...(clockMs !== undefined && { clockMs }) }))
      this.#cache.clear()
      return { columns: [], rows: [], changes: 0 }
    }
    return this.#run(
      this.#prepare(request, compile(node, this.#catalog, typesOfParams(request.params))),
      request,
      limits,
    )
  }

  /** @throws DatabaseError SQL_*; SQL_REFUSED for statements that write */
  query(request: SqlRequest, limits: SqlLimits = defaultSqlLimits): SqlResult {
    checkParams(request)
    if (this.#shared) this.#notice()
    let prepared = this.#cached(request)
    if (!prepared) {
      const node = parseStatement(request.statement)
      if (isDefinition(node)) refuseWrite(node.type.toUpperCase())
      prepared = this.#prepare(request, compile(node, this.#catalog, typesOfParams(request.params)))
    }
    if (!prepared.reads) refuseWrite('a statement that writes')
    return this.#run(prepared, request, limits)
  }

  /** @throws DatabaseError SCHEMA_INVALID: what no tables could be brought to */
  checkSchema(schema: DatabaseSchema): void {
    readSchema(schema, this.#define)
  }

  /** @throws DatabaseError SCHEMA_INVALID, SCHEMA_DESTRUCTIVE; nothing is changed then */
  migrate(schema: DatabaseSchema, clockMs?: number): void {
    const needs = { ...this.#define, db: this.#db, ...(clockMs !== undefined && { clockMs }) }
    this.#defined = true
    this.#atomically(() => migrateSchema(schema, needs))
    this.#cache.clear()
  }

  /** A transaction begins. Who never says so has tables looked up anew after each step back. */
  begun(): void {
    this.#defined = false
  }

  /** The transaction went back: tables that it has changed may be other than remembered. */
  rolledBack(): void {
    if (this.#defined) this.#forget()
  }

  #forget(): void {
    this.#catalog.reset()
    this.#cache.clear()
  }

  #cached(request: SqlRequest): Prepared | undefined {
    return this.#cache.get(keyOf(request))
  }

  #prepare(request: SqlRequest, compiled: Compiled): Prepared {
    checkCount(compiled.params, request)
    const statement = runStatement(() => this.#guard.restricted(() => this.#db.prepare(compiled.sql)))
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const prepared = { ...compiled, statement }
    this.#cache.set(keyOf(request), prepared)
    return prepared
  }

  #run(prepared: Prepared, request: SqlRequest, limits: SqlLimits): SqlResult {
    const { statement, columns, reads, usesClock, numbered } = prepared
    this.#deadline.begin(limits.timeMs)
    const values = request.params.map(bindParam)
    if (usesClock) values.push(clockMicros(request.clockMs))
    const guarded = <T>(run: () => T) => runStatement(() => this.#guard.restricted(run))
    if (columns.length === 0) {
      const { changes } = guarded(() => statement.run(...values))
      return { columns: [], rows: [], changes: Number(changes) }
    }
    const read = () =>
      guarded(() =>
        collect(
          statement.iterate(...values) as Iterable<readonly unknown[]> as Iterable<Raw[]>,
          columns,
          limits,
          numbered,
        ),
      )
    // A write that answers rows may exceed the limits after it has written.
    const rows = reads ? read() : this.#atomically(read)
    return { columns: resultColumns(columns), rows, changes: reads ? 0 : rows.length }
  }

  #constant(sql: string): Raw {
    const statement = runStatement(() => this.#guard.restricted(() => this.#db.prepare(`SELECT ${sql} AS value`)))
    statement.setReadBigInts(true)
    const row = runStatement(() => this.#guard.restricted(() => statement.get()))
    return (row?.value ?? null) as Raw
  }

  /** Undoes everything when it fails. */
  #atomically<T>(run: () => T): T {
    this.#db.exec('SAVEPOINT statement')
    try {
      const result = runStatement(run)
      this.#db.exec('RELEASE statement')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK TO statement; RELEASE statement')
      this.rolledBack()
      throw error
    }
  }

  #notice(): void {
    this.#schemaVersion ??= this.#db.prepare('PRAGMA schema_version')
    const { schema_version: version } = this.#schemaVersion.get() as { schema_version: number }
    if (version === this.#seenVersion) return
    this.#seenVersion = version
    this.#forget()
  }
}

/** Types decide how a statement is printed, so they are part of its name in the cache. */
function keyOf(request: SqlRequest): string {
  let key = request.statement
  for (const { type } of request.params) key += `\0${type}`
  return key
}

function checkParams({ params }: SqlRequest): void {
  if (params.length > statementLimits.params) refuse(`${params.length} parameters`, `at most ${statementLimits.params}`)
}

function checkCount(wanted: number, { params }: SqlRequest): void {
  if (wanted !== params.length) throw new DatabaseError({ code: 'SQL_PARAMETERS', wanted, given: params.length })
}

function refuseWrite(what: string): never {
  return refuse(what, 'a query: this call only reads')
}
