import { W3bstreamError } from '@w3bstream/protocol'

export type DatabaseFault =
  | { code: 'SCHEMA_NEWER'; file: string; found: number; known: number }
  | { code: 'STORE_NOT_FOUND'; project: string }
  /** Nothing was committed yet. */
  | { code: 'STORE_EMPTY'; project: string }
  /** A state goes into an empty store only. */
  | { code: 'STORE_NOT_EMPTY'; project: string; height: bigint }
  | { code: 'STORE_CORRUPT'; detail: string }
  /** What was to become a store is no state in canonical form. */
  | { code: 'STATE_INVALID'; detail: string }
  /** The file is no snapshot, or not the one that it says it is. */
  | { code: 'SNAPSHOT_INVALID'; file: string; detail: string }
  | { code: 'DISK_FULL'; detail: string }
  /** A batch was committed that does not follow the last one. */
  | { code: 'BATCH_HEIGHT'; wanted: bigint; given: bigint }
  /** The statement is outside the dialect of `docs/spec/sql.md`. */
  | { code: 'SQL_REFUSED'; what: string; wanted: string }
  | { code: 'SQL_SYNTAX'; detail: string }
  /** The statement is well-formed and failed: unknown table, constraint, type. */
  | { code: 'SQL_FAILED'; detail: string }
  | { code: 'SQL_PARAMETERS'; wanted: number; given: number }
  | { code: 'SQL_LIMIT'; what: 'rows' | 'bytes' | 'value bytes' | 'milliseconds'; limit: number }
  | { code: 'SCHEMA_INVALID'; problems: readonly string[] }
  /** The new schema would lose data. */
  | { code: 'SCHEMA_DESTRUCTIVE'; problems: readonly string[] }

export class DatabaseError extends W3bstreamError<DatabaseFault> {}
