import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { databaseSuite } from '../database.suite.ts'
import type { ProjectStore } from '../database.ts'
import { batchRow, bytes, messageRow, project } from '../exam.ts'
import { schemaSuite } from '../schema.suite.ts'
import { sqlSuite } from '../sql.suite.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const root = mkdtempSync(join(tmpdir(), 'w3b-sqlite-'))
let directories = 0
const freshDirectory = () => join(root, String(directories++))
const fileIn = (directory: string) => join(directory, `${project.slice(2)}.db`)
const dispose = () => rmSync(root, { recursive: true, force: true })

let directory = ''
const candidate = {
  name: 'sqlite',
  open: () => {
    directory = freshDirectory()
    return openSqliteDatabase({ directory })
  },
  reopen: () => openSqliteDatabase({ directory }),
  dispose: () => {},
}
databaseSuite(candidate)
sqlSuite(candidate)
schemaSuite(candidate)
afterAll(dispose)

describe('sqlite files', () => {
  it('keeps one file per project, for the owner only', async () => {
    const place = freshDirectory()
    const store = await openSqliteDatabase({ directory: place }).openProject(project)
    expect(statSync(fileIn(place)).mode & 0o777).toBe(0o600)
    await store.close()
    expect(readdirSync(place)).toEqual([`${project.slice(2)}.db`])
  })

  it('takes nothing but a project id for a name', () => {
    const database = openSqliteDatabase({ directory: freshDirectory() })
    expect(() => database.openProject('0x../../etc')).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('refuses a file that a later version wrote', async () => {
    const place = freshDirectory()
    const database = openSqliteDatabase({ directory: place })
    await (await database.openProject(project)).close()
    const file = new DatabaseSync(fileIn(place))
    file.exec('PRAGMA user_version = 99')
    file.close()
    const newer = expect.objectContaining({ code: 'SCHEMA_NEWER' })
    expect(() => database.openProject(project)).toThrow(newer)
    expect(() => database.openReader(project)).toThrow(newer)
  })

  it('says that a file is damaged', async () => {
    const place = freshDirectory()
    const database = openSqliteDatabase({ directory: place })
    await (await database.openProject(project)).close()
    writeFileSync(fileIn(place), bytes(8192, 3))
    expect(() => database.openProject(project)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })

  it('rolls back on a full disk and goes on when there is room', async () => {
    const place = freshDirectory()
    const full = openSqliteDatabase({ directory: place, maxPages: 60 })
    let store = (await full.openProject(project)) as ProjectStore
    const first = await store.begin()
    await first.commit(batchRow(1, { messages: [messageRow(1, 0)] }))
    const big = batchRow(2, { messages: [messageRow(2, 0, { message: bytes(1_000_000, 1) })] })
    const second = await store.begin()
    expect(() => second.commit(big)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(() => second.kvGet('a', 'b')).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(await store.tip()).toMatchObject({ height: 1n })
    const third = await store.begin()
    expect(() => third.kvPut([{ namespace: 'a', key: 'b', value: bytes(1_000_000, 2) }])).toThrow(
      expect.objectContaining({ code: 'DISK_FULL' }),
    )
    const fourth = await store.begin()
    await fourth.commit(batchRow(2))
    await store.close()
    store = await openSqliteDatabase({ directory: place }).openProject(project)
    expect(await store.messages(1n)).toHaveLength(1)
    const fifth = await store.begin()
    await fifth.commit({ ...big, height: 3n })
    expect((await store.messages(3n))[0]?.message).toHaveLength(1_000_000)
    await store.close()
  })

  it('writes what waits without a commit', async () => {
    const place = freshDirectory()
    const database = openSqliteDatabase({ directory: place, lateWriteMs: 1 })
    const store = await database.openProject(project)
    await (await store.begin()).commit(batchRow(1))
    await store.putCertificates([{ height: 1n, certificate: bytes(5, 1) }])
    const reader = await database.openReader(project)
    await expect.poll(() => reader.batch(1n)).toMatchObject({ certificate: bytes(5, 1) })
    await reader.close()
    await store.close()
  })
})
