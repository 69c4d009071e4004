import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOptions, runCli } from '../support/cli.ts'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { type EventBody, Management, request } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'
import { until } from '../support/until.ts'

const published = '[]@StatusErr[TrafficLimitExceededFailed][500999014][Traffic Limit Exceeded Failed]!'

interface Limit {
  readonly trafficLimitID: string
  readonly threshold: number
  readonly duration: string
  readonly apiType: string
  readonly scope: string
  readonly startAt: string
}

describe('traffic limits', () => {
  let node: NodeProcess
  let admin: Management
  let directory = ''
  let options: CliOptions = {}

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start()
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
    admin = await Management.login(node)
    await runCli(['login', '--password-stdin'], { ...options, input: adminPassword })
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  async function project(name: string, threshold?: number) {
    await admin.project(name)
    await admin.applet(name, guest('rust_log'), [{ eventType: 'DEFAULT', handler: 'start' }])
    const device = await admin.device(name, 'd1')
    if (threshold !== undefined)
      await admin.expect('POST', `/traffic/x/${name}`, { threshold, duration: '24h', apiType: 'EVENT' })
    return { device, send: sender(node, admin.channel(name), device) }
  }

  it('are made, listed, changed and removed over the API', async () => {
    await project('routes')
    const body = { threshold: 5, duration: '24h', apiType: 'EVENT' }
    const made = await admin.expect<Limit>('POST', '/traffic/x/routes', body)
    expect(made).toMatchObject({ ...body, scope: 'PROJECT', startAt: expect.stringMatching(/T00:00:00Z$/) })
    expect(await admin.send('POST', '/traffic/x/routes', body)).toMatchObject({
      status: 409,
      json: { code: 409999018 },
    })
    const path = `/traffic/x/routes/${made.trafficLimitID}`
    expect(await admin.expect('PUT', path, { threshold: 9, duration: '1h' })).toMatchObject({
      threshold: 9,
      duration: '1h',
      startAt: expect.stringMatching(/:00:00Z$/),
    })
    expect(await admin.expect('GET', `/traffic/data/${made.trafficLimitID}`)).toMatchObject({ threshold: 9 })
    await admin.expect('POST', '/traffic/x/routes', { ...body, apiType: 'BLOCKCHAIN' })
    const listed = (query = '') => admin.expect<{ data: Limit[] | null }>('GET', `/traffic/x/routes/datalist${query}`)
    expect((await listed()).data).toHaveLength(2)
    expect((await listed('?apiType=BLOCKCHAIN')).data).toMatchObject([{ apiType: 'BLOCKCHAIN' }])
    expect((await admin.send('DELETE', `/traffic/x/routes/data/${made.trafficLimitID}`)).status).toBe(204)
    expect((await admin.send('DELETE', '/traffic/x/routes')).status).toBe(204)
    expect((await listed()).data).toBeNull()
    expect(await admin.send('GET', `/traffic/data/${made.trafficLimitID}`)).toMatchObject({
      status: 404,
      json: { code: 404999020 },
    })
    for (const wrong of [{ ...body, threshold: -1 }, { ...body, duration: '1 day' }, { ...body, apiType: 'X' }, {}])
      expect((await admin.send('POST', '/traffic/x/routes', wrong)).status).toBe(400)
    expect(await admin.send('POST', '/traffic/x/routes', { ...body, duration: '1ms' })).toMatchObject({ status: 400 })
  })

  it('answer devices as they always were, and others by the status', async () => {
    const { send, device } = await project('answers', 1)
    expect((await send('one')).json).toMatchObject({ results: [{ code: 0 }] })
    const refused = await send('two', { eventId: 'TWO' })
    expect(refused).toMatchObject({
      status: 201,
      json: { publisherKey: 'd1', eventID: 'two', timestamp: 0 },
    })
    const { results } = refused.json
    expect(results).toEqual([
      { appletName: '', instanceID: '0', handler: '', returnValue: null, code: -1, error: published },
    ])
    const strict = await request(`${node.events}/event/${admin.channel('answers')}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${device.token}`, prefer: 'respond-async, Handling=strict' },
    })
    expect(strict).toMatchObject({ status: 429, json: { key: 'TrafficLimitExceeded', code: 429999104 } })
    expect(Number(strict.headers.get('retry-after'))).toBeGreaterThan(0)
    const metrics = await request(`${node.management}/metrics`)
    expect(metrics.text).toContain(`w3b_traffic_refused_total{project="${admin.channel('answers')}",scope="PROJECT"} 2`)
  })

  it('count exactly over a restart, a kill, and requests that come at once', async () => {
    const { send } = await project('restarts', 12)
    const accepted = (answers: { json: EventBody }[]) =>
      answers.filter(({ json }) => json.results?.[0]?.code === 0).length
    expect(accepted(await Promise.all([send('a'), send('b'), send('c')]))).toBe(3)
    await node.restart()
    expect(accepted(await Promise.all([send('d'), send('e')]))).toBe(2)
    await node.kill9()
    await node.start()
    expect(accepted(await Promise.all(Array.from({ length: 20 }, (_, i) => send(`${i}`))))).toBe(7)
  })

  it('count the answers that applets wait for, and refuse none of them', async () => {
    await admin.project('waiting')
    await admin.applet('waiting', guest('rust_tx'), [{ eventType: 'HELLO', handler: 'hello' }])
    const send = sender(node, admin.channel('waiting'), await admin.device('waiting', 'd1'))
    await admin.expect('POST', '/traffic/x/waiting', { threshold: 3, duration: '24h', apiType: 'EVENT' })
    // The counts are read from the history before the first event; what comes then is counted as it comes.
    expect((await send('x', { eventType: 'OTHER' })).json.error).toBeUndefined()
    const answers = async () => (await admin.outbox('waiting')).filter(({ state }) => state === 'CONFIRMED').length
    const hello = async () => (await send('you', { eventType: 'HELLO' })).json.results?.[0]?.code
    expect(await hello()).toBe(0)
    await until('the answer', async () => (await answers()) === 1)
    expect(await hello()).toBe(-1)
  })

  it('limit each device, and are told over MQTT on the ack topic', async () => {
    await project('devices')
    await admin.change('devices', {
      op: 'traffic.create',
      apiType: 'EVENT',
      scope: 'DEVICE',
      threshold: 1,
      duration: '24h',
    })
    const channel = admin.channel('devices')
    for (const protocolVersion of [4, 5] as const) {
      const device = await admin.device('devices', `m${protocolVersion}`)
      await using connected = await TestDevice.open(node, device, { protocolVersion })
      const topic = (id: string) => `${channel}/push/${device.token}/DEFAULT/id=${id}`
      await connected.client.publishAsync(topic('first'), 'x', { qos: 1 })
      expect(await connected.ack('first')).toMatchObject({ results: [{ code: 0 }] })
      const second = connected.client.publishAsync(topic('second'), 'x', { qos: 1 })
      // MQTT 5 says so in its acknowledgement, which the client takes for an error; 3.1.1 acknowledges what is refused.
      if (protocolVersion === 5) await expect(second).rejects.toMatchObject({ code: 0x97 })
      else await second
      expect(await connected.ack('second')).toMatchObject({ key: 'TrafficLimitExceeded' })
    }
  })

  it('refuse items of a data push one by one', async () => {
    await project('pushes', 2)
    const key = await admin.expect<{ accessKey: string }>('POST', '/account_access_key', {
      name: 'push',
      privileges: [{ name: 'Event', perm: 'READ_WRITE' }],
    })
    const items = ['a', 'b', 'c'].map((payload) => ({ device_id: 'n1', payload }))
    const answer = await request<{ results: { code: number; error?: string }[] }[]>(
      `${node.events}/event/${admin.channel('pushes')}?eventType=DA-TA_PU-SH`,
      { method: 'POST', headers: { authorization: `Bearer ${key.accessKey}` }, body: JSON.stringify(items) },
    )
    expect(answer.status).toBe(201)
    const results = answer.json.flatMap(({ results }) => results)
    expect(results.filter(({ code }) => code === 0)).toHaveLength(2)
    expect(results.filter(({ error }) => error === published)).toHaveLength(1)
  })

  it('are told by the command over every transport', async () => {
    await project('told', 0)
    for (const transport of ['http', 'mqtt', 'rpc']) {
      const sent = ['publish', '-p', 'told', '-d', 'd1', '--data', 'x', '--transport', transport, '--json']
      const { code, stderr } = await runCli([...sent, '--mqtt-url', node.mqtt], options)
      expect({ transport, code }).toEqual({ transport, code: 1 })
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'TrafficLimitExceeded' } })
    }
  })

  it('are kept by commands and the project file, those of the project by administrators only', async () => {
    await project('commands')
    const cli = (...args: string[]) => runCli(['traffic', ...args, '-p', 'commands', '--json'], options)
    expect((await cli('set', 'device', '100', '--per', '1m')).json()).toMatchObject({ kind: 'device', threshold: 100 })
    expect((await cli('set', 'device', '200', '--per', '1m')).json()).toMatchObject({ threshold: 200 })
    expect((await cli('set', 'transactions', '3', '--per', '1h')).json()).toMatchObject({ kind: 'transactions' })
    expect((await cli('list')).json()).toMatchObject({ total: 2 })
    expect((await cli('remove', 'transactions')).json()).toMatchObject({ removed: true })
    expect((await cli('set', 'everything', '1')).code).not.toBe(0)
    const full = ['-p', admin.channel('commands'), '--json']
    expect((await runCli(['traffic', 'set', 'project', '7', ...full], options)).json()).toMatchObject({ threshold: 7 })
    expect((await runCli(['traffic', 'list', ...full], options)).json()).toMatchObject({ total: 2 })
    const file =
      "version: 1\nname: commands\ncron: [{ schedule: '@daily', event: DAY }]\ntraffic: { device: { events: 5, per: 1h } }\n"
    await writeFile(join(directory, 'w3bstream.yaml'), file)
    const deploy = () => runCli(['project', 'deploy', '--yes'], options)
    expect((await deploy()).stdout).toContain('cron @daily DAY')
    expect((await deploy()).stdout).toContain('no changes')
    const { trafficLimits, cronJobs } = await admin.expect<{ trafficLimits: object[]; cronJobs: object[] }>(
      'GET',
      '/project/x/commands/definition',
    )
    expect(cronJobs).toMatchObject([{ expression: '@daily', eventType: 'DAY', missed: 'once' }])
    expect(trafficLimits).toContainEqual(expect.objectContaining({ scope: 'DEVICE', threshold: 5, duration: '1h' }))
  })
})
