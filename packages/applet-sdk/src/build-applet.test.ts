import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from './build-applet.ts'
import { kitDirectory } from './kit.ts'
import { webAssembly } from './webassembly.ts'

describe('buildApplet', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'build-applet-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  async function write(name: string, source: string): Promise<string> {
    await writeFile(join(directory, name), source)
    return join(directory, name)
  }

  it.each([
    ['log', ['start']],
    ['word-count', ['count']],
    ['sensor-average', ['store', 'report']],
    ['mint-tokens', ['reward']],
  ])('example %s: handlers %j, alloc, no warning, the same bytes twice', async (name, handlers) => {
    const folder = join(kitDirectory(), 'examples', name)
    const first = await buildApplet(folder)
    expect(first.stats.handlers).toEqual(handlers)
    expect(first.warnings).toEqual([])
    expect(first.stats.bytes).toBe(first.wasm.length)
    const module = new webAssembly.Module(first.wasm)
    expect(webAssembly.Module.exports(module).map((entry) => entry.name)).toEqual(
      expect.arrayContaining(['alloc', 'memory', ...handlers]),
    )
    expect((await buildApplet(folder)).wasm).toEqual(first.wasm)
  })

  it('finds the kit for a file that has none installed, and adds alloc', async () => {
    const file = await write(
      'plain.ts',
      "import { log } from '@w3bstream/applet-sdk'\nexport function go(rid: i32): i32 { log.info('x'); return rid }\n",
    )
    const { stats } = await buildApplet(file)
    expect(stats.handlers).toEqual(['go'])
    expect(stats.imports).toContain('env.ws_log')
  })

  it("leaves an applet's own alloc alone", async () => {
    const own =
      'export function alloc(size: i32): i32 { return 1024 }\nexport function go(rid: i32): i32 { return rid }\n'
    const { wasm, stats } = await buildApplet(await write('own.ts', own))
    expect(stats.imports).toEqual([])
    expect(wasm.length).toBeLessThan(200)
  })

  it('size and debug builds differ from speed', async () => {
    const folder = join(kitDirectory(), 'examples', 'mint-tokens')
    const speed = await buildApplet(folder)
    expect((await buildApplet(folder, { optimize: 'size' })).wasm.length).toBeLessThan(speed.wasm.length)
    expect((await buildApplet(folder, { debug: true })).wasm.length).toBeGreaterThan(speed.wasm.length)
  })

  it('hands warnings on', async () => {
    const source = 'export function go(rid: i32): i32 { const at: usize = 8; const n: i32 = at; return n + rid }\n'
    const { warnings } = await buildApplet(await write('warn.ts', source))
    expect(warnings).toEqual([expect.stringMatching(/^AS201: .*\(warn\.ts\)$/)])
  })

  it('reports what does not compile, with the place', async () => {
    const file = await write('broken.ts', 'export function go(rid: i32): i32 { return nothing }\n')
    await expect(buildApplet(file)).rejects.toMatchObject({
      code: 'COMPILE_FAILED',
      details: [expect.stringContaining('broken.ts')],
    })
    const missing = await write(
      'missing.ts',
      "import { x } from 'no-such-package'\nexport function go(): i32 { return x }\n",
    )
    await expect(buildApplet(missing)).rejects.toMatchObject({ code: 'COMPILE_FAILED' })
  })

  it('says when there is nothing to build', async () => {
    await mkdir(join(directory, 'empty'))
    await expect(buildApplet(join(directory, 'empty'))).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' })
    await expect(buildApplet(join(directory, 'absent'))).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' })
  })
})
