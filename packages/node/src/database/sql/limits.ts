import type { SqlLimits } from '../database.ts'

/** What one statement may take; all are checked before the statement runs. */
export const statementLimits = {
  /** Characters. Parsing costs up to 100 µs per character, so that this is some 2 s at worst. */
  length: 16 * 1024,
  /** As many as an INSERT of 250 rows of four columns takes. */
  params: 1000,
  /** Parentheses within parentheses. */
  nesting: 64,
  /** Levels of the parsed statement; a chain of n operators has n. The same everywhere, unlike the size of a stack. */
  depth: 400,
  /** Bytes of a name, as in PostgreSQL. */
  nameBytes: 63,
  /** Columns of a table or result. */
  columns: 500,
  /** Bytes of a value, and of a row of a table. */
  valueBytes: 4 * 1024 * 1024,
  /** Bytes of the pattern of LIKE, and of what `replace` and `strpos` look for: their time grows with its length. */
  patternBytes: 256,
}

export const defaultSqlLimits: SqlLimits = { rows: 10_000, bytes: 4 * 1024 * 1024 }
