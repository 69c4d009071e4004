/** The same glue on PostgreSQL: one row per transaction, on a pool of connections of the driver's own size. */
import pg from 'pg'
import { serveEvents } from './event-server.ts'

const pool = new pg.Pool({ host: process.env.BENCH_PG_SOCKET, user: 'postgres', database: 'postgres' })
await pool.query(`CREATE TABLE IF NOT EXISTS event (id bigserial PRIMARY KEY, channel text, device text,
  received timestamptz DEFAULT now(), body bytea)`)
const insert = { name: 'insert', text: 'INSERT INTO event (channel, device, body) VALUES ($1, $2, $3)' }

await serveEvents(async (channel, device, body) => {
  await pool.query({ ...insert, values: [channel, device, body] })
})
