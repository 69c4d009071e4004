import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceMapFile } from '@w3bstream/applet-sdk/tool'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recallMap, rememberMap } from './map-store.ts'
import { Traces } from './traces.ts'

const codeHash = 'ab'.repeat(32)
/** One mapping: offset 16 of the module is line 1, column 5 of the source. */
const map: SourceMapFile = {
  version: 3,
  sources: ['assembly/index.ts'],
  names: [],
  mappings: 'gBAAI',
  x_codeHash: codeHash,
  x_functions: { 3: 'assembly/index/start' },
  x_bodies: [8],
}
const failure = `start failed: TRAP unreachable (fuel 7, module ${codeHash.slice(0, 12)})`

describe('traces in the log', () => {
  let directory = ''
  let env: Record<string, string> = {}
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'traces-'))
    env = { XDG_CACHE_HOME: directory }
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('have lines of the source where the map is known', async () => {
    await rememberMap(env, { ...map, sourceRoot: 'file:///work/station/' })
    const traces = new Traces({ env, cwd: '/work' })
    expect(await traces.resolve(`${failure}\n    at function 3 @ 0x10\n    at other @ 0x2`)).toBe(
      `${failure}\n    at start (station/assembly/index.ts:1:5)\n    at other @ 0x2`,
    )
  })

  it('are left as they are without a map, and found once there is one', async () => {
    const traces = new Traces({ env, cwd: '/' })
    const line = `${failure}\n    at function 3 @ 0x10`
    expect(await traces.resolve(line)).toBe(line)
    await rememberMap(env, map)
    expect(await traces.resolve(line)).toContain('at start (assembly/index.ts:1:5)')
  })

  it('take maps that are given, and leave other lines alone', async () => {
    const traces = new Traces({ env, cwd: '/' }, [map])
    expect(await traces.resolve(`${failure}\n    at start @ 0x10`)).toContain('assembly/index.ts:1:5')
    expect(await traces.resolve('text with module abababababab)')).toBe('text with module abababababab)')
  })

  it('survive a damaged map and a cache that cannot be written', async () => {
    await mkdir(join(directory, 'w3bstream/source-maps'), { recursive: true })
    await writeFile(join(directory, `w3bstream/source-maps/${codeHash}.json`), '{')
    expect(await recallMap(env, codeHash)).toBeUndefined()
    await rememberMap({ XDG_CACHE_HOME: '/dev/null' }, map)
    expect(await recallMap(env, '../../etc')).toBeUndefined()
  })

  it('forgets the oldest maps', async () => {
    const folder = join(directory, 'w3bstream/source-maps')
    await mkdir(folder, { recursive: true })
    for (let i = 0; i < 205; i++) await writeFile(join(folder, `${String(i).padStart(64, '0')}.json`), '{}')
    await rememberMap(env, map)
    expect((await readdir(folder)).length).toBe(200)
  })
})
