import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOptions, runCli, spawnCli } from '../support/cli.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'

/** A project's life from an empty directory to its removal, by commands only, as a script runs them. */
describe('the command line', () => {
  let node: NodeProcess
  let directory = ''
  let options: CliOptions = {}

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start()
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  const cli = (args: readonly string[], more: CliOptions = {}) => runCli([...args, '--json'], { ...options, ...more })
  const json = async <T>(...args: string[]) => (await cli(args)).json<T>()

  it('asks for a login before anything else', async () => {
    const { code, stderr } = await cli(['project', 'list'])
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CLI_NOT_LOGGED_IN' } })
    const wrong = await cli(['login', '--password-stdin'], { input: 'wrong' })
    expect(wrong.code).toBe(1)
    const right = await cli(['login', '--password-stdin'], { input: `${adminPassword}\n` })
    expect(right.code).toBe(0)
    expect(right.stdout + right.stderr).not.toContain(adminPassword)
  })

  it('makes a project and its applet, and builds it', async () => {
    await json('init', '.', '--name', 'weather', '--applet', 'station', '--yes')
    const built = await json<{ handlers: string[]; bytes: number }>('applet', 'build', 'station')
    expect(built.handlers).toContain('start')
    const tested = await cli(['applet', 'test', 'station'])
    expect(tested.code).toBe(0)
  })

  it('shows what a deployment would do, does it, and does nothing the second time', async () => {
    const dry = await json<{ changes: unknown[]; applied: boolean }>('project', 'deploy', '--dry-run')
    expect(dry.changes.length).toBeGreaterThan(0)
    expect(await json('project', 'list')).toEqual({ data: [], total: 0 })
    await json('project', 'create', 'weather')
    const first = await json<{ changes: unknown[] }>('project', 'deploy', '--yes')
    expect(first.changes.length).toBeGreaterThan(0)
    const second = await json<{ changes: unknown[] }>('project', 'deploy', '--yes')
    expect(second.changes).toEqual([])
  })

  it('publishes as a device over every transport, and shows log and receipt', async () => {
    const device = await json<{ key: string; token: string }>('device', 'add', 'd1', '--project', 'weather')
    expect(device.token).toMatch(/^w3b_/)
    const again = await json<{ token: string }>('device', 'add', 'd1', '-p', 'weather', '--if-missing')
    expect(again.token).toBe(device.token)
    const ids: string[] = []
    for (const transport of ['http', 'mqtt', 'rpc']) {
      const sent = [
        'publish',
        '-p',
        'weather',
        '-d',
        'd1',
        '--data',
        `{"from":"${transport}"}`,
        '--transport',
        transport,
      ]
      const answer = await json<{ messageID?: string; messageId?: string }>(...sent, '--mqtt-url', node.mqtt)
      ids.push((answer.messageID ?? answer.messageId)!)
    }
    expect(ids).toEqual(ids.map(() => expect.stringMatching(/^0x[0-9a-f]{64}$/)))
    const { stdout } = await cli(['logs', '-p', 'weather'])
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string })
    expect(lines.length).toBeGreaterThanOrEqual(3)
    const file = join(directory, 'receipt.json')
    await json('receipt', 'show', ids[0]!, '-p', 'weather', '--out', file)
    expect((await cli(['receipt', 'verify', file])).code).toBe(0)
    const receipt = await json<{ receipt: string }>('receipt', 'show', ids[1]!, '-p', 'weather')
    const flipped = receipt.receipt.endsWith('0') ? '1' : '0'
    await writeFile(file, JSON.stringify({ ...receipt, receipt: receipt.receipt.slice(0, -1) + flipped }))
    expect((await cli(['receipt', 'verify', file])).code).toBe(1)
  })

  it('pauses, resumes and deletes', async () => {
    const publish = ['publish', '-p', 'weather', '-d', 'd1', '--data', '{}']
    await json('project', 'pause', 'weather')
    expect((await cli(publish)).code).toBe(1)
    await json('project', 'resume', 'weather')
    expect((await cli(publish)).code).toBe(0)
    expect((await cli(['project', 'delete', 'weather'])).code).not.toBe(0)
    await json('project', 'delete', 'weather', '--yes')
    expect((await cli(publish)).code).toBe(1)
  })

  it('says what is wrong with a project file, with every mistake at its line', async () => {
    await writeFile(join(directory, 'broken.yaml'), 'version: 1\nname: UPPER\nnonsense: 1\napplets: 7\n')
    const { code, stderr } = await cli(['project', 'deploy', '-f', 'broken.yaml', '--yes'])
    expect(code).toBeGreaterThan(0)
    expect(stderr).toContain('nonsense')
    expect(stderr).toContain('UPPER')
    expect(stderr).toContain('applets')
  })

  it('ends quietly when nobody reads its output', async () => {
    const child = spawnCli(['--help'])
    child.stdout?.destroy()
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    await once(child, 'close')
    expect({ code: child.exitCode, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('examines the node', async () => {
    expect((await cli(['doctor'])).code).toBe(0)
  })

  it('explains each command, with examples', async () => {
    const explain = async (path: readonly string[]): Promise<string[]> => {
      const { code, stdout } = await runCli([...path, '--help'], options)
      expect(code).toBe(0)
      const listed = stdout.split('\nCommands:\n')[1] ?? ''
      const children = [...listed.matchAll(/^ {2}(\w[\w-]*)/gm)]
        .map(([, name]) => name!)
        .filter((name) => name !== 'help')
      if (children.length === 0) {
        expect(stdout).toContain('Examples:')
        return [path.join(' ')]
      }
      return (await Promise.all(children.map((name) => explain([...path, name])))).flat()
    }
    const leaves = await explain([])
    expect(leaves).toEqual(
      expect.arrayContaining(['start', 'init', 'project deploy', 'device rotate', 'receipt verify']),
    )
  })
})
