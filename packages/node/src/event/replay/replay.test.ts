import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { Snapshots } from '../../database/snapshot/snapshots.ts'
import { openSqliteDatabase } from '../../database/sqlite/sqlite-database.ts'
import { createEngine } from '../../engine/index.ts'
import { LiveModules } from '../live-modules.ts'
import { type TestProject, World, type WorldOptions } from '../testing/world.ts'
import type { Difference } from './difference.ts'
import { type ReplayOptions, type ReplaySummary, replay } from './replay.ts'

let world: World
const directories: string[] = []
afterEach(async () => {
  await world.close()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

const words = {
  schemas: [
    {
      schema: 'public',
      tables: [
        {
          name: 't_words',
          cols: [
            { name: 'f_word', constrains: { datatype: 'TEXT' } },
            { name: 'f_length', constrains: { datatype: 'INT32' } },
          ],
        },
      ],
    },
  ],
}

async function open(options: WorldOptions = {}): Promise<TestProject> {
  world = await World.open(options)
  const project = await world.project()
  await project.deploy({
    rust_kv_sql: { W: 'count_words', S: 'store_words' },
    rust_wasi: { T: 'tell_time', D: 'draw' },
    rust_log: { CRASH: 'crash' },
    rust_tx: { CALL: 'call', MQTT: 'publish' },
    loop: { SPIN: 'spin' },
  })
  await project.change({ op: 'database.put', database: words })
  return project
}

async function fill(project: TestProject): Promise<void> {
  await project.event('to be or not to be', { eventType: 'W' })
  await project.event('to be', { eventType: 'S' })
  await project.event('', { eventType: 'T' })
  await project.event('', { eventType: 'D' })
  await project.event('', { eventType: 'CRASH' })
  await project.event('topic hello', { eventType: 'MQTT' })
  await project.event('again', { eventType: 'W', idempotencyKey: 'k' })
  await project.event('again', { eventType: 'W', idempotencyKey: 'k' })
  await project.change({ op: 'env.put', env: [['a', 'b']] })
}

const snapshotsOf = () => new Snapshots(join(world.directory, 'snapshots'), world.database)

async function again(
  project: TestProject,
  options: ReplayOptions = {},
): Promise<ReplaySummary & { found: readonly Difference[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'w3b-replay-'))
  directories.push(directory)
  const found: Difference[] = []
  const engine = createEngine()
  const summary = await replay(project.key, options, {
    database: world.database,
    snapshots: snapshotsOf(),
    scratch: openSqliteDatabase({ directory, durable: false }),
    modules: new LiveModules(engine, world.vfs, { liveModules: 16, blocking: new Set(['chain']) }),
    onDifference: (difference) => found.push(difference),
  })
  return { ...summary, found }
}

/** Changes the project's file behind the node's back. */
function tamper(project: TestProject, sql: string, ...values: (string | number | Uint8Array)[]): void {
  const db = new DatabaseSync(join(world.directory, 'projects', `${project.key.slice(2)}.db`))
  expect(db.prepare(sql).run(...values).changes).toBe(1)
  db.close()
}

describe('replay', () => {
  it('gives the same bytes, from the beginning and from a snapshot', async () => {
    const project = await open()
    await fill(project)
    const { header } = await snapshotsOf().create(project.key)
    await fill(project)
    const whole = await again(project)
    expect(whole.found).toEqual([])
    expect(whole).toMatchObject({ snapshot: undefined, stateCompared: true, batches: Number(whole.to) })
    const part = await again(project, { from: header.height + 1n })
    expect(part.found).toEqual([])
    expect(part).toMatchObject({ batches: Number(whole.to - header.height), stateCompared: true })
    expect(part.snapshot?.height).toBe(header.height)
    expect(part.stateDigest).toEqual(whole.stateDigest)
    const middle = await again(project, { from: 2n, to: 4n })
    expect(middle).toMatchObject({ found: [], batches: 4, stateCompared: false })
  })

  it('asks nobody: answers and failures come from the witness', async () => {
    let asked = 0
    const project = await open({
      services: {
        call: () =>
          ++asked % 2 === 1 ? Promise.resolve(Uint8Array.of(asked)) : Promise.reject(new Error('the chain is away')),
      },
    })
    const to = `0x${'11'.repeat(20)}`
    for (let i = 0; i < 4; i++) await project.event(`4690 ${to} 0x00`, { eventType: 'CALL' })
    expect(asked).toBe(4)
    expect((await again(project)).found).toEqual([])
    expect(asked).toBe(4)
  })

  it('repeats what the watchdog did', async () => {
    const project = await open({ pool: {} })
    await project.change({
      op: 'settings.put',
      settings: { limits: { wallClockMs: 100, fuel: Number.MAX_SAFE_INTEGER } },
    } as never)
    const receipt = await project.event('', { eventType: 'SPIN' })
    expect(receipt.results[0]).toMatchObject({ error: 'WALL_CLOCK' })
    await project.event('after', { eventType: 'W' })
    expect((await again(project)).found).toEqual([])
  })

  it('refuses batches that are not there', async () => {
    const project = await open()
    for (const range of [{ from: 0n }, { from: 3n, to: 2n }, { to: 1000n }])
      await expect(again(project, range)).rejects.toMatchObject({ code: 'REPLAY_RANGE' })
  })
})

describe('a history that was altered', () => {
  it.each([
    [
      'a message',
      "UPDATE message_body SET body = CAST(replace(CAST(body AS TEXT), 'to be or', 'to me or') AS BLOB) WHERE instr(body, CAST('to be or' AS BLOB)) > 0",
      { field: 'message', message: 0 },
    ],
    [
      'a receipt',
      "UPDATE receipt SET receipt = CAST(substr(receipt, 1, 42) || x'02' || substr(receipt, 44) AS BLOB) WHERE row = (SELECT min(row) FROM message WHERE event_type = 'W')",
      { field: 'receipt.status', wanted: 'unrouted', found: 'ok' },
    ],
    [
      'the status of a message',
      "UPDATE message SET status = 'failed' WHERE row = (SELECT min(row) FROM message WHERE event_type = 'W')",
      { field: 'message.status', wanted: 'failed', found: 'ok' },
    ],
    [
      'a batch’s header',
      "UPDATE batch SET time_ms = time_ms, header = CAST(substr(header, 1, 20) || x'00' || substr(header, 22) AS BLOB) WHERE height = 9",
      { field: 'header', height: 9n },
    ],
    ['a state digest', 'UPDATE batch SET state_digest = zeroblob(32) WHERE height = 9', { field: 'stateDigest' }],
    ['a witness', "UPDATE batch SET witness = x'0100000100' WHERE height = 9", { field: 'witness', height: 9n }],
    ['a key', "UPDATE kv SET value = x'00' WHERE key = 'or'", { field: expect.stringMatching(/^kv applet:\d+ "or"$/) }],
    [
      'a table’s row',
      `UPDATE "public.t_words" SET f_length = 9 WHERE f_word = 'be'`,
      { field: 'row 2 of public.t_words', wanted: 'be, 9', found: 'be, 2' },
    ],
    [
      'the definition',
      "UPDATE definition SET value = '[]' WHERE kind = 'env'",
      { field: 'definition env ', wanted: '[]' },
    ],
    [
      'a remembered key',
      'UPDATE idempotency SET time_ms = time_ms + 1',
      { field: expect.stringMatching(/^idempotency/) },
    ],
  ])('in %s is told with its place', async (_, sql, wanted) => {
    const project = await open()
    await fill(project)
    tamper(project, sql)
    const { found } = await again(project)
    expect(found[0]).toMatchObject(wanted)
  })

  it('is gone through to its end when asked for', async () => {
    const project = await open()
    await fill(project)
    tamper(project, 'UPDATE batch SET state_digest = zeroblob(32) WHERE height = 9')
    const first = await again(project)
    expect(first.found.every(({ height }) => height === 9n)).toBe(true)
    expect(first.stateCompared).toBe(false)
    const { found, batches, to, stateCompared } = await again(project, { keepGoing: true })
    expect(found).toMatchObject([{ height: 9n, field: 'stateDigest' }])
    expect(batches).toBe(Number(to))
    expect(stateCompared).toBe(true)
  })
})
