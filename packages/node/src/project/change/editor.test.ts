import { describe, expect, it, vi } from 'vitest'
import { DatabaseError } from '../../database/errors.ts'
import {
  type ChangeResult,
  defaultProjectSettings,
  type Instance,
  type ProjectChange,
  type Publisher,
  type Strategy,
} from '../definition.ts'
import { History } from '../testing/history.ts'
import { DefinitionEditor } from './editor.ts'

const create: ProjectChange = { op: 'project.create', projectId: '7', accountId: '8', name: 'aid_8_demo' }
const applet: ProjectChange = {
  op: 'applet.create',
  name: 'log',
  resourceId: '1',
  codeHash: 'ab'.repeat(32),
  md5: '',
  fileName: 'log.wasm',
}

async function project(...changes: ProjectChange[]): Promise<History> {
  const history = new History()
  for (const change of [create, ...changes]) expect(await history.apply(change)).toMatchObject({ ok: true })
  return history
}

const idOf = (result: ChangeResult) => (result.ok ? result.id! : '')

describe('changes of a definition', () => {
  it('give every member the same ids, and no two things the same', async () => {
    const [a, b] = [await project(applet), await project(applet)]
    expect(a.definition).toEqual(b.definition)
    const { applets, instances, strategies } = a.definition!
    const ids = [...applets.keys(), ...instances.keys(), ...strategies.keys()]
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(BigInt(id)).toBeLessThan(2n ** 63n)
  })

  it('make instance and strategy of an applet that names none', async () => {
    const { definition } = await project(applet)
    expect([...definition!.strategies.values()]).toMatchObject([{ eventType: 'DEFAULT', handler: 'start' }])
    expect([...definition!.instances.values()]).toMatchObject([{ state: 'STARTED', cache: { mode: 'MEMORY' } }])
  })

  it('of thousands at once read each row once, and none beyond the limit of a project', async () => {
    const history = await project(applet)
    const [{ appletId }] = [...history.definition!.strategies.values()] as [Strategy]
    const parse = vi.spyOn(JSON, 'parse')
    const strategies = (count: number, prefix: string): ProjectChange => ({
      op: 'all',
      changes: Array.from({ length: count }, (_, i) => {
        return { op: 'strategy.create', appletId, eventType: `${prefix}${i}`, handler: 'start' } as const
      }),
    })
    expect(await history.apply(strategies(2000, 'a'))).toMatchObject({ ok: true })
    expect(parse.mock.calls.length).toBeLessThan(3 * 2000)
    parse.mockRestore()
    const before = history.definition
    expect(await history.apply(strategies(8000, 'b'))).toMatchObject({ ok: false, code: 'badRequest' })
    expect(history.definition).toEqual(before)
    expect(await history.apply(strategies(7999, 'b'))).toMatchObject({ ok: true })
  })

  it('are refused without a trace, also when the same batch goes on', async () => {
    const history = await project(applet)
    const editor = new DefinitionEditor(history.definition)
    const [{ appletId, strategyId }] = [...history.definition!.strategies.values()] as [Strategy]
    const context = {
      ...{ project: new Uint8Array(32), height: 9n, timeMs: 1, read: () => undefined, migrate() {} },
      flowProblems: () => [],
    }
    const apply = (index: number, ...changes: ProjectChange[]) =>
      editor.apply({ op: 'all', changes }, { ...context, index })
    const route = (eventType: string) => ({ op: 'strategy.create', appletId, eventType, handler: 'start' }) as const
    const types = () => editor.all<Strategy>('strategy').map(({ eventType }) => eventType)
    expect(await apply(0, route('A'))).toMatchObject({ ok: true })
    const refused = await apply(1, { op: 'strategy.remove', strategyId }, route('B'), route('A'))
    expect([refused, types()]).toMatchObject([{ ok: false, code: 'StrategyConflict' }, ['DEFAULT', 'A']])
    expect(await apply(2, { op: 'strategy.remove', strategyId }, route('DEFAULT'))).toMatchObject({ ok: true })
    expect([types(), editor.changes.length]).toEqual([['A', 'DEFAULT'], 3])
  })

  it('are refused without a trace, also in the middle of many', async () => {
    const history = await project(applet)
    const before = history.definition
    const [strategy] = [...before!.strategies.values()] as [Strategy]
    const many: ProjectChange = {
      op: 'all',
      changes: [
        { op: 'env.put', env: [['A', '1']] },
        { op: 'strategy.create', appletId: strategy.appletId, eventType: 'DEFAULT', handler: 'again' },
      ],
    }
    expect(await history.apply(many)).toMatchObject({ ok: false, code: 'StrategyConflict' })
    expect(history.definition).toEqual(before)
  })

  it.each<[string, ProjectChange]>([
    ['AppletNotFound', { op: 'applet.remove', appletId: '1' }],
    ['AppletNotFound', { op: 'strategy.create', appletId: '1', eventType: 'X', handler: 'h' }],
    ['AppletNotFound', { op: 'instance.create', appletId: '1' }],
    ['InstanceNotFound', { op: 'instance.state', instanceId: '1', state: 'STOPPED' }],
    ['StrategyNotFound', { op: 'strategy.remove', strategyId: '1' }],
    ['PublisherNotFound', { op: 'publisher.remove', publisherId: '1' }],
    ['PublisherNotFound', { op: 'publisher.rotate', publisherId: '1' }],
    ['AppletNameConflict', applet],
    ['ProjectNameConflict', create],
  ])('answer %s', async (code, change) => {
    expect(await (await project(applet)).apply(change)).toMatchObject({ ok: false, code })
  })

  it('need a project', async () => {
    expect(await new History().apply(applet)).toMatchObject({ ok: false, code: 'ProjectNotFound' })
  })

  it('take an applet’s instance and strategies with it', async () => {
    const history = await project(applet)
    const [appletId] = [...history.definition!.applets.keys()] as [string]
    await history.apply({ op: 'applet.remove', appletId })
    const { applets, instances, strategies } = history.definition!
    expect([applets.size, instances.size, strategies.size]).toEqual([0, 0, 0])
  })

  it('replace an applet’s strategies, and put a new instance in the place of the old', async () => {
    const history = await project(applet)
    const [appletId] = [...history.definition!.applets.keys()] as [string]
    const [old] = [...history.definition!.instances.values()] as [Instance]
    await history.apply({
      op: 'applet.update',
      appletId,
      codeHash: 'cd'.repeat(32),
      strategies: [
        { eventType: 'A', handler: 'a' },
        { eventType: 'B', handler: 'b' },
      ],
    })
    await history.apply({ op: 'instance.create', appletId })
    const { applets, instances, strategies } = history.definition!
    expect([...strategies.values()].map((s) => s.eventType)).toEqual(['A', 'B'])
    expect(applets.get(appletId)?.codeHash).toBe('cd'.repeat(32))
    expect(instances.size).toBe(1)
    expect(instances.has(old.instanceId)).toBe(false)
  })

  it('keep devices by key: one each, found again, free after their removal', async () => {
    const history = await project()
    const device: ProjectChange = { op: 'publisher.create', name: 'd', key: 'k' }
    const publisherId = idOf(await history.apply(device))
    expect(await history.apply(device)).toMatchObject({ ok: false, code: 'PublisherConflict' })
    expect(await history.apply({ ...device, op: 'publisher.upsert' })).toMatchObject({ ok: true, id: publisherId })
    const other = idOf(await history.apply({ op: 'publisher.create', name: 'e', key: 'k2' }))
    expect(await history.apply({ op: 'publisher.update', publisherId: other, key: 'k' })).toMatchObject({
      code: 'PublisherConflict',
    })
    const rotated = await history.apply({ op: 'publisher.rotate', publisherId })
    expect(rotated.ok && (rotated.value as Publisher).tokenVersion).toBe(2)
    await history.apply({ op: 'publisher.remove', publisherId })
    expect(await history.apply({ op: 'publisher.update', publisherId: other, key: 'k' })).toMatchObject({ ok: true })
  })

  it('see a device that was made earlier in the same batch', async () => {
    const history = await project()
    const device: ProjectChange = { op: 'publisher.upsert', name: 'd', key: 'k' }
    const result = await history.apply({ op: 'all', changes: [device, device] })
    const ids = result.ok ? result.values!.map(idOf) : []
    expect(ids[0]).toBe(ids[1])
  })

  it('merge settings, and keep the last value of an environment name', async () => {
    const history = await project(
      { op: 'settings.put', settings: { limits: { sqlRows: 5 } } },
      { op: 'settings.put', settings: { rollbackOnNegative: true } },
      {
        op: 'env.put',
        env: [
          ['A', '1'],
          ['', 'x'],
          ['A', '2'],
        ],
      },
    )
    expect(history.definition!.settings).toMatchObject({
      rollbackOnNegative: true,
      defaultFallback: true,
      limits: { sqlRows: 5, effects: 256 },
    })
    expect(history.definition!.env).toEqual([['A', '2']])
  })

  it('pass on why a schema was refused, and leave other faults of the store alone', async () => {
    const history = await project()
    const change: ProjectChange = { op: 'database.put', database: {} }
    const migrate = (error: Error) => ({ migrate: () => Promise.reject(error) })
    const destructive = new DatabaseError({ code: 'SCHEMA_DESTRUCTIVE', problems: ['t.c would lose data'] })
    expect(await history.apply(change, migrate(destructive))).toEqual({
      ok: false,
      code: 'DestructiveSchemaChange',
      desc: 't.c would lose data',
    })
    const full = new DatabaseError({ code: 'DISK_FULL', detail: '' })
    await expect(history.apply(change, migrate(full))).rejects.toBe(full)
  })

  it('refuse settings that would let a project take more than its share, and say which', async () => {
    const history = await project()
    const put = (settings: object) => history.apply({ op: 'settings.put', settings })
    for (const [name, value] of Object.entries({ wallClockMs: 1e9, memoryPages: 0, logLines: 0.5, hostCalls: -1 }))
      expect(await put({ limits: { [name]: value } })).toMatchObject({
        ok: false,
        code: 'badRequest',
        desc: expect.stringContaining(`settings.limits.${name}`),
      })
    expect(await put({ idempotencyWindowMs: 0 })).toMatchObject({ ok: false, code: 'badRequest' })
    for (const outboundHosts of [['https://a.example'], ['a.example', '*'], Array(101).fill('a.example')])
      expect(await put({ outboundHosts })).toMatchObject({ desc: expect.stringContaining('settings.outboundHosts') })
    expect(history.definition!.settings).toEqual(defaultProjectSettings)
    expect(await put({ limits: { wallClockMs: 60_000 } })).toMatchObject({ ok: true })
  })

  it('refuse a public key that another device signs with', async () => {
    const publicKey = 'did:key:zOne'
    const history = await project()
    const one = await history.apply({ op: 'publisher.create', name: 'a', key: 'a', publicKey })
    const two = await history.apply({ op: 'publisher.create', name: 'b', key: 'b' })
    expect(await history.apply({ op: 'publisher.create', name: 'c', key: 'c', publicKey })).toMatchObject({
      ok: false,
      code: 'PublisherConflict',
    })
    const take = { op: 'publisher.update', publisherId: idOf(two), publicKey } as const
    expect(await history.apply(take)).toMatchObject({ ok: false, code: 'PublisherConflict' })
    expect(await history.apply({ op: 'publisher.rotate', publisherId: idOf(one) })).toMatchObject({ ok: true })
    await history.apply({ op: 'publisher.remove', publisherId: idOf(one) })
    expect(await history.apply(take)).toMatchObject({ ok: true })
  })

  it('refuse an operation that this version does not know', async () => {
    const history = await project()
    expect(await history.apply({ op: 'project.fly' } as never)).toMatchObject({ ok: false, code: 'badRequest' })
  })
})
