import type { ProjectKey } from '@w3bstream/protocol'
import type { DefinitionRow, StateEntry, StateExport } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { compareText } from '../key-order.ts'
import { inCanonicalOrder } from '../snapshot/canonical-order.ts'
import { exportTables, TableImport } from '../sql/table-state.ts'
import { MemoryProject } from './project.ts'
import { hexKey, kvKey, type MemoryState } from './state.ts'

/** The committed state, copied. @throws DatabaseError STORE_EMPTY */
export function exportState(project: ProjectKey, source: MemoryProject): StateExport {
  const batch = source.state.batches.at(-1)
  if (!batch) throw new DatabaseError({ code: 'STORE_EMPTY', project })
  const { height, hash, stateDigest, timeMs } = batch
  const tables = source.copyTables()
  const before = [...entriesBeforeTables(source.state)]
  const after = [...entriesAfterTables(source.state)]
  function* entries(): Generator<StateEntry> {
    yield* before
    yield* exportTables(tables)
    yield* after
  }
  return {
    tip: { height, batchHash: hash, stateDigest, timeMs },
    entries: entries(),
    close: () => {
      if (tables.isOpen) tables.close()
    },
  }
}

function* entriesBeforeTables(state: MemoryState): Generator<StateEntry> {
  const { witness: _, certificate: __, ...batch } = state.batches.at(-1)!
  yield { type: 'tip', batch }
  for (const row of state.definition) yield { type: 'definition', row }
  const kv = [...state.kv.values()].sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.key, b.key))
  for (const { namespace, key, value } of kv) yield { type: 'kv', namespace, key, value }
}

function* entriesAfterTables(state: MemoryState): Generator<StateEntry> {
  for (const [hex, place] of [...state.idempotency].sort(([a], [b]) => (a < b ? -1 : 1)))
    yield { type: 'idempotency', key: Uint8Array.from(Buffer.from(hex, 'hex')), ...place }
}

/** A project that stands where the state does. @throws DatabaseError STATE_INVALID */
export async function importState(
  project: ProjectKey,
  entries: Iterable<StateEntry> | AsyncIterable<StateEntry>,
): Promise<MemoryProject> {
  const made = new MemoryProject()
  const tables = new TableImport(made.db)
  const definition: DefinitionRow[] = []
  for await (const entry of inCanonicalOrder(project, entries))
    if (entry.type === 'definition') definition.push(entry.row)
    else insert(made.state, tables, entry)
  made.state.definition = definition
  made.sql.rolledBack()
  return made
}

function insert(state: MemoryState, tables: TableImport, entry: Exclude<StateEntry, { type: 'definition' }>): void {
  switch (entry.type) {
    case 'tip':
      state.batches.push({ ...entry.batch, witness: new Uint8Array(), certificate: new Uint8Array() })
      return
    case 'kv': {
      const { namespace, key, value } = entry
      state.kv.set(kvKey(namespace, key), { namespace, key, value })
      return
    }
    case 'table':
      tables.table(entry)
      return
    case 'row':
      tables.row(entry)
      return
    case 'idempotency': {
      const { type: _, key, ...place } = entry
      state.idempotency.set(hexKey(key), place)
    }
  }
}
