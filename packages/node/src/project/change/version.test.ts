import { beforeEach, describe, expect, it } from 'vitest'
import type { Applet, AppletVersion, ChangeResult, ProjectChange } from '../definition.ts'
import { History } from '../testing/history.ts'

const module = (byte: string) => ({
  resourceId: '1',
  codeHash: byte.repeat(64),
  md5: byte,
  fileName: `${byte}.wasm`,
})

let history: History
let appletId: string

beforeEach(async () => {
  history = new History()
  await history.apply({ op: 'project.create', projectId: '7', accountId: '8', name: 'aid_8_demo' })
  const made = await history.apply({ op: 'applet.create', name: 'log', by: '8', ...module('a') })
  appletId = made.ok ? made.id! : ''
})

const applet = () => history.definition!.applets.get(appletId) as Applet
const version = (n: number) => JSON.parse(history.rows.get(`appletVersion/${appletId}/${n}`) ?? 'null') as AppletVersion
const deploy = (byte: string) => history.apply({ op: 'applet.update', appletId, by: '9', ...module(byte) })
const canary = (percent: number, byte?: string) =>
  history.apply({ op: 'applet.canary', appletId, percent, by: '9', ...(byte ? module(byte) : {}) })
const code = (result: ChangeResult) => (result.ok ? 'ok' : result.code)

describe('versions of an applet', () => {
  it('are numbered, and say who deployed what when', async () => {
    await history.apply({ op: 'applet.update', appletId, by: '9', note: 'faster', ...module('b') })
    expect(applet()).toMatchObject({ version: 2, latestVersion: 2, ...module('b') })
    expect(version(1)).toMatchObject({ version: 1, op: 'deploy', by: '8', height: '2', index: 0, ...module('a') })
    expect(version(2)).toMatchObject({ version: 2, op: 'deploy', by: '9', note: 'faster', timeMs: 3000, height: '3' })
  })

  it('are not made by the same bytes, nor by a change of something else', async () => {
    await deploy('a')
    await history.apply({ op: 'applet.update', appletId, name: 'other', note: 'renamed' })
    expect(applet()).toMatchObject({ version: 1, latestVersion: 1, name: 'other' })
    expect('note' in applet()).toBe(false)
    expect(version(2)).toBeNull()
  })

  it('come back under a new number', async () => {
    await deploy('b')
    expect(await history.apply({ op: 'applet.rollback', appletId, version: 1, by: '9' })).toMatchObject({ ok: true })
    expect(applet()).toMatchObject({ version: 3, ...module('a') })
    expect(version(3)).toMatchObject({ op: 'rollback', of: 1, by: '9', ...module('a') })
    await history.apply({ op: 'applet.rollback', appletId, version: 1 })
    expect(applet().version).toBe(3)
    expect(code(await history.apply({ op: 'applet.rollback', appletId, version: 9 }))).toBe('VersionNotFound')
  })

  it('run for a share first, which can be changed, until they are promoted', async () => {
    await canary(10, 'b')
    expect(applet()).toMatchObject({ version: 1, latestVersion: 2, ...module('a') })
    expect(applet().canary).toEqual({ version: 2, percent: 10, startHeight: '3', ...module('b') })
    await canary(50)
    await canary(50, 'b')
    expect(applet().canary).toMatchObject({ percent: 50, startHeight: '3' })
    await history.apply({ op: 'applet.promote', appletId, by: '10' })
    expect(applet()).toMatchObject({ version: 2, latestVersion: 2, ...module('b') })
    expect(applet().canary).toBeUndefined()
    expect(version(2).steps).toMatchObject([
      { op: 'share', percent: 10, by: '9', height: '3' },
      { op: 'share', percent: 50, by: '9', height: '4' },
      { op: 'promote', by: '10', height: '6' },
    ])
  })

  it('given up leave their number to history', async () => {
    await canary(10, 'b')
    await history.apply({ op: 'applet.abort', appletId })
    expect(applet()).toMatchObject({ version: 1, latestVersion: 2, ...module('a') })
    expect(applet().canary).toBeUndefined()
    await deploy('c')
    expect(applet().version).toBe(3)
    // One that was given up has been deployed nonetheless.
    await history.apply({ op: 'applet.rollback', appletId, version: 2 })
    expect(applet()).toMatchObject({ version: 4, ...module('b') })
  })

  it('are not mixed: while a canary runs, nothing else is deployed', async () => {
    await deploy('b')
    await canary(10, 'c')
    const before = applet()
    const refused = [await deploy('d'), await canary(10, 'd')]
    refused.push(await history.apply({ op: 'applet.rollback', appletId, version: 1 }))
    expect(refused.map(code)).toEqual(['CanaryConflict', 'CanaryConflict', 'CanaryConflict'])
    expect(applet()).toEqual(before)
  })

  it.each<[string, (id: string) => ProjectChange]>([
    ['CanaryNotFound', (id) => ({ op: 'applet.promote', appletId: id })],
    ['CanaryNotFound', (id) => ({ op: 'applet.abort', appletId: id })],
    ['CanaryNotFound', (id) => ({ op: 'applet.canary', appletId: id, percent: 10 })],
    ['CanaryConflict', (id) => ({ op: 'applet.canary', appletId: id, percent: 10, ...module('a') })],
    ['badRequest', (id) => ({ op: 'applet.canary', appletId: id, percent: 101, ...module('b') })],
    ['badRequest', (id) => ({ op: 'applet.canary', appletId: id, percent: 0.5, ...module('b') })],
    ['AppletNotFound', () => ({ op: 'applet.rollback', appletId: '1', version: 1 })],
    ['AppletNotFound', () => ({ op: 'applet.promote', appletId: '1' })],
  ])('answer %s', async (wanted, change) => {
    expect(code(await history.apply(change(appletId)))).toBe(wanted)
  })

  it('keep the latest hundred steps of a canary', async () => {
    await canary(0, 'b')
    for (let i = 1; i <= 150; i++) await canary(i % 101)
    expect(version(2).steps).toHaveLength(100)
    expect(version(2).steps.at(-1)).toMatchObject({ percent: 49 })
  })

  it('outlive the applet, since its past may be executed again', async () => {
    await history.apply({ op: 'applet.remove', appletId })
    expect(version(1)).toMatchObject(module('a'))
  })

  it('of an applet that is older than versions begin with what it runs', async () => {
    const { version: _, latestVersion: __, ...old } = applet()
    history.restart([...history.rows.keys()].filter((key) => !key.startsWith('appletVersion/')))
    history.rows.set(`applet/${appletId}`, JSON.stringify(old))
    history.restart([...history.rows.keys()])
    await deploy('b')
    expect(applet()).toMatchObject({ version: 2 })
    expect(version(1)).toMatchObject({ op: 'deploy', by: '', height: '0', ...module('a') })
  })
})
