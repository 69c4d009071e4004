import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildApplet, type SimulationOptions, simulate } from '@w3bstream/applet-sdk/tool'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appletEngine } from '../../src/cli/applet-engine.ts'

/**
 * Applets on the AssemblyScript kit that is published on npm, compiled from its unchanged sources with today's compiler. The
 * package names examples but does not contain them: `published-kit/assembly` has applets of our own for each of its
 * functions, and the README's blocks are taken as they stand.
 */
const engine = appletEngine()
const modules = fileURLToPath(new URL('../../../../node_modules/', import.meta.url))
const sources = fileURLToPath(new URL('published-kit/assembly/', import.meta.url))

async function load(name: string, options: SimulationOptions = {}) {
  const { wasm } = await buildApplet(join(sources, `${name}.ts`))
  return simulate(wasm, engine, options)
}

const lines = (result: { logs: readonly { message: string }[] }) => result.logs.map((line) => line.message)
const word = (hex: string) => hex.padStart(64, '0')
/** The ABI's form of the string `W3B`. */
const symbol = `0x${word('20')}${word('3')}${'573342'.padEnd(64, '0')}`

describe('published AssemblyScript kit', () => {
  it('logs, and a failed assertion traps after its line', async () => {
    const applet = await load('log')
    const good = await applet.send({ handler: 'start', payload: 'grüezi' })
    expect(good.outcome).toMatchObject({ type: 'returned', code: 0 })
    expect(good.logs).toContainEqual({ level: 4, source: 'wasmCode', message: 'received grüezi' })
    const bad = await applet.send({ handler: 'rejects' })
    expect(bad.outcome).toMatchObject({ type: 'failed', error: 'TRAP' })
    expect(lines(bad)).toContainEqual(expect.stringMatching(/^abort: asserted by the applet at .*log\.ts:\d+:\d+$/))
  })

  it('reads JSON', async () => {
    const applet = await load('json')
    const result = await applet.send({ handler: 'start', payload: '{"name":"a","count":42,"ratio":0.5}' })
    expect(result.outcome).toMatchObject({ code: 42 })
    expect(lines(result)).toContain('a 42 0.5')
    expect((await applet.send({ handler: 'start', payload: '{}' })).outcome).toMatchObject({ code: -1 })
  })

  it('keeps values from event to event', async () => {
    const applet = await load('kv')
    await applet.send({ handler: 'start', payload: 'k' })
    expect((await applet.send({ handler: 'start', payload: 'k' })).outcome).toMatchObject({ code: 2 })
    expect(applet.host.kv.get('k')).toEqual(Uint8Array.of(2, 0, 0, 0))
  })

  it('runs SQL; one row comes as an object, more as a list', async () => {
    const cols = [
      { name: 'f_name', constrains: { datatype: 'TEXT' } },
      { name: 'f_count', constrains: { datatype: 'INT32' } },
      { name: 'f_value', constrains: { datatype: 'FLOAT64' } },
    ]
    const applet = await load('sql', { database: { schemas: [{ tables: [{ name: 't_reading', cols }] }] } })
    const one = await applet.send({ handler: 'start', payload: 'it\'s "a"' })
    expect(lines(one)).toContain('rows {"f_count":7,"f_name":"it\'s \\"a\\"","f_value":0.25}')
    const two = await applet.send({ handler: 'start', payload: 'b' })
    expect(lines(two).at(-1)).toMatch(/^rows \[\{.*\},\{.*\}\]$/)
    const without = await (await load('sql')).send({ handler: 'start', payload: 'b' })
    expect(without.outcome).toMatchObject({ type: 'failed', error: 'TRAP' })
  })

  it('reads the environment, and traps on a value that is not set', async () => {
    const applet = await load('env', { env: { KEY: 'v' } })
    expect(lines(await applet.send({ handler: 'start', payload: 'KEY' }))).toContain('value v')
    expect((await applet.send({ handler: 'start', payload: 'NO' })).outcome).toMatchObject({ error: 'TRAP' })
  })

  it('mints: the transaction it sends is the one it built', async () => {
    const owner = '9117f5ef4156709092f79740a97b1638ca399a00'
    const applet = await load('erc20_mint')
    const result = await applet.send({ handler: 'start', payload: owner })
    expect(result.transactions).toMatchObject([
      {
        chainId: 4690n,
        to: '0xb73eE6EB5b1984c78CCcC49eA7Ad773E71d74F51',
        value: 0n,
        data: `0x40c10f19${word(owner)}${word((2n * 10n ** 18n).toString(16))}`,
      },
    ])
    expect(lines(result)).toContain(`hash ${result.transactions[0]?.hash}`)
    const refused = await load('erc20_mint', { refuseTransactions: true })
    expect((await refused.send({ handler: 'start', payload: owner })).outcome).toMatchObject({ error: 'TRAP' })
  })

  it('reads contracts', async () => {
    const applet = await load('call_contract', {
      reads: [{ data: '0x313ce567', returns: `0x${word('12')}` }, { returns: symbol }],
    })
    const result = await applet.send({ handler: 'start', payload: '0xa00744882684c3e4747faefd68d283ea44099d03' })
    expect(lines(result)).toContain('decimals 18')
    expect(lines(result).at(-1)).toContain('W3B')
  })

  it('submits metrics', async () => {
    const applet = await load('submit_metrics')
    expect((await applet.send({ handler: 'start', payload: '{"a":1}' })).metrics).toEqual(['{"a":1}'])
    expect((await applet.send({ handler: 'start', payload: '[1]' })).outcome).toMatchObject({ error: 'TRAP' })
  })

  it("calls the node's services and reads their results", async () => {
    const applet = await load('api_call')
    const asked = await applet.send({ handler: 'start', payload: '0x01' })
    expect(asked.apiCalls.map((call) => JSON.parse(call).Url)).toEqual(['w3bstream://w3bstream.com/system/read_tx'])
    expect(lines(asked).at(-1)).toContain('"StatusCode":200')
    const body = Buffer.from('{"transaction":{}}').toString('base64')
    const result = await applet.send({ handler: 'handle_result', payload: JSON.stringify({ Body: body }) })
    expect(lines(result)).toContain('result {"transaction":{}}')
  })
})

