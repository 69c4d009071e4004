import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Client, call, client, form } from './testing/client.ts'
import { loginByWallet } from './testing/siwe.ts'

/** A node to examine; the numbers of the tests are those of the compatibility specification's section 10.1. */
export interface VectorNode {
  /** Base URL of the management API, with its path. */
  readonly api: string
  readonly management: string
  readonly events: string
  readonly adminPassword: string
  /** A module that exports `start` and not `nope`. */
  readonly applet: Uint8Array
  stop(): Promise<void>
}

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

/** The vectors of HTTP, in order: each builds on those before. */
export function vectorsSuite(kind: string, open: () => Promise<VectorNode>): void {
  describe(`request and response vectors, ${kind}`, () => {
    let node: VectorNode
    let builder: Client
    let channel = ''
    let projectID = ''
    let applet: Answer
    let device: Answer
    let dataKey = ''

    beforeAll(async () => {
      node = await open()
      const { token, prefix } = await loginByWallet(node.api)
      builder = client(node, token)
      channel = `${prefix}demo`
    })
    afterAll(() => node.stop())

    const event = (options: { query?: string; to?: string; token?: string | null; body?: string } = {}) => {
      const { query = '', to = channel, token = String(device.json.token), body = 'IoTeX' } = options
      const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
      const url = `${node.events}/srv-applet-mgr/v0/event/${to}?${query}`
      return call(url, { method: 'POST', headers, body })
    }
    const login = (password: string) =>
      call(`${node.api}/login`, { method: 'PUT', body: JSON.stringify({ username: 'admin', password }) })

    it('V1 login by password', async () => {
      const { status, json } = await login(node.adminPassword)
      expect(status).toBe(200)
      expect(Object.keys(json)).toEqual(['accountID', 'accountRole', 'token', 'expireAt', 'issuer'])
      expect(json).toMatchObject({ accountRole: 'ADMIN', issuer: 'w3bstream' })
      expect(String(json.expireAt)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      const [head, claims] = String(json.token)
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString())
      expect(head).toBe('{"alg":"HS256","typ":"JWT"}')
      expect(JSON.parse(claims!)).toEqual({ Payload: json.accountID, iss: 'w3bstream', exp: expect.any(Number) })
    })

    it('V2 wrong password', async () => {
      const { status, text } = await login('wrong')
      expect(status).toBe(401)
      expect(text).toMatch(
        /^\{"key":"InvalidPassword","code":401999009,"msg":"Invalid Password","desc":"","canBeTalk":true,"id":"","sources":\["srv-applet-mgr@[^"]+"\],"fields":null\}\n$/,
      )
    })

    it('V3 create a project', async () => {
      const { status, json } = await builder.post('/project', { name: 'demo' })
      expect(status).toBe(201)
      expect(json).toMatchObject({ name: 'demo', projectID: expect.stringMatching(/^\d+$/), channelState: true })
      expect(Object.keys(json)).toEqual(expect.arrayContaining(['envs', 'database', 'flow']))
      projectID = String(json.projectID)
    })

    it('V4 the same name again', async () => {
      const { status, json } = await builder.post('/project', { name: 'demo' })
      expect(status).toBe(409)
      expect(json).toMatchObject({ key: 'ProjectNameConflict', code: 409999002 })
    })

    it('V5 a name that is none', async () => {
      const { status, json } = await builder.post('/project', { name: 'Demo-1' })
      expect(status).toBe(400)
      expect(json).toMatchObject({ key: 'badRequest', code: 400000000, msg: 'invalid parameters' })
      expect(json.fields).toEqual([{ field: 'name', in: 'body', msg: expect.any(String) }])
    })

    it('V6 create an applet', async () => {
      applet = await builder.post('/applet/x/demo', form(node.applet, { appletName: 'log' }))
      expect(applet.status).toBe(201)
      expect(applet.json).toMatchObject({
        projectID,
        name: 'log',
        instance: { state: 'STARTED', appletID: applet.json.appletID },
        resource: { md5: hash('md5', node.applet), path: `srv-applet-mgr/${applet.json.resourceID}` },
        strategies: [{ eventType: 'DEFAULT', handler: 'start' }],
      })
    })

    it('V7 another md5', async () => {
      const { status, json } = await builder.post(
        '/applet/x/demo',
        form(node.applet, { appletName: 'log', wasmMd5: '00' }),
      )
      expect(status).toBe(403)
      expect(json).toMatchObject({ key: 'UploadFileMd5Unmatched', code: 403999005 })
    })

    it('V8 register a device', async () => {
      device = await builder.post('/publisher/x/demo', { name: 'd1', key: 'd1' })
      expect(device.status).toBe(201)
      expect(device.json).toMatchObject({ projectID, name: 'd1', key: 'd1', token: expect.stringMatching(/^w3b_/) })
    })

    it('V9 the same key again', async () => {
      const { status, json } = await builder.post('/publisher/x/demo', { name: 'd1', key: 'd1' })
      expect(status).toBe(409)
      expect(json).toMatchObject({ key: 'PublisherConflict', code: 409999007 })
      const upsert = await builder.post('/publisher/x/demo/upsert', { name: 'd1', key: 'd1' })
      expect(upsert.status).toBe(201)
      expect(upsert.json.publisherID).toBe(device.json.publisherID)
    })

    it('V10 an event', async () => {
      const { status, headers, json, text } = await event({ query: `eventType=DEFAULT&timestamp=${Date.now()}` })
      expect(status).toBe(201)
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      const instanceID = applet.json.instance!.instanceID
      expect(text).toMatch(
        new RegExp(
          `^\\{"channel":"${channel}","publisherID":"${device.json.publisherID}","publisherKey":"d1","eventID":"${uuid}_w3b","timestamp":\\d{13},"results":\\[\\{"appletName":"[^"]+","instanceID":"${instanceID}","handler":"start","returnValue":null,"code":0\\}\\]`,
        ),
      )
      expect(json).not.toHaveProperty('error')
    })

    it('V11 an unknown type goes to DEFAULT', async () => {
      const { status, json } = await event({ query: 'eventType=OTHER' })
      expect(status).toBe(201)
      expect(json.results).toMatchObject([{ handler: 'start', code: 0 }])
    })

    it('V12 the event id is lower-cased', async () => {
      expect((await event({ query: 'eventID=ABC' })).json).toMatchObject({ eventID: 'abc' })
    })

    it('V13 another channel', async () => {
      const { status, json } = await event({ to: `${channel}_other` })
      expect(status).toBe(201)
      expect(json).toMatchObject({ error: 'InvalidEventChannel', timestamp: 0, results: null })
    })

    it('V14 no token', async () => {
      const { status, json } = await event({ token: null })
      expect(status).toBe(401)
      expect(json).toMatchObject({ key: 'InvalidToken', code: 401999002 })
    })

    it('V15 an access key that is none', async () => {
      const { status, json } = await event({ token: 'w3b_AAAA' })
      expect(status).toBe(401)
      expect(json).toMatchObject({ key: 'InvalidAccessKey', code: 401999018 })
    })

    it('V16 a stopped instance', async () => {
      const instanceID = applet.json.instance!.instanceID
      expect((await builder.put(`/deploy/${instanceID}/HUNGUP`)).status).toBe(204)
      const { status, json } = await event()
      expect(status).toBe(201)
      expect(json.results).toMatchObject([{ code: -1, error: 'instance not running' }])
      expect((await builder.put(`/deploy/${instanceID}/start`)).status).toBe(204)
    })

    it('V17 a handler that is not exported', async () => {
      const strategy = { appletID: applet.json.appletID, eventType: 'X', handler: 'nope' }
      expect((await builder.post('/strategy/x/demo', strategy)).status).toBe(201)
      const { status, json } = await event({ query: 'eventType=X' })
      expect(status).toBe(201)
      expect(json.results).toMatchObject([{ handler: 'nope', code: -1, error: 'func not imported' }])
    })

    it('V18 a data push', async () => {
      const privileges = [{ name: 'Event', perm: 'READ_WRITE' }]
      const key = await builder.post('/account_access_key', { name: 'k', privileges })
      expect(key.status).toBe(201)
      dataKey = String(key.json.accessKey)
      const body = JSON.stringify([
        { device_id: 'n1', payload: 'a' },
        { device_id: 'n1', event_type: 'X', payload: 'b' },
      ])
      const { status, json } = await event({ query: 'eventType=DA-TA_PU-SH', token: dataKey, body })
      expect(status).toBe(201)
      expect(json).toMatchObject([
        { index: 0, results: [{ code: 0 }] },
        { index: 1, results: [{ code: -1 }] },
      ])
      expect((await builder.get('/publisher/x/demo?key=n1')).json).toMatchObject({ total: 1 })
    })

    it('V19 a push that is no list', async () => {
      const { status, json } = await event({ query: 'eventType=DA-TA_PU-SH', token: dataKey, body: '{}' })
      expect(status).toBe(500)
      expect(json).toMatchObject({ key: 'UnknownError', desc: expect.stringMatching(/^incorrect payload format/) })
    })

    it('V20 a key that may only read', async () => {
      const privileges = [{ name: 'Event', perm: 'READONLY' }]
      const key = await builder.post('/account_access_key', { name: 'r', privileges })
      const token = String(key.json.accessKey)
      const { status, json } = await event({ query: 'eventType=DA-TA_PU-SH', token, body: '[]' })
      expect(status).toBe(403)
      expect(json).toMatchObject({ key: 'AccessKeyPermissionDenied', code: 403999011 })
    })

    it('V23 the version', async () => {
      const { status, headers, text } = await call(`${node.events}/version`)
      expect(status).toBe(200)
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
      expect(text).toMatch(/@v\d+\.\d+\.\d+/)
    })

    it('V24 variables', async () => {
      const { status, json } = await builder.post('/project_config/x/demo/PROJECT_ENV', { env: [['KEY', 'v1']] })
      expect(status).toBe(201)
      expect(json).toMatchObject({ configID: expect.stringMatching(/^\d+$/), relID: projectID, type: 'PROJECT_ENV' })
      expect((await builder.get('/project_config/x/demo/PROJECT_ENV')).json).toEqual({ env: [['KEY', 'v1']] })
    })

    it('V26 the chain table', async () => {
      const { status, json } = await call(`${node.api}/configuration/chain_config`)
      expect(status).toBe(200)
      const chains = JSON.parse(String(json.chains)) as { chainID: number }[]
      expect(chains[0]).toMatchObject({ chainID: 4689 })
    })

    it('V27 a preflight request', async () => {
      const headers = { origin: 'https://studio.example', 'access-control-request-method': 'POST' }
      const answer = await call(`${node.api}/project`, { method: 'OPTIONS', headers })
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      for (const method of ['GET', 'HEAD', 'POST', 'CONNECT', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
        expect(answer.headers.get('access-control-allow-methods')).toContain(method)
      expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization')
    })
  })
}
