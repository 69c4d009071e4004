import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble, bumpAlloc } from '../../src/engine/testing/assemble.ts'
import { type CliOptions, runCli } from '../support/cli.ts'
import { sender } from '../support/events.ts'
import { type Device, type ErrorBody, type EventBody, Management } from '../support/management.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'

interface Version {
  readonly version: number
  readonly state: string
  readonly percent?: number
  readonly op: string
  readonly of?: number
  readonly by: string
  readonly codeHash: string
  readonly note?: string
  readonly steps: readonly { op: string; percent?: number }[]
  readonly results: { ok: number; failed: number; meanFuel: number }
}

/** Versions of an applet as an operator deals with them, by commands against a node, while devices send. */
describe('versions of an applet', { timeout: 90_000 }, () => {
  let node: NodeProcess
  let admin: Management
  let directory = ''
  let options: CliOptions = {}
  let devices: readonly Device[] = []
  const manifest = (file: string) =>
    `version: 1\nname: fleet\napplets:\n  - name: meter\n    wasm: ${file}\n    routes:\n      - event: DEFAULT\n        handler: start\n`

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start()
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
    admin = await Management.login(node)
    await runCli(['login', '--password-stdin'], { ...options, input: adminPassword })
    for (const [name, handler] of ['start', 'start', 'start', 'other'].entries()) {
      const wasm = assemble(`(module (memory (export "memory") 1) ${bumpAlloc}
        (func (export "${handler}") (param i32) (result i32) (i32.const ${name + 1})))`)
      await writeFile(join(directory, `v${name + 1}.wasm`), wasm)
    }
    await deploy('v1.wasm')
    devices = await Promise.all(Array.from({ length: 40 }, (_, i) => admin.device('fleet', `d${i}`)))
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  const cli = (...args: string[]) => runCli([...args, '-p', 'fleet', '--json'], options)
  const json = async <T>(...args: string[]) => (await cli(...args)).json<T>()
  const history = async () => (await json<{ data: Version[]; total: number }>('applet', 'history', 'meter')).data
  const deploy = async (file: string) => {
    await writeFile(join(directory, 'w3bstream.yaml'), manifest(file))
    return (await runCli(['project', 'deploy', '--yes', '--json'], options)).json<{ changes: { detail: string }[] }>()
  }
  const send = (device: Device) => sender(node, admin.channel('fleet'), device)('x')
  const codes = async () =>
    (await Promise.all(devices.map(send))).map(({ json: body }) => (body as EventBody).results?.[0]?.code)

  it('deploys the second version, and shows both', async () => {
    const { changes } = await deploy('v2.wasm')
    expect(changes.map(({ detail }) => detail)).toEqual([expect.stringContaining('version 1 -> 2')])
    expect((await deploy('v2.wasm')).changes).toEqual([])
    expect(new Set(await codes())).toEqual(new Set([2]))
    expect(await history()).toMatchObject([
      { version: 2, state: 'current', op: 'deploy', by: admin.accountId, results: { ok: 40, failed: 0 } },
      { version: 1, state: 'former', op: 'deploy', by: admin.accountId, results: { ok: 0, failed: 0 } },
    ])
  })

  it('rolls back under load: every event is answered by one version or the other, and none is lost', async () => {
    const answers: (number | undefined)[] = []
    let sending = true
    const load = devices.slice(0, 8).map(async (device) => {
      while (sending) answers.push(((await send(device)).json as EventBody).results?.[0]?.code)
    })
    const back = await json<{ version: number }>('applet', 'rollback', 'meter', '1', '--note', 'wrong unit')
    sending = false
    await Promise.all(load)
    expect(back.version).toBe(3)
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.every((code) => code === 1 || code === 2)).toBe(true)
    expect(new Set(await codes())).toEqual(new Set([1]))
    const [newest] = await history()
    expect(newest).toMatchObject({ version: 3, state: 'current', op: 'rollback', of: 1, note: 'wrong unit' })
    expect((await json<{ version: number }>('applet', 'rollback', 'meter', '1')).version).toBe(3)
  })

  it('lets a canary grow from a tenth to a half, and promotes it', async () => {
    await json('applet', 'canary', 'meter', 'v3.wasm', '--percent', '10')
    const few = await codes()
    await json('applet', 'canary', 'meter', '--percent', '50')
    const half = await codes()
    expect(new Set(half)).toEqual(new Set([1, 3]))
    expect(few.every((code, device) => code === 1 || half[device] === 3)).toBe(true)
    const [canary] = await history()
    expect(canary).toMatchObject({ version: 4, state: 'canary', percent: 50, results: { failed: 0 } })
    expect(canary!.results.ok).toBe([...few, ...half].filter((code) => code === 3).length)
    expect((await cli('applet', 'rollback', 'meter', '2')).stderr).toContain('CanaryConflict')
    expect(await json('applet', 'promote', 'meter')).toMatchObject({ version: 4, codeHash: canary!.codeHash })
    expect(new Set(await codes())).toEqual(new Set([3]))
    const { messageID } = (await send(devices[0]!)).json as EventBody
    const { stdout } = await runCli(['receipt', 'show', messageID, '-p', 'fleet'], options)
    expect(stdout).toMatch(`start returned 3, fuel`)
    expect(stdout).toMatch(`module ${canary!.codeHash.slice(0, 12)}`)
    const [promoted] = await history()
    expect(promoted?.steps).toMatchObject([
      { op: 'share', percent: 10 },
      { op: 'share', percent: 50 },
      { op: 'promote' },
    ])
  })

  it('gives a canary up', async () => {
    await json('applet', 'canary', 'meter', 'v2.wasm', '--percent', '100')
    expect(await json('applet', 'abort', 'meter')).toMatchObject({ version: 4 })
    expect(new Set(await codes())).toEqual(new Set([3]))
    expect((await cli('applet', 'abort', 'meter')).stderr).toContain('CanaryNotFound')
  })

  it('refuses a module that lacks a handler which a route names, on both ways in', async () => {
    const { stderr } = await cli('applet', 'canary', 'meter', 'v4.wasm', '--percent', '10')
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'InvalidModule' } })
    expect((await cli('applet', 'rollback', 'meter', '99')).stderr).toContain('VersionNotFound')
    expect((await cli('applet', 'canary', 'meter', 'v2.wasm', '--percent', '101')).code).toBe(2)
    expect((await cli('applet', 'history', 'nothing')).stderr).toContain('CLI_NOT_FOUND')
    const { applets } = await admin.expect<{ applets: { appletId: string }[] }>('GET', '/project/x/fleet/definition')
    const { appletId } = applets[0]!
    const change = (one: object) => admin.send<ErrorBody>('POST', '/project/x/fleet/changes', { changes: [one] })
    expect((await change({ op: 'applet.rollback', appletId, version: 99 })).json.key).toBe('VersionNotFound')
    const { data } = await admin.expect<{ data: { resourceID: string; filename: string }[] }>(
      'GET',
      '/resource?size=-1',
    )
    const { resourceID: resourceId } = data.find(({ filename }) => filename === 'v4.wasm')!
    const refused = await change({ op: 'applet.canary', appletId, percent: 5, resourceId })
    expect(refused.json.key).toBe('InvalidModule')
  })

  it('takes neither author nor hash of a module from the caller', async () => {
    const { applets } = await admin.expect<{ applets: { appletId: string; codeHash: string }[] }>(
      'GET',
      '/project/x/fleet/definition',
    )
    const { appletId, codeHash } = applets[0]!
    await admin.change('fleet', { op: 'applet.update', appletId, codeHash: 'ab'.repeat(32), by: '1', name: 'meter' })
    const after = await admin.expect<{ applets: { codeHash: string }[] }>('GET', '/project/x/fleet/definition')
    expect(after.applets[0]?.codeHash).toBe(codeHash)
    await admin.change('fleet', { op: 'applet.rollback', appletId, version: 1, by: '1' })
    expect((await history())[0]).toMatchObject({ op: 'rollback', by: admin.accountId })
  })
})
