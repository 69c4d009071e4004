import { type Receipt, toHex } from '@w3bstream/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assemble, bumpAlloc } from '../engine/testing/assemble.ts'
import { countResults, readVersions } from '../project/applet-versions.ts'
import type { AppletModule, ChangeResult } from '../project/definition.ts'
import { type TestProject, World } from './testing/world.ts'

let world: World
let project: TestProject
let appletId: string

/** A module whose handler returns a number, or traps. */
async function module(code: number | 'trap'): Promise<AppletModule> {
  const body = code === 'trap' ? '(unreachable)' : `(i32.const ${code})`
  const wasm = assemble(`(module (memory (export "memory") 1) ${bumpAlloc}
    (func (export "start") (param i32) (result i32) ${body}))`)
  return { resourceId: '1', codeHash: await world.vfs.put(wasm), md5: '', fileName: `${code}.wasm` }
}

beforeEach(async () => {
  world = await World.open()
  project = await world.project()
  await project.deploy({})
  const made = await project.change({ op: 'applet.create', name: 'a', ...(await module(1)) })
  appletId = made.ok ? made.id! : ''
})
afterEach(() => world.close())

const code = ({ results }: Receipt) => results[0]?.code
const from = (device: number) => project.event('', { publisherId: String(1000 + device) })
const devices = async () => (await Promise.all(Array.from({ length: 60 }, (_, i) => from(i)))).map(code)
const ok = (result: ChangeResult) => expect(result).toMatchObject({ ok: true })

describe('versions of an applet', () => {
  it('change between two messages of one batch, forward and back', async () => {
    const second = await module(2)
    const rounds = Array.from({ length: 20 }, () => [
      project.event(''),
      project.change({ op: 'applet.update', appletId, ...second }),
      project.event(''),
      project.change({ op: 'applet.rollback', appletId, version: 1 }),
    ])
    const receipts = await Promise.all(rounds.flat())
    const events = receipts.filter((receipt): receipt is Receipt => 'results' in receipt)
    expect(events.map(code)).toEqual(Array.from({ length: 20 }, () => [1, 2]).flat())
    const ran = toHex(events[1]!.results[0]!.codeHash).slice(2)
    expect(ran).toBe(second.codeHash)
    // Batches are as large as the time lets them become; some hold events of both versions.
    const versions = Map.groupBy(events, ({ height }) => height)
    expect([...versions.values()].some((batch) => new Set(batch.map(code)).size === 2)).toBe(true)
  })

  it('run side by side, each device on one side; a larger share only takes more', async () => {
    const second = await module(2)
    expect(new Set(await devices())).toEqual(new Set([1]))
    ok(await project.change({ op: 'applet.canary', appletId, percent: 30, ...second }))
    const few = await devices()
    expect(new Set(few)).toEqual(new Set([1, 2]))
    expect(await devices()).toEqual(few)
    ok(await project.change({ op: 'applet.canary', appletId, percent: 70 }))
    const many = await devices()
    expect(many.filter((version) => version === 2).length).toBeGreaterThan(few.filter((v) => v === 2).length)
    expect(few.every((version, device) => version === 1 || many[device] === 2)).toBe(true)
    ok(await project.change({ op: 'applet.promote', appletId }))
    expect(new Set(await devices())).toEqual(new Set([2]))
  })

  it('are all one again when the canary is given up, and share their keys meanwhile', async () => {
    ok(await project.change({ op: 'applet.canary', appletId, percent: 100, ...(await module(2)) }))
    expect(new Set(await devices())).toEqual(new Set([2]))
    ok(await project.change({ op: 'applet.abort', appletId }))
    expect(new Set(await devices())).toEqual(new Set([1]))
  })

  it('stay as they are over a restart', async () => {
    ok(await project.change({ op: 'applet.canary', appletId, percent: 50, ...(await module(2)) }))
    const before = await devices()
    await world.executor.close(project.key)
    project = await world.project(project.key)
    expect(await devices()).toEqual(before)
  })

  it('are counted apart, also when they have the same module', async () => {
    await project.event('')
    ok(await project.change({ op: 'applet.canary', appletId, percent: 100, ...(await module('trap')) }))
    await devices()
    ok(await project.change({ op: 'applet.abort', appletId }))
    ok(await project.change({ op: 'applet.update', appletId, ...(await module(-3)) }))
    await project.event('', { idempotencyKey: 'once' })
    await project.event('', { idempotencyKey: 'once' })
    ok(await project.change({ op: 'applet.rollback', appletId, version: 1 }))
    await Promise.all([project.event(''), project.event('')])
    const reader = await world.database.openReader(project.key)
    try {
      const { data, total } = await readVersions(reader, appletId, 4, { size: -1 })
      expect(data.map(({ version, op }) => [version, op])).toEqual([
        [4, 'rollback'],
        [3, 'deploy'],
        [2, 'canary'],
        [1, 'deploy'],
      ])
      expect(total).toBe(4)
      expect((await readVersions(reader, appletId, 4, { size: 1, offset: 2 })).data[0]?.version).toBe(2)
      expect((await readVersions(reader, appletId, 4, { offset: 9 })).data).toEqual([])
      const counts = await countResults(reader, data, 1000)
      const shown = [1, 2, 3, 4].map((version) => {
        const { ok, negative, failed } = counts.get(version)!
        return [ok, negative, failed]
      })
      expect(shown).toEqual([
        [1, 0, 0],
        [0, 0, 60],
        [0, 1, 0],
        [2, 0, 0],
      ])
      expect([...(await countResults(reader, data, 2)).keys()]).toEqual([4])
      expect((await countResults(reader, data, 0)).size).toBe(0)
    } finally {
      await reader.close()
    }
  })
})
