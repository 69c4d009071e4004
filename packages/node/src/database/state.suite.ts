import { type BatchHeader, batchHash, encodeBatchHeader, fromHex, toHex, Writer } from '@w3bstream/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import type { BatchRow, Database, ProjectStore, StateEntry } from './database.ts'
import { batchRow, bytes, type Candidate, messageRow, project } from './exam.ts'
import { writeEntry } from './snapshot/entry-codec.ts'

const limits = { rows: 1000, bytes: 1_000_000 }

/** A batch whose hash is that of its header, as in a real history. */
function realBatch(height: number, change: Partial<BatchRow> = {}): BatchRow {
  const row = batchRow(height, change)
  const header: BatchHeader = {
    project: fromHex(project, 32),
    epoch: 0n,
    height: BigInt(height),
    previous: new Uint8Array(32),
    timeMs: row.timeMs,
    proposer: new Uint8Array(20),
    messagesRoot: bytes(32, 1),
    messageCount: row.messages.length,
    chainHeads: [],
  }
  return { ...row, header: encodeBatchHeader(header), hash: batchHash(header) }
}

const statements = [
  'CREATE TABLE a (id serial, name text UNIQUE, part double precision, big bigint, raw bytea, at timestamptz DEFAULT now())',
  'CREATE TABLE other.b (k int CHECK (k > 0), v text, rowid int)',
  'CREATE UNIQUE INDEX a_lower ON a (lower(name)) WHERE part > 0.5',
  "INSERT INTO a (name, part, big, raw) VALUES ('x', 0.1, 9223372036854775807, '\\x00ff'), ('ä\u{1F600}', -0.0, NULL, NULL), ('z', 1e300, -9223372036854775808, '')",
  "DELETE FROM a WHERE name = 'z'",
  "INSERT INTO other.b (k, v) VALUES (2, 'second'), (1, 'first'), (3, NULL)",
  'DELETE FROM other.b WHERE k = 2',
  "INSERT INTO other.b (k, v) VALUES (2, 'again')",
]

/** Work of a later batch, which shows whether everything that matters came along. */
const further = [
  "INSERT INTO a (name) VALUES ('next') RETURNING id, name, at",
  'SELECT v FROM other.b',
  'UPDATE other.b SET k = k + 1 RETURNING k',
  'ALTER TABLE other.b ADD COLUMN extra int DEFAULT 7',
  'SELECT * FROM other.b ORDER BY v DESC',
  "SELECT string_agg(name, ',') FROM a",
]

async function fill(store: ProjectStore): Promise<void> {
  const first = await store.begin()
  for (const kind of ['settings', 'applet', 'env'])
    await first.definitionPut({ kind, id: `${kind}-1`, value: `{"${kind}":1}` })
  await first.kvPut([
    { namespace: 'applet:2', key: 'b', value: bytes(5, 1) },
    { namespace: 'applet:10', key: '\u{1F600}', value: bytes(0, 1) },
    { namespace: 'applet:10', key: '\uffff', value: bytes(3, 1) },
  ])
  for (const statement of statements) await first.sqlExecute({ statement, params: [], clockMs: 1000 })
  const messages = [messageRow(1, 0), messageRow(1, 1)]
  await first.commit(realBatch(1, { messages, idempotency: [{ key: bytes(32, 9), index: 1 }] }))
  const second = await store.begin()
  await second.definitionDelete('settings', 'settings-1')
  await second.definitionPut({ kind: 'settings', id: 'settings-1', value: '{}' })
  await second.kvPut([
    { namespace: 'applet:2', key: 'b', value: null },
    { namespace: 'applet:2', key: 'c', value: bytes(70_000, 2) },
  ])
  await second.commit(realBatch(2, { messages: [messageRow(2, 0)], idempotency: [{ key: bytes(32, 3), index: 0 }] }))
}

async function stateOf(database: Database): Promise<StateEntry[]> {
  const state = await database.exportState(project)
  const entries: StateEntry[] = []
  for await (const entry of state.entries) entries.push(entry)
  await state.close()
  return entries
}

function encoded(entries: readonly StateEntry[]): string[] {
  return entries.map((entry) => {
    const writer = new Writer()
    writeEntry(writer, entry)
    return toHex(writer.finish())
  })
}

