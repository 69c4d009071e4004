import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '../api-error.ts'
import { type Answer, type Client, call, client, form } from './testing/client.ts'
import { loginByWallet } from './testing/siwe.ts'
import { openWorld, smallApplet, type World } from './testing/world.ts'

let world: World
let builder: Client
let stranger: Client
let channel = ''
let token = ''
let publisherID = ''
let projectID = ''
let applet: Answer

beforeAll(async () => {
  world = await openWorld({ limits: { payloadBytes: 2000, fileBytes: 5000, pushItems: 3, headerBytes: 8192 } })
  const login = await loginByWallet(world.api)
  builder = client(world, login.token)
  stranger = client(world, (await loginByWallet(world.api)).token)
  channel = `${login.prefix}demo`
  projectID = String((await builder.post('/project', { name: 'demo' })).json.projectID)
  applet = await builder.post('/applet/x/demo', form(smallApplet, { appletName: 'small' }))
  const device = await builder.post('/publisher/x/demo', { name: 'd', key: 'd' })
  token = String(device.json.token)
  publisherID = String(device.json.publisherID)
})
afterAll(() => world.stop())

const event = (init: RequestInit = {}, query = '', to = channel) =>
  call(`${world.events}/srv-applet-mgr/v0/event/${to}${query}`, {
    method: 'POST',
    headers: { authorization: token },
    body: 'x',
    ...init,
  })

const raw = (port: string, text: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(port).port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (data) => {
      answer += data
      if (answer.includes('\r\n\r\n')) socket.end()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })

