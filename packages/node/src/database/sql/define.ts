import type {
  AlterTableStatement,
  CreateColumnDef,
  CreateIndexStatement,
  CreateTableStatement,
  DropStatement,
  Expr,
  Statement,
} from 'pgsql-ast-parser'
import { assign, cast, type Printed } from './cast.ts'
import type { Catalog, ColumnDefinition, IndexDefinition, TableDefinition } from './catalog.ts'
import { isClock } from './clock.ts'
import { type Default, defaultOf } from './constant.ts'
import type { Raw } from './convert.ts'
import { statementLimits } from './limits.ts'
import { mentions } from './mentions.ts'
import { physicalName, quoteName } from './names.ts'
import { printExpression } from './print-expression.ts'
import { printOn } from './print-table.ts'
import { fail, refuse } from './refuse.ts'
import { newCompilation, Scope } from './scope.ts'
import type { Tables } from './tables.ts'
import { type ColumnType, columnType, serialTypes } from './types.ts'

/** What the definition of tables needs. */
export interface DefineNeeds {
  readonly catalog: Catalog
  readonly tables: Tables
  /** Computes a constant expression. */
  constant(printed: string): Raw
  /** The batch's clock, milliseconds. */
  readonly clockMs?: number
}

/** A statement that changes tables instead of rows. */
export type Definition = CreateTableStatement | CreateIndexStatement | DropStatement | AlterTableStatement

const definitions = new Set<string>(['create table', 'create index', 'drop table', 'drop index', 'alter table'])

export function isDefinition(node: Statement): node is Definition {
  return definitions.has(node.type)
}

/** @throws DatabaseError SQL_FAILED, SQL_REFUSED */
export function define(node: Definition, needs: DefineNeeds): void {
  if (node.type === 'create table') createTable(node, needs)
  else if (node.type === 'create index') createIndex(node, needs)
  else if (node.type === 'alter table') alterTable(node, needs)
  else dropAll(node, needs)
}

function createTable(node: CreateTableStatement, needs: DefineNeeds): void {
  const schema = node.name.schema ?? 'public'
  const physical = physicalName(node.name)
  if (needs.catalog.get(schema, node.name.name)) {
    if (node.ifNotExists) return
    fail(`table ${physical} exists`)
  }
  const definitions = node.columns.map((column) =>
    column.kind === 'column' ? column : refuse('LIKE in CREATE TABLE', 'the columns one by one'),
  )
  if (definitions.length > statementLimits.columns)
    refuse(`${definitions.length} columns`, `at most ${statementLimits.columns}`)
  const columns = definitions.map((column) => defineColumn(column, needs))
  if (columns.filter(({ serial }) => serial).length > 1) refuse('two serial columns', 'at most one in a table')
  const bare: TableDefinition = { schema, name: node.name.name, columns, uniques: [], checks: [], indexes: [] }
  needs.tables.create({ ...withKeys(bare, node, definitions), ...constraints(bare, node, definitions, needs) })
}

/** PRIMARY KEY makes its columns NOT NULL; of a serial column it says nothing new. */
function withKeys(
  table: TableDefinition,
  node: CreateTableStatement,
  definitions: readonly CreateColumnDef[],
): TableDefinition {
  const primary = new Set([
    ...definitions.filter((column) => has(column, 'primary key')).map(({ name }) => name.name),
    ...(node.constraints ?? []).flatMap((item) =>
      item.type === 'primary key' ? item.columns.map(({ name }) => name) : [],
    ),
  ])
  const columns = table.columns.map((column) => (primary.has(column.name) ? { ...column, notNull: true } : column))
  return { ...table, columns }
}

function constraints(
  table: TableDefinition,
  node: CreateTableStatement,
  definitions: readonly CreateColumnDef[],
  needs: DefineNeeds,
): Pick<TableDefinition, 'uniques' | 'checks'> {
  const serial = table.columns.find((column) => column.serial)?.name
  const single = definitions
    .filter((column) => has(column, 'unique') || has(column, 'primary key'))
    .map(({ name }) => [name.name])
  const several = (node.constraints ?? []).flatMap((item) =>
    item.type === 'unique' || item.type === 'primary key' ? [item.columns.map(({ name }) => name)] : [],
  )
  const uniques = [...single, ...several].filter((columns) => columns.length > 1 || columns[0] !== serial)
  for (const name of uniques.flat())
    if (!table.columns.some((column) => column.name === name)) fail(`column ${name} does not exist`)
  const conditions = [...definitions.flatMap((column) => column.constraints ?? []), ...(node.constraints ?? [])]
  const checks = conditions.flatMap((item) => (item.type === 'check' ? [item.expr] : []))
  for (const check of checks) printOn(table, check, needs.catalog)
  return { uniques, checks }
}

