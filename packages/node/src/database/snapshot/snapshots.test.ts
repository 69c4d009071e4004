import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { batchHash, encodeBatchHeader, fromHex, toHex } from '@w3bstream/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import type { Database } from '../database.ts'
import { batchRow, bytes, project } from '../exam.ts'
import { openMemoryDatabase } from '../memory/memory-database.ts'
import { openSqliteDatabase } from '../sqlite/sqlite-database.ts'
import { stateSuite } from '../state.suite.ts'
import { headerBytes, snapshotDigest } from './header.ts'
import { SnapshotFile } from './read-snapshot.ts'
import { Snapshots, verifySnapshot } from './snapshots.ts'

const root = mkdtempSync(join(tmpdir(), 'w3b-snapshot-'))
let places = 0
const place = () => join(root, String(places++))
const sqlite = () => openSqliteDatabase({ directory: place(), durable: false })
afterAll(() => rmSync(root, { recursive: true, force: true }))

const candidate = (name: string, open: () => Database) => ({
  name,
  open,
  reopen: (same: Database) => same,
  dispose() {},
})
stateSuite(candidate('sqlite', sqlite), [openMemoryDatabase, sqlite])
stateSuite(candidate('memory', openMemoryDatabase), [sqlite, openMemoryDatabase])

async function commit(database: Database, height: number, keys: number): Promise<void> {
  const store = await database.openProject(project)
  const transaction = await store.begin()
  const entries = Array.from({ length: keys }, (_, i) => ({
    namespace: 'n',
    key: `${i}`,
    value: bytes(3000, i + height),
  }))
  await transaction.kvPut(entries)
  const row = batchRow(height)
  const header = {
    ...{ project: fromHex(project, 32), epoch: 0n, height: BigInt(height), previous: new Uint8Array(32) },
    ...{
      timeMs: row.timeMs,
      proposer: new Uint8Array(20),
      messagesRoot: bytes(32, 1),
      messageCount: 0,
      chainHeads: [],
    },
  }
  await transaction.commit({ ...row, header: encodeBatchHeader(header), hash: batchHash(header) })
  await store.close()
}

describe('snapshot files', () => {
  it('are the same from every backend, in several chunks, and give back what they hold', async () => {
    const files = []
    for (const database of [sqlite(), openMemoryDatabase()]) {
      await commit(database, 1, 300)
      const snapshots = new Snapshots(place(), database)
      const { file, header } = await snapshots.create(project)
      const digest = toHex(snapshotDigest(header))
      expect(basename(file)).toBe(`1-${digest}.w3bsnap`)
      expect(await verifySnapshot(file)).toMatchObject({ digest, chunks: 4, entries: 301 })
      files.push(file)
      const other = sqlite()
      await snapshots.restore(project, file, other)
      const again = await new Snapshots(place(), other).create(project)
      expect(basename(again.file)).toBe(basename(file))
      expect(readFileSync(again.file).equals(readFileSync(file))).toBe(true)
    }
    expect(readFileSync(files[0]!).equals(readFileSync(files[1]!))).toBe(true)
  })

  it('are found by height, kept as many as wanted, and appear whole', async () => {
    const database = sqlite()
    const directory = place()
    const snapshots = new Snapshots(directory, database)
    expect(await snapshots.list(project)).toEqual([])
    for (const height of [1, 2, 3]) {
      await commit(database, height, 1)
      const state = await database.exportState(project)
      await snapshots.write(project, state, { keep: 2 })
      await state.close()
    }
    expect((await snapshots.list(project)).map(({ height }) => height)).toEqual([3n, 2n])
    expect(await snapshots.nearest(project, 2n)).toMatchObject({ height: 2n })
    expect(await snapshots.nearest(project, 1n)).toBeUndefined()
    const broken = new Snapshots(directory, {
      importState: database.importState,
      exportState: async () => ({
        ...(await database.exportState(project)),
        // biome-ignore lint/correctness/useYield: it fails before the first entry
        entries: (function* () {
          throw new Error('the disk is gone')
        })(),
      }),
    })
    await expect(broken.create(project)).rejects.toThrow('the disk is gone')
    expect(readdirSync(join(directory, project))).toHaveLength(2)
  })

  it('are refused with any byte changed, cut, or under another name', async () => {
    const database = sqlite()
    await commit(database, 1, 200)
    const { file, header } = await new Snapshots(place(), database).create(project)
    const good = readFileSync(file)
    const tried = join(dirname(file), 'tried.w3bsnap')
    const invalid = { code: 'SNAPSHOT_INVALID' }
    const places = [
      0,
      8,
      60,
      headerBytes - 1,
      headerBytes + 5,
      headerBytes + 300_000,
      good.length - 40,
      good.length - 1,
    ]
    for (const at of places) {
      const bad = Buffer.from(good)
      bad[at]! ^= 1
      writeFileSync(tried, bad)
      await expect(verifySnapshot(tried), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/SNAPSHOT_INVALID|STATE_INVALID/),
      })
      const empty = sqlite()
      await expect(new Snapshots(place(), empty).restore(project, tried)).rejects.toThrow()
      const store = await empty.openProject(project)
      expect(await store.tip()).toMatchObject({ height: 0n })
      await store.close()
    }
    for (const length of [0, 10, headerBytes, good.length - 1]) {
      writeFileSync(tried, good.subarray(0, length))
      await expect(verifySnapshot(tried)).rejects.toMatchObject(invalid)
    }
    const renamed = join(dirname(file), `1-${toHex(header.root)}.w3bsnap`)
    renameSync(file, renamed)
    await expect(verifySnapshot(renamed)).rejects.toMatchObject(invalid)
  })

  it('hand out chunks that are checked one by one', async () => {
    const database = sqlite()
    await commit(database, 1, 200)
    const { file } = await new Snapshots(place(), database).create(project)
    const bad = readFileSync(file)
    bad[headerBytes + 300_000]! ^= 1
    writeFileSync(file, bad)
    const snapshot = await SnapshotFile.open(file)
    expect(await snapshot.chunk(0)).toHaveLength(256 * 1024)
    await expect(snapshot.chunk(1)).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' })
    expect(await snapshot.chunk(2)).toHaveLength(snapshot.header.contentBytes - 2 * 256 * 1024)
    await snapshot.close()
  })
})
