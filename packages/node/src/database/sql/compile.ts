import type { Statement } from 'pgsql-ast-parser'
import type { Catalog } from './catalog.ts'
import { printDelete, printInsert, printUpdate } from './print-dml.ts'
import { isSelect, printBindings, printSelect } from './print-select.ts'
import { refuse } from './refuse.ts'
import { newCompilation, Scope, type ScopeColumn } from './scope.ts'
import type { ColumnType } from './types.ts'
import { isLong } from './watch.ts'

/** A statement on rows, ready for SQLite. */
export interface Compiled {
  readonly sql: string
  /** Changes nothing. */
  readonly reads: boolean
  readonly columns: readonly ScopeColumn[]
  /** How many parameters it names. */
  readonly params: number
  /** Behind them the batch's clock is bound, microseconds. */
  readonly usesClock: boolean
  /** Behind the columns each row has its number, by which the rows are to be ordered. */
  readonly numbered: boolean
}

/** @throws DatabaseError SQL_FAILED, SQL_REFUSED */
export function compile(node: Statement, catalog: Catalog, params: readonly (ColumnType | undefined)[]): Compiled {
  const compilation = newCompilation(catalog, params, isLong(node))
  const { sql, columns, numbered = false } = print(node, new Scope(compilation))
  const { highestParam, usesClock } = compilation
  return { sql, columns, reads: isReading(node), params: highestParam, usesClock, numbered }
}

function isReading(node: Statement): boolean {
  return node.type === 'with' ? isReading(node.in) : isSelect(node)
}

function print(node: Statement, root: Scope): { sql: string; columns: readonly ScopeColumn[]; numbered?: boolean } {
  switch (node.type) {
    case 'insert':
      return printInsert(node, root)
    case 'update':
      return printUpdate(node, root)
    case 'delete':
      return printDelete(node, root)
    case 'with': {
      if (isSelect(node.in)) return printSelect(node, root, { ordered: true })
      const { prefix, bindings } = printBindings(node, root)
      const inner = print(node.in, new Scope(root.compilation, { bindings }))
      return { ...inner, sql: prefix + inner.sql }
    }
    default:
      return isSelect(node)
        ? printSelect(node, root, { ordered: true })
        : refuse(node.type.toUpperCase(), 'what docs/spec/sql.md lists')
  }
}
