import type { DatabaseSync } from 'node:sqlite'
import type { DatabaseSchema } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import type { TableDefinition } from '../sql/catalog.ts'
import type { DefineNeeds } from '../sql/define.ts'
import { physicalName, quoteName, quotePhysical } from '../sql/names.ts'
import { isSqliteFailure, storageFault } from '../sql/sqlite-fault.ts'
import { compareTables, same, type TableChange, type TableFacts } from './compare.ts'
import { readSchema } from './read-schema.ts'

export interface MigrateNeeds extends DefineNeeds {
  readonly db: DatabaseSync
}

/**
 * Brings the tables to the schema of a project's configuration: missing tables, columns and indexes are added, types
 * widened, indexes of declared tables that are not declared dropped. Tables and columns that are not declared stay. Doing it
 * again changes nothing. Whoever calls keeps a savepoint around it.
 * @throws DatabaseError SCHEMA_INVALID, SCHEMA_DESTRUCTIVE with every problem
 */
export function migrateSchema(schema: DatabaseSchema, needs: MigrateNeeds): void {
  const wanted = readSchema(schema, needs)
  const changes = wanted.map((table) => {
    const found = needs.catalog.get(table.schema, table.name)
    return { table, found, change: found && compareTables(found, table, factsOf(found, needs.db)) }
  })
  const problems = changes.flatMap(({ change }) => change?.problems ?? [])
  if (problems.length > 0) throw new DatabaseError({ code: 'SCHEMA_DESTRUCTIVE', problems })
  for (const { table, found, change } of changes) {
    if (found && change) applyChecked(found, change, needs)
    else needs.tables.create(table)
  }
}

/** A unique key over rows that repeat each other fails when its index is made. */
function applyChecked(found: TableDefinition, change: TableChange, needs: MigrateNeeds): void {
  try {
    apply(found, change, needs)
  } catch (error) {
    if (!isSqliteFailure(error) || storageFault(error)) throw error
    const problems = [`${found.schema}.${found.name}: ${error.message}`]
    throw new DatabaseError({ code: 'SCHEMA_DESTRUCTIVE', problems }, { cause: error })
  }
}

function factsOf(table: TableDefinition, db: DatabaseSync): TableFacts {
  const name = quotePhysical(physicalName(table))
  const exists = (condition: string) => db.prepare(`SELECT 1 FROM ${name}${condition} LIMIT 1`).get() !== undefined
  return {
    empty: !exists(''),
    hasNull: (column) => exists(` WHERE ${quoteName(column)} IS NULL`),
  }
}

function apply(found: TableDefinition, change: TableChange, needs: MigrateNeeds): void {
  const { tables } = needs
  if (change.altered) {
    rebuild(found, change, needs)
    return
  }
  let table = found
  for (const column of change.added) table = tables.addColumn(table, column, needs.clockMs)
  const wanted = change.result.indexes
  for (const index of found.indexes)
    if (!wanted.some((other) => same(other, index))) table = tables.dropIndex(table, index.name)
  for (const index of wanted)
    if (!found.indexes.some((other) => same(other, index))) table = tables.createIndex(table, index)
}

/** New columns come first, by themselves, so that the rows have them when they move. */
function rebuild(found: TableDefinition, change: TableChange, { tables, clockMs }: MigrateNeeds): void {
  const addable = change.added.filter(({ serial }) => !serial)
  let table = found
  for (const column of addable) table = tables.addColumn(table, column, clockMs)
  if (addable.length < change.added.length) {
    // Only an empty table gets a column that numbers itself: it is made anew.
    tables.drop(table)
    tables.create(change.result)
    return
  }
  tables.rebuild(change.result)
}
