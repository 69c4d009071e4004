import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@w3bstream/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTempDirectory, removeDirectory } from '../../../test/support/temp.ts'
import { until } from '../../../test/support/until.ts'
import type { Database } from '../../database/database.ts'
import { openMemoryDatabase } from '../../database/memory/memory-database.ts'
import { Snapshots, verifySnapshot } from '../../database/snapshot/snapshots.ts'
import { openSqliteDatabase } from '../../database/sqlite/sqlite-database.ts'
import { createEngine } from '../../engine/index.ts'
import { LiveModules } from '../live-modules.ts'
import { readStoredBatch } from '../replay/stored-batch.ts'
import { noServices, type TestProject, World } from '../testing/world.ts'
import { AutoSnapshots, type SnapshotReport } from './auto-snapshots.ts'
import type { DecidedBatch } from './executor.ts'
import { ProjectThread } from './project-thread.ts'

const noProgress = { enter() {}, leave() {}, pause: () => 0 }
let world: World
let project: TestProject
let directory: string
beforeEach(async () => {
  directory = await makeTempDirectory()
})
afterEach(async () => {
  await world.close()
  await removeDirectory(directory)
})

/** A history of batches of one event each. */
async function history(events: number): Promise<DecidedBatch[]> {
  world = await World.open()
  project = await world.project()
  await project.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
  for (let n = 0; n < events; n++) await project.event(`word-${n % 7}`)
  const reader = await world.database.openReader(project.key)
  const { height } = await reader.tip()
  const batches: DecidedBatch[] = []
  for (let at = 1n; at <= height; at++) batches.push((await readStoredBatch(reader, project.key, at)).decided)
  await reader.close()
  return batches
}

/** A member that takes snapshots. */
function member(name: string, database: Database, options: { every: number; keep: number }) {
  const reports: SnapshotReport[] = []
  const snapshots = new Snapshots(join(directory, name), database)
  const thread = new ProjectThread({
    database,
    engine: createEngine(),
    modules: new LiveModules(createEngine(), world.vfs, { liveModules: 4, blocking: new Set(['kv', 'sql', 'files']) }),
    services: noServices,
    snapshots: new AutoSnapshots(options, { database, snapshots, report: (report) => reports.push(report) }),
    progressOf: () => noProgress,
  })
  return { thread, snapshots, reports, files: () => snapshots.list(project.key) }
}

const sqlite = () => openSqliteDatabase({ directory: join(directory, 'projects'), durable: false })

describe('snapshots at heights', () => {
  it('are the same on members of different backends, however fast batches follow each other', async () => {
    const batches = await history(40)
    const names = await Promise.all(
      [sqlite(), openMemoryDatabase()].map(async (database, n) => {
        const one = member(`${n}`, database, { every: 10, keep: 100 })
        await one.thread.open(project.key)
        await Promise.all(batches.map((batch) => one.thread.execute(batch, [])))
        await until('reports of snapshots', () => one.reports.length === 4)
        expect(one.reports.filter(({ error }) => error !== undefined)).toEqual([])
        await one.thread.stop()
        return (await one.files()).map(({ height, digest }) => `${height} ${digest}`)
      }),
    )
    expect(names[0]!.map((name) => name.split(' ')[0])).toEqual(['40', '30', '20', '10'])
    expect(names[1]).toEqual(names[0])
  })

  it('hold the state of their height', async () => {
    const batches = await history(12)
    const { thread, files, reports } = member('one', sqlite(), { every: 5, keep: 1 })
    await thread.open(project.key)
    const executed = await Promise.all(batches.map((batch) => thread.execute(batch, [])))
    await until('reports of snapshots', () => reports.length === 2)
    await thread.stop()
    const [only, ...more] = await files()
    expect(more).toEqual([])
    const { header } = await verifySnapshot(only!.file)
    expect(header.height).toBe(10n)
    expect(toHex(header.stateDigest)).toBe(toHex(executed[9]!.stateDigest))
  })

  it('are taken when the project is opened again, when the thread ended before', async () => {
    const batches = (await history(12)).slice(0, 5)
    const database = sqlite()
    const before = member('one', database, { every: 5, keep: 2 })
    await before.thread.open(project.key)
    const executed = batches.map((batch) => before.thread.execute(batch, []))
    await executed.at(-1)
    await before.thread.stop()
    for (const { file } of await before.files()) await removeDirectory(file)
    expect(await readdir(join(directory, 'one', project.key)).catch(() => [])).toEqual([])
    const after = member('one', database, { every: 5, keep: 2 })
    await after.thread.open(project.key)
    await until('reports of snapshots', () => after.reports.length === 1)
    expect((await after.files()).map(({ height }) => height)).toEqual([5n])
    // What is there is not taken twice.
    await after.thread.execute(batches[4]!, [])
    await after.thread.stop()
    expect(after.reports).toHaveLength(1)
  })

  it('that cannot be written are told, and hold no batch up', async () => {
    const batches = await history(6)
    const { thread, reports } = member('one', sqlite(), { every: 2, keep: 2 })
    await writeFile(join(directory, 'one'), 'no directory')
    await thread.open(project.key)
    const executed = await Promise.all(batches.map((batch) => thread.execute(batch, [])))
    expect(executed.at(-1)!.height).toBe(BigInt(batches.length))
    await until('reports of snapshots', () => reports.length === Math.floor(batches.length / 2))
    for (const report of reports) expect(report).toMatchObject({ error: { code: 'ENOTDIR' } })
    await thread.stop()
  })

  it('remove what a writer left behind long ago', async () => {
    const batches = await history(6)
    const { thread, reports, snapshots } = member('one', sqlite(), { every: 4, keep: 2 })
    await thread.open(project.key)
    await Promise.all(batches.slice(0, 5).map((batch) => thread.execute(batch, [])))
    await until('reports of snapshots', () => reports.length === 1)
    const own = join(directory, 'one', project.key)
    const [old, young] = ['.partial-00', '.partial-11'].map((name) => join(own, name))
    for (const file of [old!, young!]) await writeFile(file, 'half of a snapshot')
    await utimes(old!, 0, 0)
    await thread.stop()
    await snapshots.create(project.key)
    expect((await readdir(own)).filter((name) => name.startsWith('.'))).toEqual(['.partial-11'])
  })

  it('are taken by the threads of a pool', async () => {
    world = await World.open({ pool: { snapshots: { directory, every: 4, keep: 1 } } })
    project = await world.project()
    await project.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    for (let n = 0; n < 10; n++) await project.event('x')
    const snapshots = new Snapshots(directory, world.database)
    const listed = () => snapshots.list(project.key)
    await until('the snapshots', async () => (await listed()).some(({ height }) => height === 12n))
    await until('the snapshots', async () => (await listed()).length === 1)
  })
})
