import { openMemoryDatabase } from './memory/memory-database.ts'
import { openSqliteDatabase } from './sqlite/sqlite-database.ts'

/** The backends; the keys are the values of the node's option. Each is examined by `database.suite.ts`. */
export const databases = { sqlite: openSqliteDatabase, memory: openMemoryDatabase } as const
export type DatabaseKind = keyof typeof databases