/** A batch on top, and what it answered. */
async function goOn(database: Database): Promise<unknown[]> {
  const store = await database.openProject(project)
  const transaction = await store.begin()
  const answers: unknown[] = []
  for (const statement of further)
    answers.push(await transaction.sqlExecute({ statement, params: [], clockMs: 5000 }, limits))
  answers.push(await transaction.kvList('applet:10', { limit: 10 }))
  answers.push(await transaction.findIdempotent(bytes(32, 9)), await transaction.findIdempotent(bytes(32, 8)))
  await transaction.commit(realBatch(3))
  const { batchHash: hash, ...tip } = await store.tip()
  answers.push(await store.definition(), { ...tip, hash: toHex(hash) })
  await store.close()
  return answers
}

/** The exam of state that leaves one store and becomes another, of any backend. */
export function stateSuite(candidate: Candidate, others: readonly (() => Database)[]): void {
  describe(`state ${candidate.name}`, () => {
    afterAll(() => candidate.dispose())

    it('is the same in every backend, and so is what follows', async () => {
      const source = await candidate.open()
      const store = await source.openProject(project)
      await fill(store)
      await store.close()
      const state = await stateOf(source)
      expect(state.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['tip', 'definition', 'kv', 'table', 'row', 'idempotency']),
      )
      const copies = others.map((open) => open())
      for (const copy of copies) {
        await copy.importState(project, state)
        expect(encoded(await stateOf(copy))).toEqual(encoded(state))
      }
      const answers = await goOn(source)
      for (const copy of copies) {
        expect(await goOn(copy)).toEqual(answers)
        expect(encoded(await stateOf(copy))).toEqual(encoded(await stateOf(source)))
      }
    })

    it('stands still while the writer goes on', async () => {
      const database = await candidate.open()
      const store = await database.openProject(project)
      await fill(store)
      const before = encoded(await stateOf(database))
      const held = await database.exportState(project)
      const writing = await store.begin()
      await writing.kvPut([{ namespace: 'applet:2', key: 'new', value: bytes(1, 1) }])
      await writing.sqlExecute({ statement: 'DELETE FROM a', params: [] })
      expect(encoded(await stateOf(database))).toEqual(before)
      await writing.commit(realBatch(3))
      const entries: StateEntry[] = []
      for await (const entry of held.entries) entries.push(entry)
      await held.close()
      expect(encoded(entries)).toEqual(before)
      expect(encoded(await stateOf(database))).not.toEqual(before)
      await store.close()
    })

    it('is neither of nothing nor written over something', async () => {
      const database = await candidate.open()
      const store = await database.openProject(project)
      await expect(async () => database.exportState(project)).rejects.toMatchObject({ code: 'STORE_EMPTY' })
      await fill(store)
      const state = await stateOf(database)
      await expect(database.importState(project, state)).rejects.toMatchObject({
        code: 'STORE_NOT_EMPTY',
        fault: { height: 2n },
      })
      expect(encoded(await stateOf(database))).toEqual(encoded(state))
      await store.close()
    })

    it('is refused in another order, and leaves nothing behind', async () => {
      const source = await candidate.open()
      const store = await source.openProject(project)
      await fill(store)
      await store.close()
      const state = await stateOf(source)
      const place = (type: string) => state.findIndex((entry) => entry.type === type)
      const swapped = (i: number) => state.with(i, state[i + 1]!).with(i + 1, state[i]!)
      const broken = [
        state.slice(1),
        [...state, state[0]!],
        [],
        swapped(place('kv')),
        swapped(place('idempotency')),
        swapped(place('table') - 1),
        [...state.slice(0, place('table')), { type: 'row' as const, values: [1n] }, ...state.slice(place('table'))],
        state.map((entry) => (entry.type === 'row' ? { ...entry, values: entry.values.slice(1) } : entry)),
      ]
      const empty = others[0]!()
      for (const entries of broken)
        await expect(empty.importState(project, entries)).rejects.toMatchObject({ code: 'STATE_INVALID' })
      await empty.importState(project, state)
      expect(encoded(await stateOf(empty))).toEqual(encoded(state))
    })
  })
}
