import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { until } from '../support/until.ts'

interface Snapshot {
  readonly file: string
  readonly height: string
  readonly digest: string
}

describe('replay and snapshots of a data directory', () => {
  let node: NodeProcess
  let admin: Management
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    node = await NodeProcess.start({ flags: ['--snapshot-every', '5', '--snapshot-keep', '3'] })
    admin = await Management.login(node)
    await admin.project('weather')
    await admin.applet('weather', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
    send = sender(node, admin.channel('weather'), await admin.device('weather', 'd1'))
    for (let i = 0; i < 20; i++) await send(`to be or not to be ${i}`)
  })
  afterAll(() => node?.[Symbol.asyncDispose]())

  const cli = (...args: string[]) => runCli([...args, '--json'], { env: { W3BSTREAM_DATA_DIR: node.dataDir } })
  const lines = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('repeats a history beside the node that goes on with it', async () => {
    const sending = Array.from({ length: 20 }, (_, i) => send(`beside ${i}`))
    const { code, stdout, stderr } = await cli('replay', 'weather')
    await Promise.all(sending)
    expect(code, stdout + stderr).toBe(0)
    expect(lines(stdout).at(-1)).toMatchObject({ same: true, differences: 0, stateCompared: true })
    const { stderr: none } = await cli('replay', 'weather', '--from', '1', '--to', '100000')
    expect(JSON.parse(none)).toMatchObject({ error: { code: 'REPLAY_RANGE', to: '100000' } })
    expect((await cli('replay', 'elsewhere')).stderr).toContain('CLI_NOT_FOUND')
    expect((await cli('replay', 'weather', '--from', 'x')).code).toBe(2)
  })

  it('takes snapshots, by itself too, and begins with one', async () => {
    const own = await until(
      'a snapshot that the node took',
      async () => (await cli('snapshot', 'list', 'weather')).json<Snapshot[]>()[0],
    )
    expect(Number(own.height)).toBeGreaterThanOrEqual(5)
    const made = (await cli('snapshot', 'create', 'weather')).json<Snapshot>()
    const { code } = await cli('snapshot', 'verify', made.file)
    expect(code).toBe(0)
    await send('behind the snapshot')
    const { stdout } = await cli('replay', 'weather', '--from', String(Number(made.height) + 1))
    expect(lines(stdout).at(-1)).toMatchObject({ same: true, start: { height: made.height }, batches: 1 })
    const bytes = await readFile(made.file)
    bytes[bytes.length - 100]! ^= 1
    const bad = join(node.dataDir, 'bad.w3bsnap')
    await writeFile(bad, bytes)
    expect((await cli('snapshot', 'verify', bad)).stderr).toContain('SNAPSHOT_INVALID')
  })

  it('goes on from a snapshot when the store is lost, and tells what was altered', { timeout: 120_000 }, async () => {
    const { file, height } = (await cli('snapshot', 'create', 'weather')).json<Snapshot>()
    expect((await cli('snapshot', 'restore', file)).stderr).toContain('CONFIG_INVALID')
    await node.stop()
    const projects = join(node.dataDir, 'projects')
    const [store = ''] = (await readdir(projects)).filter((name) => name.endsWith('.db'))
    expect((await cli('snapshot', 'restore', file)).stderr).toContain('STORE_NOT_EMPTY')
    await rename(join(projects, store), join(node.dataDir, 'lost.db'))
    expect((await cli('snapshot', 'restore', file)).json()).toMatchObject({ restored: true, height })
    await node.restart()
    expect(await send('after the loss')).toMatchObject({ status: 201 })
    const from = String(Number(height) + 1)
    const { stdout, stderr } = await cli('replay', 'weather', '--from', from)
    expect(stderr).toBe('')
    expect(lines(stdout).at(-1)).toMatchObject({ same: true, start: { height } })
    const db = new DatabaseSync(join(projects, store))
    db.exec("UPDATE kv SET value = x'00000000' WHERE key = 'be'")
    db.close()
    const altered = await cli('replay', 'weather', '--from', from)
    expect(altered.code).toBe(1)
    expect(lines(altered.stdout)[0]).toMatchObject({ difference: { field: expect.stringMatching(/^kv .*"be"$/) } })
  })
})
