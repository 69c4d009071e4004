import { databaseSuite } from '../database.suite.ts'
import type { Database } from '../database.ts'
import { schemaSuite } from '../schema.suite.ts'
import { sqlSuite } from '../sql.suite.ts'
import { openMemoryDatabase } from './memory-database.ts'

const candidate = {
  name: 'memory',
  open: openMemoryDatabase,
  reopen: (database: Database) => database,
  dispose: () => {},
}
databaseSuite(candidate)
sqlSuite(candidate)
schemaSuite(candidate)
