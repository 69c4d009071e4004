import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { compileApplet } from '../../packages/node/src/engine/testing/compile-applet.ts'
import { type TestProject, World } from '../../packages/node/src/event/testing/world.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import type { BenchRow } from './row.ts'

/** Writes of one batch; each is followed by a read. */
const writes = 100_000
const logLines = 100_000
const inserts = 20_000
const keys = 1000
const valueBytes = 64

/**
 * Key-value operations per second of a handler inside one batch, commit included, on the node's store; beside it what one
 * host call of each family costs. Against the same operations on prepared statements of SQLite in one transaction.
 */
export async function benchHostCalls(context: BenchContext): Promise<BenchRow[]> {
  const world = await World.open()
  const directory = await mkdtemp(join(tmpdir(), 'w3b-bench-'))
  try {
    const project = await world.project()
    await deploy(world, project)
    const ours: Contender = { name: 'w3bstream', measure: () => measure(project) }
    const baselines = [{ name: 'prepared statements of node:sqlite', measure: () => bareSqlite(directory) }]
    return [await compare({ name: 'kv-in-batch', unit: 'operations/s', better: 'higher', ours, baselines }, context)]
  } finally {
    await world.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function deploy(world: World, project: TestProject): Promise<void> {
  await project.deploy({})
  const codeHash = await world.vfs.put(await compileApplet(new URL('assembly/host-calls.ts', import.meta.url)))
  const handlers = ['kv', 'kvGet', 'log', 'sql']
  const strategies = handlers.map((handler) => ({ eventType: handler, handler }))
  const applet = { name: 'host-calls', resourceId: '1', codeHash, md5: '', fileName: '', strategies }
  const limits = { hostCalls: 10_000_000, logLines: 100_000, fuel: 1_000_000_000_000 }
  const column = (name: string) => ({ name, constrains: { datatype: 'INT32' as const } })
  const id = { name: 'f_id', constrains: { datatype: 'INT32' as const, autoincrement: true } }
  const tables = [{ name: 't_reading', cols: [id, column('f_value')], keys: [] }]
  const changes = [
    { op: 'settings.put' as const, settings: { limits } },
    { op: 'database.put' as const, database: { schemas: [{ schema: 'public', tables }] } },
    { op: 'applet.create' as const, ...applet },
  ]
  const result = await project.change({ op: 'all', changes })
  if (!result.ok) throw new Error(`${result.code} ${result.desc}`)
}

async function measure(project: TestProject): Promise<Sample> {
  const kvSeconds = await run(project, 'kv', writes)
  const details = {
    'KV get ns': ((await run(project, 'kvGet', writes)) * 1e9) / writes,
    'log ns': ((await run(project, 'log', logLines)) * 1e9) / logLines,
    'SQL insert ns': ((await run(project, 'sql', inserts)) * 1e9) / inserts,
  }
  return { value: (2 * writes) / kvSeconds, details }
}

/** Seconds of a batch with one event, whose payload tells the handler how often. */
async function run(project: TestProject, handler: string, times: number): Promise<number> {
  const began = performance.now()
  const receipt = await project.event(`${times}`, { eventType: handler })
  const [result] = receipt.results
  if (receipt.status !== 'ok' || result?.code !== 0) throw new Error(`${handler}: ${result?.error} ${result?.message}`)
  return (performance.now() - began) / 1000
}

async function bareSqlite(directory: string): Promise<Sample> {
  const db = new DatabaseSync(join(directory, 'bare.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID')
  const put = db.prepare('INSERT INTO kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  const get = db.prepare('SELECT value FROM kv WHERE key = ?')
  const value = new Uint8Array(valueBytes)
  const began = performance.now()
  db.exec('BEGIN')
  for (let n = 0; n < writes; n++) {
    const key = String(n % keys).padStart(8, '0')
    put.run(key, value)
    get.get(key)
  }
  db.exec('COMMIT')
  const seconds = (performance.now() - began) / 1000
  db.close()
  return { value: (2 * writes) / seconds }
}
