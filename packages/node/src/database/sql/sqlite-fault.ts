import { DatabaseError } from '../errors.ts'

/** An error of `node:sqlite`, with SQLite's extended result code. */
interface SqliteFailure extends Error {
  readonly errcode: number
}

export function isSqliteFailure(error: unknown): error is SqliteFailure {
  return error instanceof Error && typeof (error as Partial<SqliteFailure>).errcode === 'number'
}

/** Result codes of https://sqlite.org/rescode.html; the low byte is the primary code. */
const primary = { ioError: 10, corrupt: 11, full: 13, tooBig: 18, notADatabase: 26 }
/** Codes of failures that follow from the statement and the rows: error, too big, constraint, mismatch, not authorised, range. */
const ofStatements: ReadonlySet<number> = new Set([1, 18, 19, 20, 23, 25])
/** Growing the shared-memory file of the write-ahead log met a full disk. */
const ioErrorShmSize = 4874
const ioErrorWrite = 778

/**
 * Whether a failure is the statement's. All others, such as a want of memory or a lock, are this machine's: they must not
 * decide what becomes of a message.
 */
export function isStatementFailure(error: unknown): error is SqliteFailure {
  return isSqliteFailure(error) && ofStatements.has(error.errcode & 0xff)
}

/** Whether a value or row would be longer than it may. */
export function isTooLong(error: unknown): boolean {
  return isSqliteFailure(error) && (error.errcode & 0xff) === primary.tooBig
}

/** What a failure says about the store itself: full disk or damaged file. Undefined for failures of one statement. */
export function storageFault(error: unknown): DatabaseError | undefined {
  if (!isSqliteFailure(error)) return undefined
  const code = error.errcode & 0xff
  if (code === primary.full || error.errcode === ioErrorShmSize || error.errcode === ioErrorWrite)
    return new DatabaseError({ code: 'DISK_FULL', detail: error.message }, { cause: error })
  if (code === primary.corrupt || code === primary.notADatabase)
    return new DatabaseError({ code: 'STORE_CORRUPT', detail: error.message }, { cause: error })
  return undefined
}

/** Runs something on the store and gives storage faults their own code. */
export function guarded<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw storageFault(error) ?? error
  }
}
