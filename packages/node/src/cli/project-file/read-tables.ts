import { Type } from 'typebox'
import type { DatabaseSchema } from '../../database/database.ts'
import { checkShape } from './check-shape.ts'
import type { ProjectFile } from './schema.ts'
import { tableSchema } from './schema-tables.ts'
import { compileTables } from './tables.ts'

const section = Type.Object({ tables: Type.Record(Type.String(), tableSchema) })

/**
 * A section `tables` that stands elsewhere than in a project file, such as in a test of an applet, in the form of
 * `PROJECT_DATABASE`.
 * @throws TypeError with every mistake and its place
 */
export function databaseOfTables(tables: unknown): DatabaseSchema {
  const mistakes = checkShape(section, { tables }).map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'))
  return compileTables(tables as NonNullable<ProjectFile['tables']>)
}
