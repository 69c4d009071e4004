import { DatabaseError } from '../errors.ts'
import { fail } from './refuse.ts'
import { isStatementFailure, storageFault } from './sqlite-fault.ts'

/** Runs something of SQLite for an applet: failures of the statement become SQL_FAILED, those of the storage keep their code. */
export function runStatement<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    const fault = storageFault(error)
    if (fault) throw fault
    if (isStatementFailure(error) || error instanceof RangeError) return fail(error.message.slice(0, 500), error)
    throw error
  }
}
