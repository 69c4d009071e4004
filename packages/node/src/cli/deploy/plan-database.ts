import { isDeepStrictEqual } from 'node:util'
import type { DatabaseSchema, TableSchema } from '../../database/database.ts'
import { nothing, type PlanLine, type PlanPart } from './plan-part.ts'
import type { CurrentProject, DesiredProject } from './state.ts'
import { keyTexts, tableDifference } from './table-difference.ts'

interface PlacedTable {
  readonly schema: string
  readonly table: TableSchema
}

/**
 * Tables that are declared come or change; others stay, since only their owner can say that data may go. Whether a change is
 * additive, the node decides: it refuses a destructive one with the reason, and then nothing is changed.
 */
export function planDatabase(desired: DesiredProject, current: CurrentProject | undefined): PlanPart {
  if (!desired.database) return nothing
  const known = new Map(tablesOf(current?.database).map((placed) => [nameOf(placed), placed]))
  const lines: PlanLine[] = []
  for (const wanted of tablesOf(desired.database)) {
    const name = nameOf(wanted)
    const there = known.get(name)
    known.set(name, wanted)
    if (!there) lines.push({ sign: '+', what: `table ${name}`, detail: columnsOf(wanted).join(', ') })
    else if (!sameTable(there.table, wanted.table))
      lines.push({ sign: '~', what: `table ${name}`, detail: tableDifference(there.table, wanted.table) })
  }
  if (lines.length === 0) return nothing
  return { changes: [{ op: 'database.put', database: toSchema([...known.values()]) }], lines }
}

function tablesOf(database: DatabaseSchema | undefined): PlacedTable[] {
  return (database?.schemas ?? []).flatMap(({ schema = 'public', tables }) =>
    (tables ?? []).map((table) => ({ schema, table })),
  )
}

function nameOf({ schema, table }: PlacedTable): string {
  return schema === 'public' ? table.name : `${schema}.${table.name}`
}

function toSchema(placed: readonly PlacedTable[]): DatabaseSchema {
  const schemas = [...new Set(placed.map(({ schema }) => schema))].map((schema) => ({
    schema,
    tables: placed.filter((one) => one.schema === schema).map(({ table }) => table),
  }))
  return { dialect: 'POSTGRES', schemas }
}

/** Equal once defaults are filled in: what one side leaves out, the other may spell out. */
function sameTable(a: TableSchema, b: TableSchema): boolean {
  return isDeepStrictEqual(normal(a), normal(b))
}

function normal(table: TableSchema): unknown {
  return {
    desc: table.desc ?? '',
    cols: Object.fromEntries(table.cols.map(({ name, constrains }) => [name, normalColumn(constrains)])),
    keys: keyTexts(table).sort(),
  }
}

function normalColumn(column: TableSchema['cols'][number]['constrains']): unknown {
  return {
    datatype: column.datatype.toUpperCase(),
    length: column.length ?? 0,
    decimal: column.decimal ?? 0,
    default: column.default ?? null,
    null: column.null ?? false,
    autoincrement: column.autoincrement ?? false,
    desc: column.desc ?? '',
  }
}

function columnsOf({ table }: PlacedTable): string[] {
  return table.cols.map(({ name }) => name)
}
