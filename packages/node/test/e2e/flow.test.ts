import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble, bumpAlloc } from '../../src/engine/testing/assemble.ts'
import { type CliOptions, runCli } from '../support/cli.ts'
import { sender } from '../support/events.ts'
import { appletForm, type Device, Management } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'
import { until } from '../support/until.ts'

const example = fileURLToPath(new URL('../../../../examples/device-means/', import.meta.url))

interface Mean {
  readonly device: string
  readonly count: number
  readonly mean: number
}

/** Compiling takes its time where tests run beside each other, milliseconds. */
const compileMs = 90_000

/** From a project file to rows in a table: the example of the documentation, with shorter windows. */
describe('a stream flow', () => {
  let node: NodeProcess
  let admin: Management
  let device: Device
  let directory = ''
  let options: CliOptions = {}
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start()
    admin = await Management.login(node)
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
    await runCli(['login', '--password-stdin'], { ...options, input: `${adminPassword}\n` })
    const file = await readFile(join(example, 'w3bstream.yaml'), 'utf8')
    await write(
      'w3bstream.yaml',
      file,
      ['assembly/index.ts', join(example, 'assembly/index.ts')],
      ['tumbling: 10s, lateness: 1s', 'tumbling: 1s, lateness: 500ms'],
    )
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  const write = (name: string, text: string, ...changes: (readonly [string, string])[]) =>
    writeFile(
      join(directory, name),
      changes.reduce((changed, [from, to]) => changed.replace(from, to), text),
    )
  const file = () => readFile(join(directory, 'w3bstream.yaml'), 'utf8')
  const deploy = (...args: string[]) => runCli(['project', 'deploy', '--yes', '--json', ...args], options)
  const means = async () =>
    (await admin.query('means', 'SELECT device, count, mean FROM means')) as unknown as readonly Mean[]

  it(
    'is deployed after its functions, and not again',
    async () => {
      const first = (await deploy()).json<{ changes: { what: string; detail: string }[] }>()
      expect(first.changes.at(-1)).toMatchObject({
        what: 'flow',
        detail: 'isReading | withDevice | WINDOW | deviceOf | mean',
      })
      expect((await deploy()).json<{ changes: unknown[] }>().changes).toEqual([])
      device = await admin.device('means', 'd9')
      send = sender(node, admin.channel('means'), device)
    },
    compileMs,
  )

  it(
    'is refused before anything is changed when functions are missing',
    async () => {
      await write('wrong.yaml', await file(), ['reduce: mean', 'reduce: deviceOf'], ['map: with', 'map: without'])
      const { code, stderr } = await deploy('-f', 'wrong.yaml')
      expect(code).toBe(1)
      expect(stderr).toContain(
        'flow: applet means exports no function for map \\"withoutDevice\\", reduce \\"deviceOf\\"',
      )
    },
    compileMs,
  )

  it('makes rows of what devices send by HTTP and MQTT, also when nothing comes any more', async () => {
    const { json } = await send('{"value":10}', { eventType: 'reading' })
    expect(json.results).toMatchObject(
      ['isReading', 'withDevice', 'deviceOf', 'mean'].map((handler) => ({ handler, code: 0 })),
    )
    await using mqtt = await TestDevice.open(node, device)
    await mqtt.client.publishAsync(`${admin.channel('means')}/reading`, '{"value":30}', { qos: 1 })
    await send('{"value":"none"}', { eventType: 'reading' })
    const rows = await until('both readings in the table', async () => {
      const rows = await means()
      return rows.reduce((sum, { count }) => sum + count, 0) === 2 && rows
    })
    expect(rows.every((row) => row.device === 'd9')).toBe(true)
    expect(rows.reduce((sum, { count, mean }) => sum + count * mean, 0)).toBe(40)
    const timers = await admin.receipts('means', 'eventType=w3bstream:flow')
    expect(timers.at(-1)).toMatchObject({ kind: 'timer', status: 'applied' })
  })

  it(
    'keeps what is open through a crash of the node',
    async () => {
      await write('w3bstream.yaml', await file(), ['tumbling: 1s', 'tumbling: 5s'])
      expect((await deploy()).code).toBe(0)
      await send('{"value":7}', { eventType: 'reading' })
      await node.kill9()
      await node.start()
      await until('the window of before the crash', async () => (await means()).some(({ mean }) => mean === 7))
    },
    compileMs,
  )

  it(
    'tells which windows are open, to people and to scripts',
    async () => {
      await write('w3bstream.yaml', await file(), ['tumbling: 5s', 'tumbling: 24h'])
      expect((await deploy()).code).toBe(0)
      await send('{"value":7}', { eventType: 'reading' })
      const open = await runCli(['flow', 'status', 'means', '--json'], options)
      expect(open.json()).toMatchObject({ total: 1, late: 0, dropped: 0, data: [{ group: 'd9', elements: 1 }] })
      const shown = await runCli(['flow', 'status', 'means'], options)
      expect(shown.stdout).toMatch(/open windows 1\n.*d9 .* 1 +\d+ reduced/s)
    },
    compileMs,
  )

  it('is refused over the API when its applet lacks functions, and so is a module that would take them away', async () => {
    const path = '/project_config/x/means/PROJECT_FLOW'
    const flow = await admin.expect<{ operators: { opType: string; wasmFunc?: string }[] }>('GET', path)
    const operators = flow.operators.map((one) => (one.opType === 'MAP' ? { ...one, wasmFunc: 'nowhere' } : one))
    const { status, json } = await admin.send('POST', path, { ...flow, operators })
    expect(status).toBe(400)
    expect(json).toMatchObject({ key: 'InvalidFlow', desc: expect.stringContaining('no function for map "nowhere"') })
    const { appletID } = (await admin.expect<{ data: { appletID: string }[] }>('GET', '/applet/x/means/datalist'))
      .data[0]!
    const handler = (name: string) => `(func (export "${name}") (param i32) (result i32) (i32.const 0))`
    const wasm = assemble(`(module (memory (export "memory") 1) ${bumpAlloc} ${handler('report')})`)
    const form = appletForm(new Uint8Array(wasm), { percent: 10 })
    const canary = await admin.send('POST', `/applet/${appletID}/canary`, form)
    expect(canary.json).toMatchObject({ key: 'InvalidModule', desc: expect.stringContaining('of the flow') })
  })

  it('takes no timer from a device', async () => {
    const { status, json } = await send('', { eventType: 'w3bstream:flow' })
    expect(status).toBe(400)
    expect(json.fields).toMatchObject([{ field: 'eventType' }])
  })
})