describe("the published kit's README", () => {
  let directory = ''
  let blocks: string[] = []

  beforeAll(async () => {
    const readme = join(modules, '@w3bstream/wasm-sdk/README.md')
    blocks = [...(await readFile(readme, 'utf8')).matchAll(/```typescript\n(.*?)```/gs)].map((block) => block[1]!)
    directory = await mkdtemp(join(tmpdir(), 'published-kit-'))
    await symlink(modules, join(directory, 'node_modules'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  /** @param call what the block is known by */
  async function block(call: string, missingImport = ''): Promise<Uint8Array> {
    const source = blocks.find((text) => text.includes('export function start') && text.includes(call))
    await writeFile(join(directory, 'applet.ts'), missingImport + source)
    return (await buildApplet(join(directory, 'applet.ts'))).wasm
  }
  const forgotten = 'import { GetDataByRID } from "@w3bstream/wasm-sdk";\n'

  it('CallContract runs as it stands', async () => {
    const reads = [
      { data: '0x70a08231', returns: `0x${word('2a')}` },
      { data: '0x95d89b41', returns: symbol },
    ]
    const applet = await simulate(await block('CallContract('), engine, { reads })
    const result = await applet.send({ handler: 'start', payload: 'go' })
    expect(result.outcome).toMatchObject({ code: 0 })
    expect(lines(result)).toContain('balanceOfInt:42.0')
  })

  it('Log and GetEnv run with the import that they forget', async () => {
    const log = await simulate(await block('Start from assemblyscript', forgotten), engine)
    expect(lines(await log.send({ handler: 'start', payload: 'x' }))).toContain('wasm received message:x')
    const env = await simulate(await block('GetEnv(key)', forgotten), engine, { env: { A: 'b' } })
    expect(lines(await env.send({ handler: 'start', payload: 'A' }))).toContain('wasm get env:b')
  })

  it.each(['SendTx(', 'SetDB(', 'ExecSQL('])(
    '%s does not compile: it does not fit the kit it documents',
    async (call) => {
      await expect(block(call, forgotten)).rejects.toMatchObject({ code: 'COMPILE_FAILED' })
    },
  )
})