describe('framework routes', () => {
  it.each(['management', 'events'] as const)('are on the port of %s', async (port) => {
    const at = (path: string, method = 'GET') => call(world[port] + path, { method })
    expect((await at('/')).status).toBe(204)
    expect((await at('/', 'HEAD')).status).toBe(204)
    expect(await at('/liveness')).toMatchObject({ status: 200, json: { 'Database/control': 'ok' } })
    expect((await at('/version')).text).toBe('w3bstream@v0.1.0_20260102000000')
    expect((await at('/metrics')).text).toContain('http_requests_total')
    const document = (await at('/srv-applet-mgr')).json
    expect(document.openapi).toBe('3.1.0')
    expect(document.paths).toHaveProperty('/srv-applet-mgr/v0/event/{channel}')
    const missing = await at('/nothing/here')
    expect([missing.status, missing.text]).toEqual([404, '404 page not found'])
    expect((await at('/version', 'DELETE')).status).toBe(405)
  })

  it('show metrics neither to what came through a proxy nor to accounts that are no administrators', async () => {
    const headers = { 'x-forwarded-for': '1.2.3.4' }
    expect((await call(`${world.events}/metrics`, { headers })).status).toBe(401)
    const asBuilder = { ...headers, authorization: builder.token }
    expect((await call(`${world.events}/metrics`, { headers: asBuilder })).json).toMatchObject({
      key: 'NoAdminPermission',
    })
  })

  it('name the allowed methods of a path', async () => {
    const { status, headers } = await builder.delete('/project')
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('have nothing but events on the event port', async () => {
    expect((await call(`${world.events}/srv-applet-mgr/v0/project/datalist`)).status).toBe(404)
  })

  it('describe every operation in the document, and serve its page', async () => {
    const { paths, components } = (await call(`${world.management}/srv-applet-mgr`)).json
    expect(Object.keys(paths!).length).toBeGreaterThan(50)
    expect(components!.schemas).toHaveProperty('Error')
    const page = await call(`${world.management}/docs/`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(page.headers.get('x-frame-options')).toBe('DENY')
  })
})

describe('events', () => {
  it.each(['/srv-applet-mgr/v0/event', '/event', '/api/w3bapp/event'])(
    'are taken at %s, on both ports',
    async (path) => {
      for (const port of [world.events, world.management]) {
        const url = `${port}${path}/${channel}`
        expect((await call(url, { method: 'POST', headers: { authorization: token }, body: 'x' })).status).toBe(201)
      }
    },
  )

  it.each([
    'application/json',
    'text/plain; charset=utf-8',
    'application/octet-stream',
    'nonsense',
    'a/b/c;;;=',
    'multipart/form-data',
  ])('are delivered unchanged as %s', async (type) => {
    const body = new Uint8Array([0, 255, 254, 123, 10, 0])
    const { status } = await event({ headers: { authorization: token, 'content-type': type }, body })
    expect(status).toBe(201)
    expect([...world.door.received.at(-1)!.payload]).toEqual([...body])
  })

  it('may be empty, and without a type', async () => {
    const text = await raw(
      world.events,
      `POST /event/${channel} HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\nContent-Length: 0\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 201 /)
    expect(world.door.received.at(-1)!.payload.length).toBe(0)
  })

  it('take the token with and without Bearer, and that of the query before the header', async () => {
    expect((await event({ headers: { authorization: `Bearer ${token}` } })).status).toBe(201)
    expect((await event({ headers: { authorization: 'Bearer wrong' } }, `?authorization=${token}`)).status).toBe(201)
    expect((await event({}, '?authorization=wrong')).json).toMatchObject({ key: 'InvalidToken' })
  })

  it('pass on what the sender said', async () => {
    const headers = { authorization: token, 'idempotency-key': 'k1' }
    await event({ headers }, '?eventType=T&eventID=E&timestamp=1700000000')
    expect(world.door.received.at(-1)).toMatchObject({
      channel,
      eventType: 'T',
      eventId: 'E',
      timestampMs: 1_700_000_000,
      idempotencyKey: 'k1',
      transport: 'http',
    })
  })

  it('are refused when a field is wrong, naming it', async () => {
    expect((await event({}, '?timestamp=soon')).json.fields).toMatchObject([{ field: 'timestamp', in: 'query' }])
    expect((await event({}, `?eventID=${'x'.repeat(2000)}`)).json.fields).toMatchObject([{ field: 'eventID' }])
    const headers = { authorization: token, 'idempotency-key': 'k'.repeat(129) }
    expect((await event({ headers })).json.fields).toMatchObject([{ field: 'Idempotency-Key', in: 'header' }])
  })

  it('are refused when they are too large', async () => {
    const { status, json } = await event({ body: 'x'.repeat(2001) })
    expect([status, json.key]).toEqual([413, 'PayloadTooLarge'])
    expect((await event({ body: 'x'.repeat(2000) })).status).toBe(201)
  })

  it.each([
    ['without token', null, 401, 'InvalidToken'],
    ['with a malformed token', 'a.b', 401, 'InvalidToken'],
    ['with a forged token', 'eyJhbGciOiJIUzI1NiJ9.eyJQYXlsb2FkIjoiMSJ9.AAAA', 401, 'InvalidToken'],
    ['with half an access key', 'w3b', 401, 'InvalidAccessKey'],
    ['with a broken access key', 'w3b_%%%', 401, 'InvalidAccessKey'],
    [
      'with an unknown access key',
      `w3b_${Buffer.from('1_1700000000_abcdefghijkl').toString('base64url')}`,
      404,
      'AccessKeyNotFound',
    ],
  ])('are refused %s', async (_name, given, status, key) => {
    const headers: Record<string, string> = given === null ? {} : { authorization: given }
    expect(await event({ headers })).toMatchObject({ status, json: { key } })
  })

  it('are not for accounts', async () => {
    expect((await event({ headers: { authorization: builder.token } })).json).toMatchObject({
      key: 'PublisherNotFound',
    })
    const key = async (name: string, perm: string) =>
      String(
        (await builder.post('/account_access_key', { name, privileges: [{ name: 'Event', perm }] })).json.accessKey,
      )
    const both = { authorization: await key('both', 'READ_WRITE') }
    expect(await event({ headers: both })).toMatchObject({ status: 401, json: { key: 'InvalidAuthPublisherID' } })
    const reader = { authorization: await key('reader', 'READONLY') }
    expect(await event({ headers: reader })).toMatchObject({ status: 403, json: { key: 'AccessKeyPermissionDenied' } })
  })

  it('need no token in a public project, and do in others', async () => {
    await builder.post('/project', { name: 'open' })
    const anonymous = await builder.post('/publisher/x/open/anonymous')
    expect(anonymous).toMatchObject({ status: 201, json: { key: 'anonymous' } })
    const answer = await event({ headers: {} }, '', channel.replace(/demo$/, 'open'))
    expect(answer).toMatchObject({ status: 201, json: { publisherKey: 'anonymous' } })
    expect((await event({ headers: {} })).status).toBe(401)
  })

  it('are answered as the door says: busy, stopping', async () => {
    world.door.refusal = new ApiError('MailboxFull', 'full', { retryAfterMs: 1500 })
    const busy = await event()
    expect([busy.status, busy.headers.get('retry-after'), busy.json.key]).toEqual([429, '2', 'MailboxFull'])
    world.door.refusal = undefined
  })

  it('stop working at once when the token was rotated or the device removed', async () => {
    const made = (await builder.post('/publisher/x/demo', { name: 'r', key: 'r' })).json
    const send = (authorization: unknown) => event({ headers: { authorization: String(authorization) } })
    const rotated = (await builder.put(`/publisher/x/demo/${made.publisherID}/rotate`)).json
    expect(rotated.token).not.toBe(made.token)
    expect((await send(made.token)).status).toBe(404)
    expect((await send(rotated.token)).status).toBe(201)
    expect((await builder.delete(`/publisher/data/${made.publisherID}`)).status).toBe(204)
    expect((await send(rotated.token)).status).toBe(404)
  })

  it('come signed, without a token', async () => {
    const headers = { 'content-type': 'application/vnd.w3bstream.envelope' }
    expect((await event({ headers })).json).toMatchObject({ key: 'InvalidEnvelope' })
  })
})

describe('data push', () => {
  const push = (body: RequestInit['body'], authorization = builder.token, to = channel) =>
    event({ headers: { authorization }, body }, '?eventType=DA-TA_PU-SH', to)

  it.each<[string, RequestInit['body'] & (string | Uint8Array)]>([
    ['no JSON', '[{'],
    ['an object', '{}'],
    ['no UTF-8', new Uint8Array([0x5b, 0x22, 0xff, 0x22, 0x5d])],
    ['a number', '[1]'],
    ['no device', '[{"payload":"x"}]'],
    ['an empty device', '[{"device_id":"","payload":"x"}]'],
    ['a payload that is no text', '[{"device_id":"d","payload":{}}]'],
    ['a type that is no text', '[{"device_id":"d","payload":"","event_type":1}]'],
    ['nothing', ''],
  ])('refuses %s', async (_name, body) => {
    const { status, json } = await push(body)
    expect([status, json.key]).toEqual([500, 'UnknownError'])
    expect(String(json.desc)).toMatch(/^incorrect payload format for batched event/)
  })

  it('refuses too many items, devices, strangers', async () => {
    const items = Array.from({ length: 4 }, () => ({ device_id: 'd', payload: '' }))
    expect((await push(JSON.stringify(items))).status).toBe(413)
    expect((await push('[]', token)).json).toMatchObject({
      key: 'UnknownError',
      desc: 'the account of the token is not found',
    })
    expect((await push('[]', stranger.token)).json).toMatchObject({ key: 'NoProjectPermission', code: 401999004 })
    expect((await push('[]', '')).status).toBe(401)
  })
})

describe('requests that are none', () => {
  it('get a status and a closed connection', async () => {
    expect(await raw(world.events, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    const long = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(10_000)}\r\n\r\n`
    expect(await raw(world.management, long)).toMatch(/^HTTP\/1\.1 431 /)
    expect(await raw(world.management, `GET /${'a'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    )
  })

  it('get no stack trace', async () => {
    const bad = await call(`${world.management}/event/%E0%A4%A`, { method: 'POST' })
    expect(bad.status).toBe(400)
    expect(bad.text).not.toMatch(/\bat .*\.(js|ts)/)
  })
})

describe('what belongs to others', () => {
  it('is not found by name and refused by id', async () => {
    for (const path of [
      '/project/x/demo/data',
      '/project_config/x/demo/PROJECT_ENV',
      '/publisher/x/demo',
      '/kv/x/demo/datalist',
    ])
      expect(await stranger.get(path)).toMatchObject({ status: 404, json: { key: 'ProjectNotFound' } })
    const { appletID, instance, strategies } = applet.json
    const strategyID = (strategies as unknown as { strategyID: string }[])[0]!.strategyID
    const refused = [
      stranger.get(`/applet/data/${appletID}`),
      stranger.delete(`/applet/data/${appletID}`),
      stranger.put(`/applet/${appletID}`, form(smallApplet, {})),
      stranger.get(`/deploy/instance/${instance!.instanceID}`),
      stranger.put(`/deploy/${instance!.instanceID}/START`),
      stranger.delete(`/strategy/data/${strategyID}`),
      stranger.get(`/publisher/data/${publisherID}`),
      stranger.put(`/publisher/x/demo/${publisherID}`, { name: 'x', key: 'x' }),
      stranger.get(`/project_operator/data/${projectID}`),
      stranger.delete(`/wasmlog/${instance!.instanceID}`),
    ]
    for (const answer of await Promise.all(refused))
      expect(answer).toMatchObject({ status: 401, json: { key: 'NoProjectPermission', code: 401999004 } })
    expect((await stranger.get(`/resource/data/${applet.json.resourceID}`)).json).toMatchObject({
      key: 'NoResourcePermission',
    })
    expect((await stranger.get('/project/datalist')).json).toEqual({ data: null, total: 0 })
  })

  it('cannot be made one’s own through a list of changes', async () => {
    await stranger.post('/project', { name: 'theirs' })
    const change = { op: 'applet.create', name: 'a', resourceId: applet.json.resourceID, codeHash: 'x', md5: 'y' }
    const answer = await stranger.post('/project/x/theirs/changes', { changes: [change] })
    expect(answer).toMatchObject({ status: 401, json: { key: 'NoResourcePermission' } })
  })
})

describe('the end', () => {
  it('finishes what was taken, refuses what comes, and leaves no connection', async () => {
    const own = await openWorld()
    const login = await loginByWallet(own.api)
    const me = client(own, login.token)
    await me.post('/project', { name: 'demo' })
    const device = await me.post('/publisher/x/demo', { name: 'd', key: 'd' })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    own.door.gate = gate
    const url = `${own.events}/event/${login.prefix}demo`
    const pending = call(url, { method: 'POST', headers: { authorization: String(device.json.token) } })
    await expect.poll(() => own.door.received.length).toBe(1)
    const stopped = own.stop()
    await expect
      .poll(() =>
        call(own.events).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed')
    open()
    expect((await pending).status).toBe(201)
    await stopped
  })

  it('cuts connections when its time is over', async () => {
    const own = await openWorld()
    const login = await loginByWallet(own.api)
    const me = client(own, login.token)
    await me.post('/project', { name: 'demo' })
    const device = await me.post('/publisher/x/demo', { name: 'd', key: 'd' })
    own.door.gate = new Promise(() => {})
    const url = `${own.events}/event/${login.prefix}demo`
    const pending = call(url, { method: 'POST', headers: { authorization: String(device.json.token) } })
    await expect.poll(() => own.door.received.length).toBe(1)
    const failed = expect(pending).rejects.toThrow()
    await own.endpoint.stop(AbortSignal.abort())
    await failed
  })

  it('may come twice, and before the start', async () => {
    const own = await openWorld({ http: { eventPort: 'off' } })
    expect(own.endpoint.addresses().event).toBeUndefined()
    await own.endpoint.start()
    await own.endpoint.stop()
    await own.stop()
  })
})
