import { DatabaseError } from '../errors.ts'
import { statementLimits } from './limits.ts'
import { fail } from './refuse.ts'
import { isStatementFailure, isTooLong, storageFault } from './sqlite-fault.ts'

/** Runs something of SQLite for an applet: failures of the statement become SQL_FAILED, those of the storage keep their code. */
export function runStatement<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    const fault = storageFault(error)
    if (fault) throw fault
    if (isTooLong(error))
      throw new DatabaseError({ code: 'SQL_LIMIT', what: 'value bytes', limit: statementLimits.valueBytes })
    if (isStatementFailure(error) || error instanceof RangeError) return fail(error.message.slice(0, 500), error)
    throw error
  }
}
