import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { contentId } from '../../util/content-id.ts'
import { contentName } from '../../vfs/content-name.ts'
import { adminPassword, openWorld, type World } from './testing/world.ts'

let world: World
let admin: string
let builder: string

beforeEach(async () => {
  world = await openWorld()
  admin = (await world.accounts.loginByPassword({ username: 'admin', password: adminPassword, address: '::1' })).token
  const { password } = await world.accounts.register({ username: 'builder', role: 'DEVELOPER' })
  builder = (await world.accounts.loginByPassword({ username: 'builder', password, address: '::1' })).token
})
afterEach(() => world.stop())

async function ask(token: string, method: string, path: string, body?: FormData | object) {
  const isForm = body instanceof FormData
  const response = await fetch(`${world.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined
  return { status: response.status, text, json, headers: response.headers }
}

function form(text: string, name = 'words.txt'): FormData {
  const data = new FormData()
  data.append('file', new Blob([text]), name)
  return data
}

const upload = (token: string, text: string, name?: string) => ask(token, 'POST', '/file', form(text, name))
const hashOf = (text: string) => contentName(new TextEncoder().encode(text))

describe('files of an account', () => {
  it('are uploaded, listed, read by either name, and given up', async () => {
    const { status, json } = await upload(builder, 'to be')
    const hash = hashOf('to be')
    expect(status).toBe(201)
    expect(json).toMatchObject({ cid: contentId(hash), hash, size: 5, filename: 'words.txt' })
    await upload(builder, 'to be', 'again.txt')
    expect((await ask(builder, 'GET', '/file/datalist')).json).toMatchObject({
      total: 1,
      data: [{ cid: json.cid, filename: 'again.txt' }],
    })
    for (const id of [hash, json.cid]) {
      const answer = await ask(builder, 'GET', `/file/data/${id}`)
      expect(answer.text).toBe('to be')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    }
    expect((await ask(builder, 'DELETE', `/file/${json.cid}`)).status).toBe(204)
    expect((await ask(builder, 'GET', `/file/data/${hash}`)).json.key).toBe('FileNotFound')
  })

  it('are nobody else’s, whoever knows their names', async () => {
    const { json } = await upload(builder, 'secret')
    expect((await ask(admin, 'GET', `/file/data/${json.cid}`)).json.key).toBe('FileNotFound')
    expect((await ask(admin, 'DELETE', `/file/${json.hash}`)).json.key).toBe('FileNotFound')
    await ask(admin, 'POST', '/project', { name: 'thief' })
    const change = { op: 'assets.put', assets: [{ path: 'a', cid: json.cid }] }
    const answer = await ask(admin, 'POST', '/project/x/thief/changes', { changes: [change] })
    expect(answer.json.key).toBe('FileNotFound')
  })

  it('are refused without a file, too large, or when the disk is full', async () => {
    expect((await ask(builder, 'POST', '/file', new FormData())).status).toBe(400)
    await world.stop()
    world = await openWorld({ limits: { fileBytes: 4 } })
    const login = await world.accounts.loginByPassword({ username: 'admin', password: adminPassword, address: '::1' })
    expect((await upload(login.token, 'longer')).json.key).toBe('UploadFileSizeLimit')
    await world.stop()
    world = await openWorld({ limits: { diskReserveBytes: 1e12 } })
    const again = await world.accounts.loginByPassword({ username: 'admin', password: adminPassword, address: '::1' })
    expect((await upload(again.token, 'a')).json.key).toBe('UploadFileDiskLimit')
  })

  it('are deployed with a project under a path', async () => {
    const { json } = await upload(builder, 'to be')
    await ask(builder, 'POST', '/project', { name: 'demo' })
    const put = (assets: object[]) =>
      ask(builder, 'POST', '/project/x/demo/changes', { changes: [{ op: 'assets.put', assets }] })
    expect((await put([{ path: 'words.txt', cid: json.cid }])).status).toBe(201)
    const definition = await ask(builder, 'GET', '/project/x/demo/definition')
    expect(definition.json.assets).toEqual([{ path: 'words.txt', cid: json.cid, size: 5 }])
    expect((await put([{ path: '../x', cid: json.cid }])).json.key).toBe('badRequest')
    expect((await put([{ path: 'a', cid: 'nonsense' }])).json.key).toBe('FileNotFound')
    // What is deployed may be deployed again by who no longer has it.
    await ask(builder, 'DELETE', `/file/${json.cid}`)
    expect((await put([{ path: 'moved.txt', cid: json.cid }])).status).toBe(201)
  })
})

describe('the files of the node', () => {
  it('are for administrators', async () => {
    for (const [method, path] of [
      ['GET', '/vfs/datalist'],
      ['GET', `/vfs/data/${hashOf('a')}`],
      ['POST', '/vfs/gc'],
    ] as const)
      expect((await ask(builder, method, path, method === 'POST' ? {} : undefined)).json.key).toBe('NoAdminPermission')
  })

  it('are listed page by page with what refers to them, and read', async () => {
    for (const text of ['a', 'b', 'c']) await upload(builder, text)
    await world.deps.vfs.put(new TextEncoder().encode('of nobody'))
    const first = await ask(admin, 'GET', '/vfs/datalist?size=3')
    const second = await ask(admin, 'GET', `/vfs/datalist?size=3&after=${first.json.next}`)
    const all = [...first.json.data, ...second.json.data]
    expect(second.json.next).toBeUndefined()
    expect(all.map(({ hash }) => hash)).toEqual(['a', 'b', 'c', 'of nobody'].map(hashOf).sort())
    expect(all.filter(({ references }) => references.length === 0)).toHaveLength(1)
    expect(first.json.usage).toMatchObject({ files: 4 })
    expect((await ask(admin, 'GET', `/vfs/data/${all[0].cid}`)).text).toHaveLength(all[0].size)
    expect((await ask(admin, 'GET', `/vfs/data/${hashOf('none')}`)).json.key).toBe('FileNotFound')
  })

  it('go when nothing refers to them', async () => {
    const kept = (await upload(builder, 'kept')).json
    const gone = (await upload(builder, 'gone')).json
    await ask(builder, 'DELETE', `/file/${gone.cid}`)
    expect((await ask(admin, 'POST', '/vfs/gc', {})).json).toMatchObject({ files: 0, young: 1 })
    const uploaded = Date.now()
    await until('the clock goes on', () => Date.now() > uploaded)
    const plan = await ask(admin, 'POST', '/vfs/gc', { dryRun: true, graceMs: 0 })
    expect(plan.json).toMatchObject({ files: 1, bytes: 4, removed: [{ cid: gone.cid }], usage: { files: 2 } })
    expect((await ask(admin, 'POST', '/vfs/gc', { graceMs: 0 })).json).toMatchObject({ files: 1, usage: { files: 1 } })
    expect(await world.deps.vfs.has(kept.hash)).toBe(true)
    expect(await world.deps.vfs.has(gone.hash)).toBe(false)
  })
})
