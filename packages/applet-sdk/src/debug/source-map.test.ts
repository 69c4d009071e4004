import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltApplet, buildApplet } from '../build-applet.ts'
import { webAssembly } from '../webassembly.ts'
import { bodiesOf, functionNamesOf } from './sections.ts'
import { frameText, rootedAt, SourceMap, shortFunctionName } from './source-map.ts'

const source = `import { event } from '@w3bstream/applet-sdk'
// The next line is 3.
export function divide(rid: i32): i32 { return 7 / (rid - rid) }

export function read(rid: i32): i32 {
  const bytes = event.bytes(rid)
  const few = new Uint8Array(4)
  return few[bytes.length + 7]
}

export function spin(rid: i32): i32 {
  let rounds: i64 = 0
  while (true) { rounds++; if (rounds == i64.MIN_VALUE) return 0 }
}
`

describe('the source map of a module', () => {
  let directory = ''
  let built: BuiltApplet
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'source-map-'))
    await writeFile(join(directory, 'applet.ts'), source)
    built = await buildApplet(join(directory, 'applet.ts'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  /** The offset of the first instruction that came from a line of the applet. */
  function offsetOf(line: number, map: SourceMap): number {
    const places = Array.from({ length: built.wasm.length }, (_, offset) => offset)
    const found = places.find((offset) => {
      const place = map.placeOf({ offset })
      return place?.file.endsWith('applet.ts') && place.line === line
    })
    if (found === undefined) throw new Error(`no code comes from line ${line}`)
    return found
  }

  it('is not in the module, and does not change it', async () => {
    const module = new webAssembly.Module(built.wasm)
    expect(built.sourceMap.x_codeHash).toMatch(/^[0-9a-f]{64}$/)
    expect(webAssembly.Module.exports(module).map(({ name }) => name)).toContain('divide')
    expect(Buffer.from(built.wasm).includes('sourceMappingURL')).toBe(false)
    expect(functionNamesOf(built.wasm)).toEqual({})
    const named = await buildApplet(join(directory, 'applet.ts'), { debug: true })
    expect(Object.values(functionNamesOf(named.wasm))).toContain('applet/divide')
  })

  it('leads from an offset to file, line and function', () => {
    const map = new SourceMap(rootedAt(built.sourceMap, directory))
    const place = map.placeOf({ offset: offsetOf(3, map) })
    expect(place).toMatchObject({ file: join(directory, 'applet.ts'), line: 3 })
    const [index] = Object.entries(built.sourceMap.x_functions).find(([, name]) => name === 'applet/divide')!
    expect(map.placeOf({ function: Number(index), offset: offsetOf(3, map) })?.function).toBe('divide')
  })

  it('leaves files without a place on this machine relative', () => {
    const map = new SourceMap(built.sourceMap)
    expect(map.placeOf({ offset: offsetOf(3, map) })?.file).toBe('applet.ts')
  })

  it('names the line of the applet before code of a library that was put into it', () => {
    const map = new SourceMap(rootedAt(built.sourceMap, directory))
    const begin = built.sourceMap.x_bodies.findLast((body) => body <= offsetOf(8, map))!
    const end = built.sourceMap.x_bodies.find((body) => body > begin) ?? built.wasm.length
    const inlined = Array.from({ length: end - begin }, (_, i) => map.placeOf({ offset: begin + i })).find(
      (place) => place?.file === 'typedarray.ts' && place.near?.line === 8,
    )
    expect(inlined).toMatchObject({ near: { file: join(directory, 'applet.ts') } })
  })

  it('gives the head of a loop the first line behind it', () => {
    const map = new SourceMap(rootedAt(built.sourceMap, directory))
    const begin = built.sourceMap.x_bodies.findLast((body) => body <= offsetOf(13, map))!
    expect(map.placeOf({ offset: begin })).toMatchObject({ file: join(directory, 'applet.ts'), line: 13 })
  })

  it('knows nothing of what lies before the code', () => {
    expect(new SourceMap(built.sourceMap).placeOf({ offset: 0 })).toBeUndefined()
  })

  it('counts every body of the module', () => {
    const bodies = bodiesOf(built.wasm)
    expect(bodies.length).toBeGreaterThan(2)
    expect(bodies).toEqual([...bodies].sort((a, b) => a - b))
    expect(bodies).toEqual(built.sourceMap.x_bodies)
  })
})

describe('frames as text', () => {
  it.each([
    ['assembly/index/start', 'start'],
    ['~lib/array/Array<~lib/string/String>#push', 'Array<String>#push'],
    ['~lib/@w3bstream/applet-sdk/assembly/event/parse', 'parse'],
    ['plain', 'plain'],
  ])('%s is %s', (name, short) => {
    expect(shortFunctionName(name)).toBe(short)
  })

  it('falls back to what is known', () => {
    expect(frameText({ function: 3, offset: 255 }, undefined)).toBe('function 3 @ 0xff')
    expect(frameText({ name: 'go', offset: 16 }, undefined)).toBe('go @ 0x10')
    const near = { file: '/a/b.ts', line: 4, column: 2 }
    const place = { function: 'f', file: 'typedarray.ts', line: 1, column: 1, near }
    expect(frameText({ offset: 1 }, place, (file) => file.replace('/a/', ''))).toBe(
      'f (typedarray.ts:1:1, called near b.ts:4:2)',
    )
  })
})
