import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOptions, runCli } from '../support/cli.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'

const fixture = new URL('../interop/guests/fixtures/rust_files.wasm', import.meta.url)
const projectFile = (assets: string) => `
version: 1
name: journal
applets:
  - name: keeper
    wasm: keeper.wasm
    routes:
      - { event: DEFAULT, handler: keep_journal }
assets:
${assets}
`

interface Listing {
  readonly data: readonly { cid: string; size: number; derivedSize: number; references: readonly string[] }[]
  readonly usage: { readonly files: number; readonly bytes: number; readonly limitBytes: number }
}

/** Files of a project from its folder to its applet, and what becomes of them on the node. */
describe('files', () => {
  let node: NodeProcess
  let directory = ''
  let options: CliOptions = {}

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start({ flags: ['--limit', 'vfsBytes=50000000'] })
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
    await copyFile(fixture, join(directory, 'keeper.wasm'))
    await writeFile(join(directory, 'words.txt'), 'to\nbe\n')
    await writeFile(join(directory, 'w3bstream.yaml'), projectFile('  words.txt: words.txt'))
    expect((await cli('login', '--password-stdin')).code).toBe(0)
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  const cli = (...args: string[]) => runCli([...args, '--json'], { ...options, input: `${adminPassword}\n` })
  const json = async <T>(...args: string[]) => (await cli(...args)).json<T>()

  /** The applet's line about an event. */
  async function publish(data: string): Promise<string | undefined> {
    await json('publish', '-p', 'journal', '-d', 'd1', '--data', data)
    const { stdout } = await cli('logs', '-p', 'journal', '-n', '1')
    return JSON.parse(stdout.trim().split('\n').at(-1)!).msg
  }

  it('are deployed with the project, and once', async () => {
    const first = await json<{ changes: { what: string; detail: string }[] }>('project', 'deploy', '--yes')
    expect(first.changes).toContainEqual(
      expect.objectContaining({ what: 'asset words.txt', detail: expect.stringMatching(/^bafkrei/) }),
    )
    expect((await json<{ changes: unknown[] }>('project', 'deploy', '--yes')).changes).toEqual([])
    await json('device', 'add', 'd1', '--project', 'journal')
    expect(await publish('one')).toBe('one to,be')
  })

  it('are exchanged by the next deployment, and the journal goes on', async () => {
    await writeFile(join(directory, 'words.txt'), 'or not')
    await json('project', 'deploy', '--yes')
    expect(await publish('two')).toBe('one,two or not')
    const replay = await runCli(['replay', 'journal', '--json'], {
      ...options,
      env: { ...options.env, W3BSTREAM_DATA_DIR: node.dataDir },
    })
    expect(replay.code, replay.stdout + replay.stderr).toBe(0)
  })

  it('are refused in a project file that no applet could use', async () => {
    const file = join(directory, 'w3bstream.yaml')
    const before = await readFile(file, 'utf8')
    for (const assets of ['  ../words.txt: words.txt', '  a: words.txt\n  a/b: words.txt']) {
      await writeFile(file, projectFile(assets))
      expect((await cli('project', 'deploy', '--dry-run')).stderr).toContain('PROJECT_FILE_INVALID')
    }
    await writeFile(file, projectFile('  a: missing.txt'))
    expect((await cli('project', 'deploy', '--dry-run')).stderr).toContain('CLI_FILE')
    await writeFile(file, before)
  })

  it('are listed with what they are kept for, saved, and removed when nothing refers to them', async () => {
    await writeFile(join(directory, 'loose.bin'), 'loose')
    const { cid } = await json<{ cid: string }>('vfs', 'put', 'loose.bin')
    const { data, usage } = await json<Listing>('vfs', 'ls')
    expect(usage).toMatchObject({ files: data.length, limitBytes: 50_000_000 })
    // The module, two editions of the words, the loose one.
    expect(data).toHaveLength(4)
    expect(data.find((file) => file.cid === cid)?.references).toEqual([expect.stringMatching(/^file of account /)])
    expect(data.filter(({ references }) => references.some((name) => /^history of /.test(name)))).toHaveLength(3)
    expect(await json('vfs', 'get', cid, 'saved.bin')).toMatchObject({ size: 5 })
    expect(await readFile(join(directory, 'saved.bin'), 'utf8')).toBe('loose')
    expect((await cli('vfs', 'get', cid, 'saved.bin')).stderr).toContain('CLI_FILE')
    expect((await cli('vfs', 'get', 'nonsense')).code).toBe(2)
    expect(await json('vfs', 'gc', '--grace-hours', '0')).toMatchObject({ files: 0 })
    expect((await cli('vfs', 'rm', cid)).code).toBe(0)
    expect((await cli('vfs', 'rm', cid)).stderr).toContain('FileNotFound')
    expect(await json('vfs', 'gc', '--dry-run')).toMatchObject({ files: 0, young: 1 })
    expect(await json('vfs', 'gc', '--dry-run', '--grace-hours', '0')).toMatchObject({ files: 1, bytes: 5 })
    expect(await json('vfs', 'gc', '--grace-hours', '0')).toMatchObject({ files: 1, usage: { files: 3 } })
    expect(await publish('three')).toBe('one,two,three or not')
  })
})
