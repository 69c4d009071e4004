/**
 * What a message costs in the store: a batch of messages, each with receipt, log line and key-value write, committed and
 * synced, against the same data inserted row by row with `node:sqlite` directly (same durability, one table for all of a
 * message, indexed by id). Prints CPU time of the thread, which a busy machine does not distort, and wall-clock time.
 * Run: `node --conditions=source packages/node/src/database/sqlite/commit.bench.ts [DIRECTORY]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { BatchRow, ProjectStore } from '../database.ts'
import { batchRow, logRow, messageRow, project } from '../exam.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const batches = 60
const rounds = 6
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'w3b-bench-'))

interface Work {
  readonly batch: BatchRow
  readonly kv: readonly { namespace: string; key: string; value: Uint8Array }[]
}

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)

function makeWork(height: number, size: number): Work {
  const indices = Array.from({ length: size }, (_, i) => i)
  const batch = batchRow(height, {
    messages: indices.map((i) => messageRow(height, i, { message: filled(280, i), receipt: filled(180, i) })),
    logs: indices.map((i) => logRow(i)),
  })
  return { batch, kv: indices.map((i) => ({ namespace: 'applet', key: `key-${i % 200}`, value: filled(32, i) })) }
}

async function throughStore(store: ProjectStore, work: readonly Work[]): Promise<void> {
  for (const { batch, kv } of work) {
    const transaction = await store.begin()
    await transaction.kvPut(kv)
    await transaction.commit(batch)
  }
}

function openRaw(file: string): (work: readonly Work[]) => void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE message (row INTEGER PRIMARY KEY, id BLOB, received_ms INTEGER, kind TEXT, publisher_id TEXT,
      event_type TEXT, event_id TEXT, status TEXT, body BLOB, receipt BLOB) STRICT;
    CREATE INDEX message_id ON message (id);
    CREATE TABLE log (row INTEGER PRIMARY KEY, applet_id TEXT, instance_id TEXT, source TEXT, level INTEGER, message TEXT,
      time_ms INTEGER, event_id TEXT) STRICT;
    CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB) STRICT, WITHOUT ROWID`)
  const message = db.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const log = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const put = db.prepare('INSERT INTO kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  return (work) => {
    for (const { batch, kv } of work) {
      const first = Number(batch.height) * 2 ** 20
      db.exec('BEGIN IMMEDIATE')
      for (const m of batch.messages) {
        const row = first + m.index
        message.run(
          row,
          m.id,
          m.receivedMs,
          m.kind,
          m.publisherId,
          m.eventType,
          m.eventId,
          m.status,
          m.message,
          m.receipt,
        )
      }
      for (const l of batch.logs)
        log.run(first + l.index, l.appletId, l.instanceId, l.source, l.level, l.message, l.timeMs, l.eventId)
      for (const { key, value } of kv) put.run(key, value)
      db.exec('COMMIT')
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

interface Cost {
  readonly cpuUs: number
  readonly wallUs: number
}

/** Cost per message. */
async function measure(messages: number, run: () => void | Promise<void>): Promise<Cost> {
  const [cpu, start] = [process.threadCpuUsage(), performance.now()]
  await run()
  const [wall, { user, system }] = [performance.now() - start, process.threadCpuUsage(cpu)]
  return { cpuUs: (user + system) / messages, wallUs: (wall * 1000) / messages }
}

function show(costs: readonly Cost[]): string {
  const cpu = median(costs.map(({ cpuUs }) => cpuUs)).toFixed(1)
  return `${cpu} µs CPU, ${median(costs.map(({ wallUs }) => wallUs)).toFixed(1)} µs wall`
}

for (const size of [1, 64, 500]) {
  const directory = join(root, String(size))
  const store = await openSqliteDatabase({ directory }).openProject(project)
  const raw = openRaw(join(directory, 'raw.db'))
  const [ours, theirs]: [Cost[], Cost[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const work = Array.from({ length: batches }, (_, i) => makeWork(round * batches + i + 1, size))
    const turns = [
      async () => ours.push(await measure(batches * size, () => throughStore(store, work))),
      async () => theirs.push(await measure(batches * size, () => raw(work))),
    ]
    // Whoever goes second finds the data in the cache, so they take turns.
    for (const turn of round % 2 ? turns : turns.toReversed()) await turn()
  }
  // The first round warms up.
  for (const costs of [ours, theirs]) costs.shift()
  console.log(`batch of ${size}: ${show(ours)} per message; raw row by row ${show(theirs)}`)
  await store.close()
}
rmSync(root, { recursive: true, force: true })
