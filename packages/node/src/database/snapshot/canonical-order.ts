import { batchHash, decodeBatchHeader, equalBytes, type ProjectKey, toHex } from '@w3bstream/protocol'
import type { StateEntry } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { compareText } from '../key-order.ts'

const sections: Readonly<Record<StateEntry['type'], number>> = {
  tip: 0,
  definition: 1,
  kv: 2,
  table: 3,
  row: 3,
  idempotency: 4,
}

/**
 * Passes entries on and refuses those out of the canonical order, so that one state has one form: the tip first, then the
 * sections one behind the other, keys ascending and none twice.
 * @throws DatabaseError STATE_INVALID
 */
export async function* inCanonicalOrder(
  project: ProjectKey,
  entries: Iterable<StateEntry> | AsyncIterable<StateEntry>,
): AsyncGenerator<StateEntry> {
  let last: StateEntry | undefined
  let table: string | undefined
  for await (const entry of entries) {
    if (!last) checkTip(project, entry)
    else if (!follows(last, entry, table)) invalid(`${nameOf(entry)} behind ${nameOf(last)}`)
    if (entry.type === 'table') table = tableName(entry.definition)
    last = entry
    yield entry
  }
  if (!last) invalid('no entries')
}

function checkTip(project: ProjectKey, entry: StateEntry): void {
  if (entry.type !== 'tip') invalid(`${nameOf(entry)} at the beginning`)
  const { height, timeMs, header: bytes, hash } = entry.batch
  const header = decodeBatchHeader(bytes)
  if (toHex(header.project) !== project) invalid('the state of another project')
  if (header.height !== height || header.timeMs !== timeMs || !equalBytes(batchHash(header), hash))
    invalid('the tip is not that of its header')
}

function follows(last: StateEntry, entry: StateEntry, table: string | undefined): boolean {
  const [before, section] = [sections[last.type], sections[entry.type]]
  if (entry.type === 'tip' || section < before) return false
  if (entry.type === 'row') return before === 3
  if (section > before) return true
  if (entry.type === 'kv' && last.type === 'kv')
    return (compareText(last.namespace, entry.namespace) || compareText(last.key, entry.key)) < 0
  if (entry.type === 'idempotency' && last.type === 'idempotency') return Buffer.compare(last.key, entry.key) < 0
  return entry.type !== 'table' || compareText(table ?? '', tableName(entry.definition)) < 0
}

function tableName(definition: string): string {
  try {
    const { schema, name } = JSON.parse(definition) as { schema?: unknown; name?: unknown }
    return `${String(schema)}.${String(name)}`
  } catch {
    return invalid('a table that cannot be read')
  }
}

function nameOf(entry: StateEntry): string {
  return entry.type === 'kv' ? `kv ${JSON.stringify(entry.key)}` : entry.type
}

function invalid(detail: string): never {
  throw new DatabaseError({ code: 'STATE_INVALID', detail })
}
