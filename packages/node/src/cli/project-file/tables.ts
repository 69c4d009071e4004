import type { DatabaseSchema, TableSchema } from '../../database/database.ts'
import type { ProjectFile } from './schema.ts'
import type { TableSection } from './schema-tables.ts'

/** The tables that a project file declares, in the form of `PROJECT_DATABASE`; undefined when it declares none. */
export function databaseOf(file: ProjectFile): DatabaseSchema | undefined {
  if (file.database) return file.database
  return file.tables && compileTables(file.tables)
}

export function compileTables(sections: NonNullable<ProjectFile['tables']>): DatabaseSchema {
  const tables = Object.entries(sections).map(([name, table]) => compileTable(name, table))
  return { dialect: 'POSTGRES', schemas: [{ schema: 'public', tables }] }
}

function compileTable(name: string, table: TableSection): TableSchema {
  const keys = [
    ...(table.unique ?? []).map((columnNames) => ({ isUnique: true, columnNames })),
    ...(table.index ?? []).map((columnNames) => ({ isUnique: false, columnNames })),
  ]
  return {
    name,
    ...(table.description === undefined ? {} : { desc: table.description }),
    cols: Object.entries(table.columns).map(([column, spec]) => ({ name: column, constrains: compileColumn(spec) })),
    ...(keys.length > 0 ? { keys } : {}),
  }
}

function compileColumn(spec: TableSection['columns'][string]): TableSchema['cols'][number]['constrains'] {
  if (typeof spec === 'string') return { datatype: spec.toUpperCase() }
  const { type, nullable, description, ...rest } = spec
  return {
    datatype: type.toUpperCase(),
    ...rest,
    ...(nullable === undefined ? {} : { null: nullable }),
    ...(description === undefined ? {} : { desc: description }),
  }
}
