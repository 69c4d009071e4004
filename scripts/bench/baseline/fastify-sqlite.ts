/** The glue that people write by hand: one insert per request, synced to disk before the answer. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { serveEvents } from './event-server.ts'

const database = new DatabaseSync(join(process.env.BENCH_DIRECTORY!, 'glue.db'))
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE event (id INTEGER PRIMARY KEY, channel TEXT, device TEXT, received_ms INTEGER, body BLOB)`)
const insert = database.prepare('INSERT INTO event (channel, device, received_ms, body) VALUES (?, ?, ?, ?)')

await serveEvents((channel, device, body) => {
  insert.run(channel, device, Date.now(), body)
})
