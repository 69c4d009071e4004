import type { SqlLimits } from '../database.ts'

/** What one statement may take; all are checked before the statement runs. */
export const statementLimits = {
  /** Characters. Parsing costs some microseconds per character. */
  length: 64 * 1024,
  /** As many as a multi-row INSERT of 250 rows of four columns takes. */
  params: 1000,
  /** Parentheses within parentheses. */
  nesting: 64,
  /** Bytes of a name, as in PostgreSQL. */
  nameBytes: 63,
  /** Columns of a table or result. */
  columns: 500,
}

export const defaultSqlLimits: SqlLimits = { rows: 10_000, bytes: 4 * 1024 * 1024 }