function has(column: CreateColumnDef, type: string): boolean {
  return column.constraints?.some((constraint) => constraint.type === type) ?? false
}

function defineColumn(node: CreateColumnDef, needs: DefineNeeds): ColumnDefinition {
  const { name } = node.name
  quoteName(name)
  if (node.collate) refuse('COLLATE', 'the order of UTF-8 bytes')
  const typeName = node.dataType.kind === 'array' ? '' : node.dataType.name
  const serialType = Object.hasOwn(serialTypes, typeName) ? serialTypes[typeName] : undefined
  if (serialType) return { name, type: { name: serialType }, notNull: true, serial: true }
  const type = columnType(node.dataType)
  const given = node.constraints?.find((constraint) => constraint.type === 'default')
  const value = given?.type === 'default' ? constantOf(given.default, type, needs) : undefined
  const notNull = has(node, 'not null')
  return value === undefined ? { name, type, notNull } : { name, type, notNull, default: value }
}

/** The value of a default, computed now; the clock stays what it is. @throws DatabaseError SQL_REFUSED when it is not constant */
export function constantOf(node: Expr, type: ColumnType, needs: DefineNeeds): Default {
  const compilation = newCompilation(needs.catalog)
  if (mentions(node, ['ref', 'parameter', 'select', 'union', 'union all', 'values', 'with']))
    refuse('a default that is not constant', 'a constant expression')
  const printed: Printed = printExpression(node, new Scope(compilation))
  if (isClock(node)) {
    assign(printed, type, 'with this default')
    return { clock: true }
  }
  if (compilation.usesClock) refuse('a default computed from now()', 'now() alone')
  return defaultOf(needs.constant(cast(printed.type ? printed : { ...printed, soft: true }, type)))
}

function createIndex(node: CreateIndexStatement, needs: DefineNeeds): void {
  const table = tableOf(node.table, needs)
  if (node.using && node.using.name.toLowerCase() !== 'btree') refuse(`an index by ${node.using.name}`, 'btree')
  const columns = node.expressions.map(({ expression }) => (expression.type === 'ref' ? expression.name : 'expr'))
  const name = node.indexName?.name ?? `${table.name}_${columns.join('_')}_idx`
  if (needs.catalog.ofIndex(table.schema, name)) {
    if (node.ifNotExists) return
    fail(`index ${name} exists`)
  }
  needs.tables.createIndex(table, defineIndex(name, node))
}

function defineIndex(name: string, node: CreateIndexStatement): IndexDefinition {
  const terms = node.expressions.map(({ expression, order, opclass, collate }) => {
    if (opclass || collate) refuse('an operator class or collation', 'the order of the type')
    return order === 'desc' ? { expression, descending: true } : { expression }
  })
  const index = { name, unique: node.unique === true, terms }
  return node.where ? { ...index, where: node.where } : index
}

function dropAll(node: DropStatement, needs: DefineNeeds): void {
  for (const name of node.names) {
    const physical = physicalName(name)
    const schema = name.schema ?? 'public'
    const table =
      node.type === 'drop table' ? needs.catalog.get(schema, name.name) : needs.catalog.ofIndex(schema, name.name)
    if (table && node.type === 'drop table') needs.tables.drop(table)
    else if (table) needs.tables.dropIndex(table, name.name)
    else if (!node.ifExists) fail(`${node.type.slice(5)} ${physical} does not exist`)
  }
}

function alterTable(node: AlterTableStatement, needs: DefineNeeds): void {
  let table = tableOf(node.table, needs)
  for (const change of node.changes) {
    if (change.type !== 'add column') throw refuse(`ALTER TABLE … ${change.type.toUpperCase()}`, 'ADD COLUMN')
    const { column, ifNotExists } = change
    if (table.columns.some(({ name }) => name === column.name.name)) {
      if (ifNotExists) continue
      fail(`column ${column.name.name} of ${table.name} exists`)
    }
    for (const { type } of column.constraints ?? [])
      if (type !== 'not null' && type !== 'null' && type !== 'default')
        refuse(`${type.toUpperCase()} in ADD COLUMN`, 'NOT NULL and DEFAULT; CREATE UNIQUE INDEX for the rest')
    const definition = defineColumn(column, needs)
    if (definition.serial) refuse('a serial column in ADD COLUMN', 'a serial column in CREATE TABLE')
    if (table.columns.length >= statementLimits.columns) refuse('more columns', `at most ${statementLimits.columns}`)
    table = needs.tables.addColumn(table, definition, needs.clockMs)
  }
}

function tableOf(name: { schema?: string; name: string }, needs: DefineNeeds): TableDefinition {
  const physical = physicalName(name)
  return needs.catalog.get(name.schema ?? 'public', name.name) ?? fail(`table ${physical} does not exist`)
}
