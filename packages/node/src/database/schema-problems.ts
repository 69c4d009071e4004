import { DatabaseSync } from 'node:sqlite'
import type { DatabaseSchema } from './database.ts'
import { DatabaseError } from './errors.ts'
import { AppletSql } from './sql/applet-sql.ts'

/** Everything that is wrong with a configuration's tables whatever a project has already, each problem after its path. */
export function schemaProblems(schema: DatabaseSchema): readonly string[] {
  const db = new DatabaseSync(':memory:')
  try {
    new AppletSql(db).checkSchema(schema)
    return []
  } catch (error) {
    if (error instanceof DatabaseError && error.fault.code === 'SCHEMA_INVALID') return error.fault.problems
    throw error
  } finally {
    db.close()
  }
}
