import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postEvent, sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { type AppletAnswer, type Device, Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'

/** What the sender of an event is told, row by row of the compatibility specification's section 1.3. */
describe('answers to events', () => {
  let node: NodeProcess
  let admin: Management
  let device: Device
  let applet: AppletAnswer
  let channel = ''
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    await admin.project('answers', { envs: { env: [['KEY', 'first']] } })
    applet = await admin.applet('answers', guest('rust_log'), [
      { eventType: 'LOG', handler: 'start' },
      { eventType: 'REFUSE', handler: 'refuse' },
      { eventType: 'CRASH', handler: 'crash' },
    ])
    device = await admin.device('answers', 'd1')
    channel = admin.channel('answers')
    send = sender(node, channel, device)
  })
  afterAll(() => node[Symbol.asyncDispose]())

  const key = (name: string, perm: string) =>
    admin.expect<{ accessKey: string }>('POST', '/account_access_key', { name, privileges: [{ name: 'Event', perm }] })

  it('has no results when neither the type nor DEFAULT is routed', async () => {
    const { status, json } = await send('x', { eventType: 'NOWHERE' })
    expect(status).toBe(201)
    expect(json.results).toBeNull()
    expect(json).not.toHaveProperty('error')
  })

  it('passes what the handler returned, also when it is negative', async () => {
    const { status, json } = await send('x', { eventType: 'REFUSE' })
    expect(status).toBe(201)
    expect(json.results).toMatchObject([{ appletName: 'applet', handler: 'refuse', code: -7, returnValue: null }])
    expect(json.results?.[0]).not.toHaveProperty('error')
  })

  it('gives the trap of a handler, whose log lines stay', async () => {
    const { json } = await send('x', { eventType: 'CRASH', eventId: 'crashed' })
    expect(json.results).toMatchObject([{ code: -1, error: expect.stringContaining('unreachable') }])
    const messages = (await admin.logs('answers', 'eventID=crashed')).map(({ msg }) => msg)
    expect(messages.reverse()).toEqual([
      'before the crash',
      expect.stringMatching(/^crash failed: .*\(fuel \d+, module [0-9a-f]{12}\)/),
    ])
    const [receipt] = await admin.receipts('answers', 'eventID=crashed')
    expect(receipt).toMatchObject({ status: 'failed', errors: ['TRAP'], fuel: expect.stringMatching(/^\d+$/) })
  })

  it('says so when the instance was removed', async () => {
    const other = await admin.applet('answers', guest('rust_log'), [{ eventType: 'GONE', handler: 'start' }], 'gone')
    await admin.expect('DELETE', `/deploy/data/${other.instance.instanceID}`)
    const { status, json } = await send('x', { eventType: 'GONE' })
    expect(status).toBe(201)
    expect(json.results).toMatchObject([{ code: -1, error: 'InstanceNotRunning' }])
    await admin.expect('DELETE', `/applet/data/${other.appletID}`)
  })

  it.each([
    ['a token that is none', 'nonsense', 401, 'InvalidToken'],
    [
      'a forged token',
      `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.e30.AAAA`,
      401,
      'InvalidToken',
    ],
    ['an unsigned token', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, 401, 'InvalidToken'],
    ['an undecodable access key', 'w3b_AAAA', 401, 'InvalidAccessKey'],
    [
      'an unknown access key',
      `w3b_${Buffer.from('1_1700000000_abcdefghijkl').toString('base64url')}`,
      404,
      'AccessKeyNotFound',
    ],
  ])('refuses %s', async (_what, token, status, errorKey) => {
    const answer = await postEvent(node, { channel, token, eventType: 'LOG' })
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ key: errorKey })
    expect(String(answer.json.code)).toMatch(new RegExp(`^${status}`))
  })

  it('refuses tampered tokens', async () => {
    const middle = device.token.length >> 1
    const other = device.token[middle] === 'A' ? 'B' : 'A'
    const token = device.token.slice(0, middle) + other + device.token.slice(middle + 1)
    const answer = await postEvent(node, { channel, token, eventType: 'LOG' })
    expect([401, 404]).toContain(answer.status)
    expect(['InvalidAccessKey', 'AccessKeyNotFound']).toContain(answer.json.key)
  })

  it('refuses tokens of accounts', async () => {
    const byLogin = await postEvent(node, { channel, token: admin.token })
    expect(byLogin).toMatchObject({ status: 404, json: { key: 'PublisherNotFound', code: 404999008 } })
    const { accessKey } = await key('writes', 'READ_WRITE')
    const byKey = await postEvent(node, { channel, token: accessKey })
    expect(byKey).toMatchObject({ status: 401, json: { key: 'InvalidAuthPublisherID' } })
    const { accessKey: reading } = await key('reads', 'READONLY')
    const byReader = await postEvent(node, { channel, token: reading })
    expect(byReader).toMatchObject({ status: 403, json: { key: 'AccessKeyPermissionDenied', code: 403999011 } })
  })

  it('refuses a data push into a foreign project, and one by a device', async () => {
    const { accessKey } = await key('pushes', 'READ_WRITE')
    const foreign = await postEvent(node, {
      channel: 'aid_1_other',
      token: accessKey,
      eventType: 'DA-TA_PU-SH',
      payload: '[]',
    })
    expect(foreign).toMatchObject({ status: 401, json: { key: 'NoProjectPermission', code: 401999004 } })
    const byDevice = await send('[]', { eventType: 'DA-TA_PU-SH' })
    expect(byDevice).toMatchObject({ status: 500, json: { key: 'UnknownError' } })
  })

  it('refuses a device that was removed, and one whose project is gone', async () => {
    await admin.project('shortlived')
    const first = await admin.device('shortlived', 'a')
    const second = await admin.device('shortlived', 'b')
    const to = admin.channel('shortlived')
    await admin.expect('DELETE', `/publisher/data/${first.publisherID}`)
    expect(await postEvent(node, { channel: to, token: first.token })).toMatchObject({ status: 404 })
    expect((await postEvent(node, { channel: to, token: second.token })).status).toBe(201)
    await admin.expect('DELETE', '/project/x/shortlived')
    expect((await postEvent(node, { channel: to, token: second.token })).status).toBe(404)
  })

  it('takes the token from the query before the header, with and without Bearer', async () => {
    const url = `${node.events}/srv-applet-mgr/v0/event/${channel}?eventType=LOG`
    const byQuery = await fetch(`${url}&authorization=${device.token}`, {
      method: 'POST',
      headers: { authorization: 'w3b_AAAA' },
    })
    expect(byQuery.status).toBe(201)
    expect((await fetch(url, { method: 'POST', headers: { authorization: device.token } })).status).toBe(201)
  })

  it.each(['srv-applet-mgr/v0/event', 'event', 'api/w3bapp/event'])('serves /%s on both ports', async (path) => {
    for (const base of [node.management, node.events]) {
      const init = { method: 'POST', headers: { authorization: device.token }, body: 'x' }
      const answer = await fetch(`${base}/${path}/${channel}?eventType=LOG`, init)
      expect(answer.status).toBe(201)
    }
  })

  it('runs every strategy of a type, each with its own result', async () => {
    const other = await admin.applet(
      'answers',
      guest('c_sensor'),
      [{ eventType: 'LOG', handler: 'count_calls' }],
      'second',
    )
    const { json } = await send('x', { eventType: 'LOG' })
    expect(json.results).toHaveLength(2)
    expect(json.results).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ handler: 'start', code: 0, instanceID: applet.instance.instanceID }),
        expect.objectContaining({ handler: 'count_calls', code: 1, instanceID: other.instance.instanceID }),
      ]),
    )
    await admin.expect('DELETE', `/applet/data/${other.appletID}`)
  })

  it('falls back to DEFAULT unless the project does not want it', async () => {
    await admin.expect('POST', '/strategy/x/answers', {
      appletID: applet.appletID,
      eventType: 'DEFAULT',
      handler: 'start',
    })
    expect((await send('x', { eventType: 'NOWHERE' })).json.results).toMatchObject([{ handler: 'start', code: 0 }])
    await admin.change('answers', { op: 'settings.put', settings: { defaultFallback: false } })
    expect((await send('x', { eventType: 'NOWHERE' })).json.results).toBeNull()
    expect((await send('x')).json.results).toMatchObject([{ handler: 'start' }])
  })

  it('takes anonymous events of public projects only', async () => {
    expect((await postEvent(node, { channel, eventType: 'LOG' })).status).toBe(401)
    await admin.project('open')
    await admin.expect('POST', '/publisher/x/open/anonymous')
    const answer = await postEvent(node, { channel: admin.channel('open') })
    expect(answer).toMatchObject({ status: 201, json: { publisherKey: 'anonymous', results: null } })
  })

  it('answers with names as before after a restart', async () => {
    const before = await send('x', { eventType: 'REFUSE', eventId: 'same' })
    await node.restart()
    const after = await send('x', { eventType: 'REFUSE', eventId: 'same' })
    expect(after.json.results).toEqual(before.json.results)
  })
})
