import { equalBytes, Writer } from '@w3bstream/protocol'
import type { StateEntry, StateExport } from '../../database/database.ts'
import { writeEntry } from '../../database/snapshot/entry-codec.ts'
import { type Difference, shown } from './difference.ts'

/** Goes through two states side by side and names the first piece in which they differ. */
export async function compareStates(wanted: StateExport, found: StateExport): Promise<Difference[]> {
  const [a, b] = [labelled(wanted), labelled(found)]
  for (;;) {
    const [left, right] = await Promise.all([a.next(), b.next()])
    if (left.done && right.done) return []
    const [one, other] = [left.done ? undefined : left.value, right.done ? undefined : right.value]
    if (one && other && equalBytes(one.bytes, other.bytes)) continue
    const label = one?.label ?? other?.label ?? 'state'
    const text = (piece: Labelled | undefined) => (piece && piece.label === label ? piece.text : 'nothing here')
    return [{ height: wanted.tip.height, field: label, wanted: text(one), found: text(other) }]
  }
}

interface Labelled {
  readonly label: string
  readonly text: string
  readonly bytes: Uint8Array
}

async function* labelled({ entries }: StateExport): AsyncGenerator<Labelled> {
  const writer = new Writer(4096)
  let table = ''
  let row = 0
  for await (const entry of entries) {
    if (entry.type === 'table') {
      const { schema, name } = JSON.parse(entry.definition) as { schema: string; name: string }
      table = `${schema}.${name}`
      row = 0
    }
    if (entry.type === 'row') row++
    writer.clear()
    writeEntry(writer, entry)
    yield { ...describe(entry, table, row), bytes: writer.finish() }
  }
}

function describe(entry: StateEntry, table: string, row: number): Omit<Labelled, 'bytes'> {
  switch (entry.type) {
    case 'tip':
      return { label: 'tip', text: shown(entry.batch.hash) }
    case 'definition':
      return { label: `definition ${entry.row.kind} ${entry.row.id}`, text: shown(entry.row.value) }
    case 'kv':
      return { label: `kv ${entry.namespace} ${JSON.stringify(entry.key)}`, text: shown(entry.value) }
    case 'table':
      return { label: `table ${table}`, text: `${shown(entry.definition)}, last number ${entry.lastNumber}` }
    case 'row':
      return { label: `row ${row} of ${table}`, text: shown(entry.values.map(shown).join(', ')) }
    case 'idempotency':
      return { label: `idempotency key ${shown(entry.key)}`, text: `message ${entry.index} of batch ${entry.height}` }
  }
}
