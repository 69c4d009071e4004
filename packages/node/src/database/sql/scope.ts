import type { Printed } from './cast.ts'
import type { Catalog, TableDefinition } from './catalog.ts'
import { fail } from './refuse.ts'
import type { ColumnType } from './types.ts'
import { printTick } from './watch.ts'

/** A column that an expression may name. */
export interface ScopeColumn {
  readonly name: string
  readonly type: ColumnType | undefined
  readonly notNull: boolean
}

/** Something in FROM. */
export interface Source {
  /** The name by which the statement calls it. */
  readonly alias: string
  /** The name by which the printed statement calls it, in quotes; empty where names stand alone, as in RETURNING. */
  readonly printed: string
  readonly columns: readonly ScopeColumn[]
  /** The number of its rows in the order of their insertion, printed; absent for queries, which have no such order. */
  readonly key?: string
}

/** Common table expressions by name. */
export type Bindings = ReadonlyMap<string, readonly ScopeColumn[]>

/** What is the same for the whole statement. */
export interface Compilation {
  readonly catalog: Catalog
  /** Types of the parameters as given. */
  readonly params: readonly (ColumnType | undefined)[]
  /** The highest parameter that was named. */
  highestParam: number
  /** Numbers the sources, so that no two share a printed name. */
  sources: number
  /** The statement asks for the batch's clock, which is bound behind the given parameters. */
  usesClock: boolean
  /** It may run long: its loops call {@link printTick}. */
  readonly watched: boolean
}

export function newCompilation(catalog: Catalog, params: Compilation['params'] = [], watched = false): Compilation {
  return { catalog, params, highestParam: 0, sources: 0, usesClock: false, watched }
}

/** The names that can be seen at one place of a statement. */
export class Scope {
  readonly compilation: Compilation
  readonly parent: Scope | undefined
  readonly bindings: Bindings
  readonly sources: Source[] = []
  /** Columns that USING made one of two. */
  readonly merged = new Map<string, ScopeColumn>()
  /** Names of the output, for ORDER BY. */
  outputs: ReadonlyMap<string, ColumnType | undefined> | undefined
  /** Printed expressions of GROUP BY. */
  readonly grouped = new Set<string>()
  /** Terms of GROUP BY by their place in the statement, printed: what is selected by the same place is printed alike. */
  readonly groupTerms = new Map<unknown, Printed>()
  /** Columns named outside of aggregates, in places where a grouped query may not. */
  readonly bare: string[] = []
  aggregates: 'forbidden' | 'allowed' | 'inside' = 'forbidden'
  sawAggregate = false
  /** Of the sources whose rows no ON looks at, conditions that watch their loops. */
  readonly #ticks: string[] = []

  constructor(compilation: Compilation, options: { parent?: Scope; bindings?: Bindings } = {}) {
    this.compilation = compilation
    this.parent = options.parent
    this.bindings = options.bindings ?? options.parent?.bindings ?? new Map()
  }

  add(source: Source): void {
    if (this.sources.some(({ alias }) => alias === source.alias))
      fail(`table name ${source.alias} given more than once`)
    this.sources.push(source)
  }

  /** Has the rows of a source watched by {@link where}. */
  watch(source: Source): void {
    if (this.compilation.watched) this.#ticks.push(printTick(source))
  }

  /** WHERE with a condition, if there is one. The rows are watched before it is looked at. */
  where(condition: string | null | undefined): string {
    const all = condition ? [...this.#ticks, `(${condition})`] : this.#ticks
    return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`
  }

  /** Finds a column, here or in the statements around. @throws DatabaseError SQL_FAILED */
  resolve(name: string, table?: string): { sql: string; column: ScopeColumn } {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) {
      const found = scope.#find(name, table)
      if (!found) continue
      if (scope.aggregates === 'allowed' && !scope.grouped.has(found.sql)) scope.bare.push(found.sql)
      return found
    }
    return fail(`column ${table ? `${table}.` : ''}${name} does not exist`)
  }

  /** What orders the rows of FROM by insertion; undefined when a query is among the sources. */
  keys(): string[] | undefined {
    const keys = this.sources.flatMap(({ key }) => (key === undefined ? [] : [key]))
    return keys.length === this.sources.length ? keys : undefined
  }

  /** Whether a bare name is a column of this statement's own sources. */
  has(name: string): boolean {
    return this.sources.some((source) => source.columns.some((column) => column.name === name))
  }

  #find(name: string, table: string | undefined): { sql: string; column: ScopeColumn } | undefined {
    const quoted = `"${name.replaceAll('"', '""')}"`
    const merged = table === undefined ? this.merged.get(name) : undefined
    if (merged) return { sql: quoted, column: merged }
    const found = this.sources
      .filter((source) => table === undefined || source.alias === table)
      .flatMap((source) =>
        source.columns.filter((column) => column.name === name).map((column) => ({ source, column })),
      )
    if (found.length > 1) fail(`column ${name} is ambiguous`)
    const [only] = found
    if (!only) return undefined
    return { sql: only.source.printed ? `${only.source.printed}.${quoted}` : quoted, column: only.column }
  }
}

export function columnsOf(table: TableDefinition): ScopeColumn[] {
  return table.columns.map(({ name, type, notNull, serial }) => ({ name, type, notNull: notNull || serial === true }))
}

/** A name for a source in the printed statement, by which it cannot be taken for one of the node's tables. */
export function printedSource(compilation: Compilation, alias: string): string {
  compilation.sources++
  return `"${compilation.sources}.${alias.replaceAll('"', '""')}"`
}
