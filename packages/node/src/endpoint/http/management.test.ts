import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groups, type Permission } from '../../account/privileges.ts'
import { type Client, call, client, form, type Json } from './testing/client.ts'
import { loginByWallet } from './testing/siwe.ts'
import { adminPassword, openWorld, smallApplet, type World } from './testing/world.ts'

let world: World
let builder: Client
let accountID = ''
let prefix = ''
let project: Json
let applet: Json

beforeAll(async () => {
  world = await openWorld({ limits: { fileBytes: 5000 } })
  const login = await loginByWallet(world.api)
  ;({ accountID, prefix } = login)
  builder = client(world, login.token)
  project = (await builder.post('/project', { name: 'demo', description: '<a & b>' })).json
  applet = (await builder.post('/applet/x/demo', form(smallApplet, { appletName: 'small' }))).json
})
afterAll(() => world.stop())

const rowsOf = (json: Json) => json.data as unknown as Json[]

async function admin(): Promise<Client> {
  const body = JSON.stringify({ username: 'admin', password: adminPassword })
  return client(world, String((await call(`${world.api}/login`, { method: 'PUT', body })).json.token))
}

describe('answers', () => {
  it('are JSON as Go writes it, strings are plain text', async () => {
    const { text, headers } = await builder.get('/project/x/demo/data')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(text).toContain('"description":"\\u003ca \\u0026 b\\u003e"')
    expect(text.endsWith('}\n')).toBe(true)
    const operator = await builder.get('/account/operatoraddr')
    expect(operator.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(operator.text).toMatch(/^0x[0-9a-fA-F]{40}$/)
  })

  it('carry cross-origin headers only when an origin asks', async () => {
    const at = (headers: Record<string, string>) => call(`${world.api}/configuration/chain_config`, { headers })
    expect((await at({ origin: 'https://a.example' })).headers.get('access-control-allow-origin')).toBe('*')
    expect((await at({})).headers.has('access-control-allow-origin')).toBe(false)
  })

  it('page lists', async () => {
    for (let i = 0; i < 12; i++) await builder.post('/publisher/x/demo', { name: `p${i}`, key: `p${i}` })
    const page = async (query: string) => {
      const { json } = await builder.get(`/publisher/x/demo?lname=p&${query}`)
      return [rowsOf(json)?.length, json.total]
    }
    expect(await page('')).toEqual([10, 12])
    expect(await page('size=-1')).toEqual([12, 12])
    expect(await page('size=5&offset=10')).toEqual([2, 12])
    expect((await builder.get('/publisher/x/demo?name=none')).json).toEqual({ data: null, total: 0 })
    expect(await page('name=p1&name=p2')).toEqual([2, 2])
    expect(await page('size=ten')).toEqual([undefined, undefined])
    expect((await builder.delete('/publisher/x/demo?lname=p')).status).toBe(204)
    expect(await page('')).toEqual([undefined, 0])
  })
})

describe('requests', () => {
  it('are refused with all mistakes at once', async () => {
    const body = { name: 'x'.repeat(40), public: 'yes', envs: { env: [['only one']] }, description: 7 }
    const { status, json } = await builder.post('/project', body)
    expect(status).toBe(400)
    const fields = json.fields as unknown as { field: string; in: string }[]
    expect(fields.map(({ field }) => field)).toEqual(expect.arrayContaining(['name', 'public', 'description']))
    expect(new Set(fields.map((field) => field.in))).toEqual(new Set(['body']))
    expect((await builder.put('/strategy/abc', {})).json.fields).toMatchObject([
      { field: 'strategyID', in: 'path' },
      { field: 'appletID', in: 'body' },
      { field: 'eventType', in: 'body' },
      { field: 'handler', in: 'body' },
    ])
  })

  it('need ids as text', async () => {
    const { json } = await builder.post('/strategy/x/demo', { appletID: 12, eventType: 'A', handler: 'start' })
    expect(json.fields).toMatchObject([{ field: 'appletID' }])
  })

  it.each<[string, string | Uint8Array]>([
    ['no JSON', '{'],
    ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
    ['a text', '"x"'],
    ['nothing', ''],
    ['a prototype', '{"name":"x","__proto__":{"a":1}}'],
  ])('with %s in the body are refused', async (_name, body) => {
    const headers = { authorization: builder.token }
    const answer = await call(`${world.api}/project`, { method: 'POST', headers, body })
    expect(answer).toMatchObject({ status: 400, json: { key: 'badRequest', code: 400000000 } })
  })

  it('of strangers are refused before their body is looked at', async () => {
    const answer = await call(`${world.api}/project`, { method: 'POST', body: '{' })
    expect(answer).toMatchObject({ status: 401, json: { key: 'InvalidToken' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  it('of devices are refused', async () => {
    const { json } = await builder.post('/publisher/x/demo', { name: 'd', key: 'd' })
    const device = client(world, String(json.token))
    expect(await device.get('/project/datalist')).toMatchObject({
      status: 403,
      json: { key: 'AccessKeyPermissionDenied' },
    })
  })
})

describe('access keys', () => {
  const paths: Partial<Record<keyof typeof groups, string>> = {
    Account: '/account/operatoraddr',
    'Account Access Key': '/account_access_key/datalist',
    Applet: '/applet/x/demo/datalist',
    Operator: '/operator/datalist',
    Project: '/project/datalist',
    'Project Config': '/project_config/x/demo/PROJECT_ENV',
    Publisher: '/publisher/x/demo',
    Resource: '/resource',
    Strategy: '/strategy/x/demo/datalist',
    'Wasm Log': '/wasmlog/x/demo/datalist',
  }
  let count = 0
  const holder = async (name: string, perm: Permission) => {
    const { json } = await builder.post('/account_access_key', { name: `g${count++}`, privileges: [{ name, perm }] })
    return client(world, String(json.accessKey))
  }

  it.each(Object.entries(paths))('with %s read that group and no other', async (group, path) => {
    const reader = await holder(group, 'READONLY')
    expect((await reader.get(path)).status).toBe(200)
    for (const [other, elsewhere] of Object.entries(paths))
      if (other !== group)
        expect((await reader.get(elsewhere)).json).toMatchObject({ key: 'AccessKeyPermissionDenied' })
  })

  it('write only when they may', async () => {
    const device = { name: 'w', key: 'w' }
    const reader = await holder('Publisher', 'READONLY')
    expect((await reader.post('/publisher/x/demo', device)).json).toMatchObject({ key: 'AccessKeyPermissionDenied' })
    const writer = await holder('Publisher', 'read_write' as Permission)
    expect((await writer.post('/publisher/x/demo', device)).status).toBe(201)
  })

  it('live as the documentation says', async () => {
    const made = await builder.post('/account_access_key', { name: 'life', expirationDays: 1, desc: 'd' })
    expect(made.json).toMatchObject({ name: 'life', identityType: 'ACCOUNT', identityID: accountID, desc: 'd' })
    expect(rowsOf({ data: made.json.privileges } as Json)).toHaveLength(Object.keys(groups).length)
    expect((await builder.post('/account_access_key', { name: 'life' })).json).toMatchObject({ code: 409999020 })
    const changed = await builder.put('/account_access_key/life', { desc: 'e' })
    expect(changed).toMatchObject({ status: 200, json: { desc: 'e', expiredAt: made.json.expiredAt } })
    expect((await builder.get('/account_access_key/data/life')).json).not.toHaveProperty('accessKey')
    expect((await builder.get('/accont_access_key/datalist?name=life')).json).toMatchObject({ total: 1 })
    expect((await builder.delete('/account_access_key/life')).status).toBe(204)
    expect((await builder.delete('/account_access_key/life')).json).toMatchObject({ code: 404999022 })
    const metas = (await builder.get('/account_access_key/operator_group_metas')).json as unknown as { name: string }[]
    expect(metas.map(({ name }) => name)).toEqual(Object.keys(groups).sort())
  })
})

describe('applets', () => {
  it.each<[string, string | FormData, string]>([
    ['no form', '{}', 'badRequest'],
    ['no file', form(undefined, {}), 'badRequest'],
    ['an info that is no JSON', form(smallApplet, '{'), 'badRequest'],
    ['an info with wrong fields', form(smallApplet, { strategies: [{ eventType: 1 }] }), 'badRequest'],
    ['a file that is too large', form(new Uint8Array(5001), {}), 'UploadFileSizeLimit'],
    ['no module', form(new Uint8Array(10), {}), 'InvalidModule'],
    ['half a module', form(smallApplet.slice(0, -4), {}), 'InvalidModule'],
  ])('are refused with %s', async (_name, body, key) => {
    const headers = { authorization: builder.token }
    const answer = await call(`${world.api}/applet/x/demo`, { method: 'POST', headers, body })
    expect(answer.json).toMatchObject({ key })
    if (key === 'InvalidModule') expect(answer.json.desc).toBe('not a module; no handler')
  })

  it.each([
    ['a body that ends in the middle', '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'],
    ['no parts', '--b--\r\n'],
    ['nothing of a form', 'hello'],
  ])('are refused with %s', async (_name, body) => {
    const headers = { authorization: builder.token, 'content-type': 'multipart/form-data; boundary=b' }
    expect(await call(`${world.api}/applet/x/demo`, { method: 'POST', headers, body })).toMatchObject({ status: 400 })
  })

  it('change, and go with what hangs on them', async () => {
    const info = { appletName: 'second', strategies: [{ eventType: 'A', handler: 'start' }] }
    const made = (await builder.post('/applet/x/demo', form(smallApplet, info))).json
    expect(made.resourceID).toBe(applet.resourceID)
    const update = form(undefined, { strategies: [{ eventType: 'B', handler: 'start' }] })
    const changed = await builder.put(`/applet/${made.appletID}`, update)
    expect(changed).toMatchObject({ status: 200, json: { appletID: made.appletID, strategies: [{ eventType: 'B' }] } })
    expect((await builder.get('/applet/x/demo/datalist?name=econ')).json).toMatchObject({ total: 1 })
    const deployed = await builder.post(`/deploy/applet/${made.appletID}`)
    expect(deployed).toMatchObject({ status: 201, json: { state: 'STARTED', appletID: made.appletID } })
    expect((await builder.put(`/deploy/${deployed.json.instanceID}/RESTART`)).json).toMatchObject({ code: 400999004 })
    expect((await builder.delete(`/applet/data/${made.appletID}`)).status).toBe(204)
    expect((await builder.get(`/deploy/instance/${deployed.json.instanceID}`)).json).toMatchObject({ code: 404999006 })
    expect((await builder.get('/strategy/x/demo/datalist?eventType=B')).json).toEqual({ data: null, total: 0 })
  })

  it('keep their modules as resources', async () => {
    const { json } = await builder.get('/resource?filename=log.wasm')
    expect(rowsOf(json)).toMatchObject([{ resourceID: applet.resourceID, expireAt: '0001-01-01T00:00:00Z' }])
    const bytes = await fetch(`${world.api}/resource/data/${applet.resourceID}`, {
      headers: { authorization: builder.token },
    })
    expect(bytes.headers.get('content-disposition')).toContain('attachment; filename=log.wasm')
    expect(new Uint8Array(await bytes.arrayBuffer())).toEqual(smallApplet)
    expect((await builder.get(`/resource/url/${applet.resourceID}`)).json).toMatchObject({ code: 403999009 })
    const uploaded = await builder.post('/resource', form(smallApplet, {}))
    expect(uploaded).toMatchObject({ status: 201, json: { resourceID: applet.resourceID, handlers: ['start'] } })
  })
})

describe('strategies', () => {
  it('are one per applet and type', async () => {
    const strategy = { appletID: applet.appletID, eventType: 'S', handler: 'start' }
    const { json } = await builder.post('/strategy/x/demo', strategy)
    expect((await builder.post('/strategy/x/demo', strategy)).json).toMatchObject({ code: 409999005 })
    const changed = { ...strategy, handler: 'other' }
    expect((await builder.put(`/strategy/x/demo/${json.strategyID}`, changed)).status).toBe(204)
    expect((await builder.get(`/strategy/data/${json.strategyID}`)).json).toMatchObject({ handler: 'other' })
    expect((await builder.delete(`/strategy/x/demo?strategyID=${json.strategyID}`)).status).toBe(204)
    expect((await builder.get(`/strategy/data/${json.strategyID}`)).json).toMatchObject({ code: 404999007 })
  })
})

describe('operators', () => {
  const key = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
  it('are added, bound, kept while bound, removed', async () => {
    const made = await builder.post('/operator', { name: 'o', privateKey: `0x${key}` })
    expect(made).toMatchObject({
      status: 201,
      json: { type: 1, name: 'o', address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266' },
    })
    expect(made.text).not.toContain(key)
    expect((await builder.post('/operator', { name: 'o', privateKey: key })).json).toMatchObject({ code: 409999017 })
    const { operatorID } = made.json
    const at = `/project_operator/${project.projectID}`
    expect((await builder.get(`/project_operator/data/${project.projectID}`)).json).toMatchObject({ name: 'default' })
    expect((await builder.post(`${at}/${operatorID}`)).status).toBe(201)
    expect((await builder.post(`${at}/${operatorID}`)).json).toMatchObject({ code: 409999019 })
    expect((await builder.get(`/project_operator/data/${project.projectID}`)).json).toMatchObject({ name: 'o' })
    expect((await builder.delete(`/operator/data/${operatorID}`)).json).toMatchObject({ code: 403999008 })
    expect((await builder.delete(at)).status).toBe(204)
    expect((await builder.delete(`/operator/data/${operatorID}`)).status).toBe(204)
  })

  it.each([
    { privateKey: 'xyz' },
    { privateKey: key.slice(2) },
    { privateKey: key, type: 2 },
    { privateKey: key, type: 'ed25519' },
  ])('are refused with %o', async (wrong) => {
    const answer = await builder.post('/operator', { name: 'wrong', ...wrong })
    expect(answer.json).toMatchObject({ key: 'InvalidPrivateKey', code: 400999006 })
    expect(answer.text).not.toContain(wrong.privateKey)
  })
})

describe('administration', () => {
  it('registers and disables accounts, and is not for others', async () => {
    expect((await builder.post('/register/admin', { username: 'x' })).json).toMatchObject({ code: 401999006 })
    const root = await admin()
    const made = (await root.post('/register/admin', { username: 'dora' })).json
    const body = JSON.stringify({ username: 'dora', password: made.password })
    const dora = client(world, String((await call(`${world.api}/login`, { method: 'PUT', body })).json.token))
    expect((await dora.get('/project/datalist')).status).toBe(200)
    expect((await root.put(`/account/x/${made.accountID}/state`, { state: 'DISABLED' })).status).toBe(204)
    expect(await dora.get('/project/datalist')).toMatchObject({ status: 403, json: { key: 'DisabledAccount' } })
    const change = { oldPassword: 'wrong', password: 'long enough' }
    expect((await root.put('/account', change)).json).toMatchObject({ code: 401999007 })
  })

  it('shows chains without the secrets in their addresses', async () => {
    const { json } = await call(`${world.api}/configuration/eth_client`)
    const clients = JSON.parse(String(json.clients)) as Record<string, string>
    expect(clients).toEqual({ 1: 'https://eth.example:8545', 4689: 'https://babel-api.mainnet.iotex.io/rpc' })
    const { text } = await call(`${world.api}/configuration/chain_config`)
    expect(text).not.toMatch(/SECRETKEY|user|pw/)
  })

  it('hands out nonces', async () => {
    const { json } = await call(`${world.api}/login/nonce`)
    expect(json.nonce).toMatch(/^[a-zA-Z0-9]{8,}$/)
  })
})

describe('what a project does', () => {
  let token = ''
  let messageID = ''
  const publish = async (body: string) => {
    const url = `${world.events}/event/${prefix}demo`
    return (await call(url, { method: 'POST', headers: { authorization: token }, body })).json
  }
  beforeAll(async () => {
    token = String((await builder.post('/publisher/x/demo/upsert', { name: 'seen', key: 'seen' })).json.token)
    messageID = String((await publish('first')).messageID)
  })

  it('can be read: logs, events, receipts, keys and values, effects', async () => {
    expect(rowsOf((await builder.get('/wasmlog/x/demo/datalist')).json)[0]).toMatchObject({
      src: 'wasmCode',
      level: 'info',
      msg: 'first',
      appletID: applet.appletID,
    })
    expect(rowsOf((await builder.get('/event_log/x/demo/datalist')).json)[0]).toMatchObject({
      messageID,
      status: 'ok',
      fuel: '0',
      errors: [],
    })
    expect((await builder.get(`/receipt/x/demo/${messageID}`)).json).toEqual({ version: 1 })
    expect((await builder.get(`/receipt/x/demo/${messageID.slice(2)}`)).status).toBe(200)
    expect((await builder.get(`/receipt/x/demo/${'0'.repeat(64)}`)).json).toMatchObject({ key: 'ReceiptNotFound' })
    expect((await builder.get('/receipt/x/demo/xyz')).status).toBe(400)
    const key = String(project.projectKey) as `0x${string}`
    const projects = world.deps.projects as unknown as { at(key: string): { history: { kv: unknown[] } } }
    const value = new Uint8Array([1, 255])
    for (const namespace of ['applet:7', 'applet:77', 'prefix:7'])
      projects.at(key).history.kv.push({ namespace, key: 'k', value })
    const kept = async (query: string) => (await builder.get(`/kv/x/demo/datalist?${query}`)).json
    const ofApplet = { appletID: '7', key: 'k', valueBase64: 'Af8=' }
    const ofPrefix = { shared: '7', key: 'k', valueBase64: 'Af8=' }
    expect(await kept('appletID=7')).toEqual({ data: [ofApplet], total: 1 })
    expect(await kept('shared=7')).toEqual({ data: [ofPrefix], total: 1 })
    expect((await kept('')).data).toEqual([ofApplet, { ...ofApplet, appletID: '77' }, ofPrefix])
    expect((await kept('appletID=7&shared=7')).fields).toMatchObject([{ field: 'shared', in: 'query' }])
    expect((await builder.get('/outbox/x/demo/datalist?state=pending')).json).toEqual({ data: null, total: 0 })
  })

  it('can be asked in SQL, with exact numbers', async () => {
    const params = [1, '9007199254740993', { int64: '9007199254740993' }, null, true, 1.5, { bytes: 'AQI' }]
    const { status, text, json } = await builder.post('/project_database/x/demo/query', { statement: 'SELECT', params })
    expect(status).toBe(201)
    expect(text).toContain('"p2":9007199254740993')
    expect(rowsOf(json)[0]).toMatchObject({ p0: 1, p1: '9007199254740993', p3: null, p4: true, p5: 1.5, p6: 'AQI=' })
    const refused = await builder.post('/project_database/x/demo/query', { statement: 'DROP TABLE t' })
    expect(refused).toMatchObject({ status: 400, json: { key: 'InvalidSql' } })
    const wrong = await builder.post('/project_database/x/demo/query', { statement: 'SELECT', params: [[1]] })
    expect(wrong.json.fields).toMatchObject([{ field: 'params[0]' }])
  })

  it('is changed as a whole, or not at all', async () => {
    const changes = [
      { op: 'env.put', env: [['A', '1']] },
      { op: 'settings.put', settings: { limits: { logLines: 5 } } },
      { op: 'publisher.upsert', name: 'x', key: 'x' },
    ]
    const applied = await builder.post('/project/x/demo/changes', { changes })
    expect(applied).toMatchObject({ status: 201, json: { results: [{ ok: true }, { ok: true }, { ok: true }] } })
    const { json } = await builder.get('/project/x/demo/definition')
    expect(json).toMatchObject({ env: [['A', '1']], settings: { limits: { logLines: 5 } }, project: { name: 'demo' } })
    expect(json.applets).toMatchObject([{ appletId: applet.appletID }])
    const wrong = [
      { op: 'env.put', env: 1 },
      { op: 'settings.put', settings: { unknown: 1 } },
      { op: 'strategy.remove' },
    ]
    const refused = await builder.post('/project/x/demo/changes', { changes: wrong })
    expect(refused.status).toBe(400)
    expect((refused.json.fields as unknown as { field: string }[]).map(({ field }) => field)).toEqual(
      expect.arrayContaining(['changes[0].env', 'changes[1].settings', 'changes[2].strategyId']),
    )
    for (const op of ['project.create', 'all', 'constructor'])
      expect((await builder.post('/project/x/demo/changes', { changes: [{ op }] })).status).toBe(400)
  })

  it('pauses and resumes', async () => {
    expect((await builder.put('/project/x/demo/state', { state: 'PAUSED' })).status).toBe(204)
    expect((await builder.get('/project/x/demo/data')).json).toMatchObject({ state: 'paused' })
    expect((await builder.put('/project/x/demo/state', { state: 'active' })).status).toBe(204)
  })

  it('streams what happens, from a row on, until it is removed', async () => {
    await builder.post('/project', { name: 'short' })
    await builder.post('/applet/x/short', form(smallApplet, {}))
    const device = (await builder.post('/publisher/x/short', { name: 'd', key: 'd' })).json
    const send = (body: string) =>
      call(`${world.events}/event/${prefix}short`, {
        method: 'POST',
        headers: { authorization: String(device.token) },
        body,
      })
    await send('before')
    const headers = { authorization: builder.token }
    const response = await fetch(`${world.api}/project/x/short/events?after=0`, { headers })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await send('after')
    await expect.poll(() => world.deps.projects.byName(`${prefix}short`)).toBeDefined()
    await builder.put('/project/x/short/state', { state: 'paused' })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: RegExp) => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value
        if (wanted.test(text)) return
      }
    }
    await until(/"paused"/)
    await builder.delete('/project/x/short')
    await until(/never/)
    expect(text).toMatch(/event: log\nid: 1\ndata: \{.*"msg":"before"/)
    expect(text).toMatch(/"msg":"after"/)
    expect(text).toMatch(/event: receipt\ndata: \{"messageID"/)
    expect(text).toMatch(/event: end\ndata: \{"reason":"removed"\}\n\n$/)
  })

  it('ends the stream of a key that was taken away', async () => {
    const made = await builder.post('/account_access_key', {
      name: 's',
      privileges: [{ name: 'Project', perm: 'READONLY' }],
    })
    const headers = { authorization: String(made.json.accessKey) }
    const response = await fetch(`${world.api}/project/x/demo/events?type=log`, { headers })
    await builder.delete('/account_access_key/s')
    await publish('secret')
    const text = await response.text()
    expect(text).toContain('"reason":"unauthorized"')
    expect(text).not.toContain('secret')
  })
})
