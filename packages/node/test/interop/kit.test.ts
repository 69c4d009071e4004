import { fileURLToPath } from 'node:url'
import { buildApplet, type Simulation, type SimulationOptions, simulate } from '@w3bstream/applet-sdk/tool'
import fc from 'fast-check'
import { encodeAbiParameters, encodeFunctionData, keccak256, parseAbi, parseAbiParameters, toHex } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { appletEngine } from '../../src/cli/applet-engine.ts'

/** The kit's own functions, run inside an applet and compared with viem and JavaScript. */
describe('applet kit', () => {
  let wasm: Uint8Array
  let applet: Simulation
  const engine = appletEngine()
  const load = (options: SimulationOptions = {}) => simulate(wasm, engine, options)

  beforeAll(async () => {
    wasm = (await buildApplet(fileURLToPath(new URL('kit', import.meta.url)))).wasm
    applet = await load()
  })

  async function run(handler: string, payload: Uint8Array | string = '', on: Simulation = applet) {
    const result = await on.send({ handler, payload })
    const code = result.outcome.type === 'returned' ? result.outcome.code : result.outcome.error
    return { code, lines: result.logs.filter((line) => line.level === 4).map((line) => line.message), result }
  }

  it('keccak256 agrees with viem at every length around a block', async () => {
    for (const length of [0, 1, 7, 8, 134, 135, 136, 137, 271, 272, 273, 1000]) {
      const data = Uint8Array.from({ length }, (_, index) => (index * 31) & 255)
      expect((await run('hash', data)).lines).toEqual([keccak256(data).slice(2)])
    }
  })

  it('knows the device that sent the event, and whether it signed', async () => {
    const send = async (origin: { device?: string; signed?: boolean }) => {
      const { outcome, logs } = await applet.send({ handler: 'sender', ...origin })
      return [logs.map(({ message }) => message), outcome]
    }
    const returned = (code: number) => expect.objectContaining({ type: 'returned', code })
    expect(await send({ device: 'väder-7' })).toEqual([['väder-7'], returned(0)])
    expect(await send({ device: 'd2', signed: true })).toEqual([['d2'], returned(1)])
    expect(await send({})).toEqual([['device'], returned(0)])
    expect(await send({ device: '', signed: true })).toEqual([['no device'], returned(0)])
  })

  it('uint256 goes from decimal to bytes and back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), async (value) => {
        const { lines } = await run('decimal', value.toString())
        expect(lines).toEqual([value.toString(16).padStart(64, '0'), value.toString()])
      }),
      { numRuns: 50 },
    )
    for (const bad of ['', '-1', '1.5', '0x1', (2n ** 256n).toString()])
      expect((await run('decimal', bad)).code).toBe('TRAP')
  })

  it('units shifts the point', async () => {
    expect((await run('units', '1.5')).lines).toEqual(['1500000000000000000'])
    expect((await run('units', '0')).lines).toEqual(['0'])
    expect((await run('units', '.000000000000000001')).lines).toEqual(['1'])
    expect((await run('units', '0.0000000000000000001')).code).toBe('TRAP')
  })

  it('encodes calls as viem does', async () => {
    const abi = parseAbi(['function f(address,uint256,bool,bytes32,string,bytes,uint64)'])
    const address = '0x9117f5EF4156709092f79740a97b1638cA399A00'
    for (const [text, bytes] of [
      ['', '0x'],
      ['ä'.repeat(40), toHex(new Uint8Array(33).fill(7))],
      ['x'.repeat(32), toHex(new Uint8Array(32).fill(9))],
    ] as const) {
      const bytes32 = toHex(new Uint8Array(32).fill(3))
      const message = { address, uint: (2n ** 255n).toString(), bool: true, bytes32, text, bytes, u64: 12345 }
      const args = [address, 2n ** 255n, true, bytes32, text, bytes, 12345n] as const
      expect((await run('encode', JSON.stringify(message))).lines).toEqual([
        encodeFunctionData({ abi, functionName: 'f', args }),
      ])
    }
  })

  it('refuses arguments that the signature does not have', async () => {
    expect((await run('wrong_type')).code).toBe('TRAP')
    const missing = await run('missing_argument')
    expect(missing.lines).toEqual(['0x8456cb59'])
    expect(missing.code).toBe('TRAP')
  })

  it('decodes results, and refuses those that are cut or lie about lengths', async () => {
    const address = '0x9117f5ef4156709092f79740a97b1638ca399a00'
    const good = encodeAbiParameters(parseAbiParameters('string,uint256,address,bool'), [
      'grüezi '.repeat(9),
      2n ** 200n,
      address,
      true,
    ])
    const lying = good.replace(/^0x.{64}/, `0x${'f'.repeat(64)}`)
    const decoder = await load({
      reads: [
        { data: '0x01', returns: good },
        { data: '0x02', returns: good.slice(0, 2 + 64 * 3) },
        { data: '0x03', returns: lying },
        { data: '0x04', returns: '0x' },
      ],
    })
    expect((await run('decode', '01', decoder)).lines).toEqual(['grüezi '.repeat(9), `${2n ** 200n}`, address, 'true'])
    for (const cut of ['02', '03', '04']) expect((await run('decode', cut, decoder)).code).toBe('TRAP')
  })

  it('reads and writes JSON as JavaScript does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (source) => {
        const { code, lines } = await run('rewrite', source)
        expect(code).toBe(0)
        expect(JSON.parse(lines[0]!)).toEqual(JSON.parse(source))
      }),
      { numRuns: 100 },
    )
    const { lines } = await run('rewrite', ' { "a\\u00e9\\n" : [ 1.5e-3 , true, null, "\\ud83d\\ude00/\\/" ] } ')
    expect(JSON.parse(lines[0]!)).toEqual({ 'aé\n': [1.5e-3, true, null, '😀//'] })
  })

  it('says of text that is not JSON that it is not, without a trap', async () => {
    const bad = [
      '',
      '{',
      '[1,]',
      '{"a":1,}',
      '01',
      '1.',
      '-',
      '+1',
      'nul',
      '"a',
      '"\\x"',
      '"\\u12g4"',
      '1 2',
      "{'a':1}",
      '{a:1}',
    ]
    for (const text of [...bad, '"\n"', '{"a" 1}', '[1 2]', '['.repeat(100_000)]) {
      expect(await run('rewrite', text), text.slice(0, 20)).toMatchObject({ code: 1 })
    }
  })

  it('reads 64-bit integers exactly, and absent members as their fallback', async () => {
    const { lines } = await run('numbers', '{"big":-9223372036854775807,"cut":1.9e3,"a":{"b":[0,2.5]}}')
    expect(lines).toEqual(['-9223372036854775807 1900 -7', '2.5 true'])
  })

  it('base64 and hexadecimal', async () => {
    for (let length = 0; length < 8; length++) {
      const data = Uint8Array.from({ length }, (_, index) => 250 + index)
      expect(await run('base64', data)).toMatchObject({ code: 0, lines: [Buffer.from(data).toString('base64')] })
    }
    expect((await run('hex_or_fail', '0xAb09')).code).toBe(2)
    for (const bad of ['abc', 'zz', '0x1g']) expect((await run('hex_or_fail', bad)).code).toBe('TRAP')
  })

  it('keeps typed values', async () => {
    expect((await run('store', 'grüezi 😀')).code).toBe(0)
    expect(Buffer.from(applet.host.kv.get('i64')!).toString('hex')).toBe('0000000000000080')
  })

  it('binds typed parameters and reads typed rows', async () => {
    const column = (name: string, datatype: string) => ({ name, constrains: { datatype } })
    const cols = [
      column('a', 'INT32'),
      column('b', 'INT64'),
      column('c', 'FLOAT64'),
      column('d', 'TEXT'),
      column('e', 'BOOL'),
    ]
    const database = { schemas: [{ tables: [{ name: 't', cols }] }] }
    const { code, lines } = await run('rows', 'it\'s "a" ?', await load({ database }))
    expect(lines).toEqual(['-1|9223372036854775807|0.1|it\'s "a" ?|true', 'false'])
    expect(code).toBe(-1)
  })

  it('reaches outside', async () => {
    const simulation = await load({ env: { NAME: 'value' }, answers: [{ path: '/system/read_tx', body: 'soon' }] })
    const result = await simulation.send({ handler: 'outside', payload: 'in', topic: 'project/device' })
    const lines = result.logs.filter((line) => line.source === 'wasmCode').map((line) => line.message)
    expect(lines).toEqual(['project/device in', 'value', result.transactions[0]?.hash, 'read refused', '200 soon'])
    expect(result.transactions).toMatchObject([{ chainId: 5n, value: 12n, operatorName: 'second' }])
    expect(result.mqtt).toEqual([{ topic: 'out/topic', payload: new Uint8Array(Buffer.from('payload')) }])
    expect(result.metrics.map((text) => JSON.parse(text))).toEqual([{ x: 1.5, nan: null, b: false }])
    const plain = await (await load()).send({ handler: 'outside' })
    expect(plain.logs.map((line) => line.message)).toEqual(expect.arrayContaining(['no message', 'no value']))
  })
})
