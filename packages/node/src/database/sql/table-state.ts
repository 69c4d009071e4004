import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { StateEntry, StateValue } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { Catalog, type TableDefinition } from './catalog.ts'
import { physicalName, quoteName, quotePhysical } from './names.ts'
import { rowKey } from './row-key.ts'
import { Tables } from './tables.ts'

type TableEntry = Extract<StateEntry, { type: 'table' }>
type RowEntry = Extract<StateEntry, { type: 'row' }>

/** The applets' tables of a connection by their names, each with its rows in the order of their insertion. */
export function* exportTables(db: DatabaseSync): Generator<TableEntry | RowEntry> {
  for (const table of new Catalog(db).all().sort(byName)) {
    yield { type: 'table', definition: JSON.stringify(table), lastNumber: lastNumber(db, table) }
    const columns = table.columns.map(({ name }) => quoteName(name)).join(', ')
    const rows = db.prepare(
      `SELECT ${columns} FROM ${quotePhysical(physicalName(table))} ORDER BY ${rowKey(table.columns)}`,
    )
    rows.setReadBigInts(true)
    rows.setReturnArrays(true)
    for (const row of rows.iterate() as Iterable<unknown> as Iterable<StateValue[]>)
      yield { type: 'row', values: row.map(positiveZero) }
  }
}

/** Makes tables and fills them, in the order in which {@link exportTables} told them. The transaction is the caller's. */
export class TableImport {
  readonly #db: DatabaseSync
  readonly #tables: Tables
  #current: { table: TableDefinition; insert: StatementSync } | undefined

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#tables = new Tables(db, new Catalog(db))
  }

  /** @throws DatabaseError STATE_INVALID */
  table({ definition, lastNumber: last }: TableEntry): void {
    const table = parseDefinition(definition)
    this.#tables.create(table)
    const name = physicalName(table)
    const columns = table.columns.map((column) => quoteName(column.name)).join(', ')
    const places = table.columns.map(() => '?').join(', ')
    const insert = this.#db.prepare(`INSERT INTO ${quotePhysical(name)} (${columns}) VALUES (${places})`)
    this.#current = { table, insert }
    if (last > 0n) this.#db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(name, last)
  }

  /** @throws DatabaseError STATE_INVALID */
  row({ values }: RowEntry): void {
    if (values.length !== this.#current?.table.columns.length)
      throw new DatabaseError({ code: 'STATE_INVALID', detail: `a row of ${values.length} values` })
    this.#current.insert.run(...(values as SQLInputValue[]))
  }
}

function byName(a: TableDefinition, b: TableDefinition): number {
  return Buffer.compare(Buffer.from(physicalName(a)), Buffer.from(physicalName(b)))
}

function lastNumber(db: DatabaseSync, table: TableDefinition): bigint {
  if (!table.columns.some(({ serial }) => serial)) return 0n
  const statement = db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?')
  statement.setReadBigInts(true)
  return (statement.get(physicalName(table)) as { seq: bigint } | undefined)?.seq ?? 0n
}

/** Both zeros compare as equal, so which one a row has must not show. */
function positiveZero(value: StateValue): StateValue {
  return value === 0 ? 0 : value
}

function parseDefinition(text: string): TableDefinition {
  try {
    const table = JSON.parse(text) as TableDefinition
    physicalName(table)
    return table
  } catch (cause) {
    throw new DatabaseError({ code: 'STATE_INVALID', detail: 'a table that cannot be read' }, { cause })
  }
}
