import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { encodeEvent } from '@w3bstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guest } from '../support/guests.ts'
import { type AppletAnswer, type Device, Management } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const hasMosquitto = await run('mosquitto_pub', ['--version']).then(
  () => true,
  (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
)

/** The topics and payloads of the compatibility specification's sections 2.2 to 2.5, and their answers. */
describe('events by MQTT', () => {
  let node: NodeProcess
  let admin: Management
  let device: Device
  let applet: AppletAnswer
  let listener: TestDevice
  let channel = ''
  let made = 0

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    await admin.project('mqtt')
    channel = admin.channel('mqtt')
    applet = await admin.applet('mqtt', guest('rust_log'), [
      { eventType: 'DEFAULT', handler: 'start' },
      { eventType: 'CRASH', handler: 'crash' },
    ])
    device = await admin.device('mqtt', 'd1')
    listener = await TestDevice.open(node, device)
  })
  afterAll(async () => {
    await listener?.[Symbol.asyncDispose]()
    await node[Symbol.asyncDispose]()
  })

  const logged = async (eventId: string) => (await admin.logs('mqtt', `eventID=${eventId}`)).map(({ msg }) => msg)
  const header = (eventId: string, token = device.token) => ({
    event_type: 'DEFAULT',
    pub_id: 'd1',
    token,
    pub_time: Date.now(),
    event_id: eventId,
  })

  const forms: [string, (id: string) => [topic: string, payload: string | Buffer]][] = [
    [
      'protobuf (V21)',
      (id) => [
        channel,
        Buffer.from(
          encodeEvent({
            eventType: 'DEFAULT',
            token: device.token,
            pubTime: Date.now(),
            eventId: id,
            payload: new TextEncoder().encode('IoTeX'),
          }),
        ),
      ],
    ],
    ['a push topic (V22)', (id) => [`${channel}/push/${device.token}/DEFAULT/ts=1700000000000&id=${id}`, 'IoTeX']],
    [
      'a list of events with base64 payloads',
      (id) => [channel, JSON.stringify({ events: [{ header: header(id), payload: btoa('IoTeX') }] })],
    ],
    ['one event with a header', (id) => [channel, JSON.stringify({ header: header(id), payload: 'IoTeX' })]],
    ['an array of events', (id) => [channel, JSON.stringify([{ header: header(id), payload: 'IoTeX' }])]],
  ]

  it.each(forms)('takes %s, and answers on ack/<publisherKey>', async (_name, form) => {
    const id = `form-${++made}`
    await using sender = await TestDevice.connect(node)
    const [topic, payload] = form(id)
    await sender.client.publishAsync(topic, payload, { qos: 1 })
    expect(await listener.ack(id)).toMatchObject({
      channel,
      publisherKey: 'd1',
      eventID: id,
      results: [{ appletName: 'applet', instanceID: applet.instance.instanceID, handler: 'start', code: 0 }],
    })
    expect(await logged(id)).toEqual(['IoTeX'])
  })

  it.each([4, 5] as const)(
    'takes plain payloads of a connection with a token, protocol level %d',
    async (protocolVersion) => {
      await using sender = await TestDevice.open(node, device, { protocolVersion })
      await sender.client.publishAsync(`${channel}/DEFAULT`, `plain ${protocolVersion}`, { qos: 2 })
      const { payload } = await until('an answer', () => sender.received[0])
      const answer = JSON.parse(payload.toString()) as { eventID: string; results: unknown[] }
      expect(answer.results).toMatchObject([{ handler: 'start', code: 0 }])
      expect(await logged(answer.eventID)).toEqual([`plain ${protocolVersion}`])
    },
  )

  it('answers failures of the handler and refusals of the door', async () => {
    await using sender = await TestDevice.connect(node)
    await sender.client.publishAsync(`${channel}/push/${device.token}/CRASH/id=crash`, 'x', { qos: 1 })
    expect(await listener.ack('crash')).toMatchObject({ results: [{ code: -1, error: expect.any(String) }] })
    const other = `aid_1_other/push/${device.token}/DEFAULT/id=foreign`
    await expect(sender.client.publishAsync(other, 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 })
    const withoutToken = sender.client.publishAsync(channel, 'x', { qos: 1 })
    await expect(withoutToken).rejects.toMatchObject({ code: 0x87 })
  })

  it('acknowledges a batch of a broken and a good event by what became of each', async () => {
    await using sender = await TestDevice.connect(node)
    const events = [
      { header: header('good'), payload: 'fine' },
      { header: header('bad', 'w3b_AAAA'), payload: 'lost' },
    ]
    await sender.client.publishAsync(channel, JSON.stringify(events), { qos: 1 })
    expect(await listener.ack('good')).toMatchObject({ results: [{ code: 0 }] })
    expect(await logged('bad')).toEqual([])
  })

  it('refuses connections with a wrong token and readers of what is not theirs', async () => {
    await expect(TestDevice.connect(node, { username: 'd1', password: 'w3b_AAAA' })).rejects.toThrow()
    const other = await admin.device('mqtt', 'd2')
    await using reader = await TestDevice.open(node, other)
    for (const topic of ['ack/d1', '#', '+/d1', '$share/g/ack/d1'])
      await expect(reader.client.subscribeAsync(topic)).rejects.toThrow()
  })

  it('gives the applet the topic of the message', async () => {
    await admin.applet('mqtt', guest('rust_tx'), [{ eventType: 'TOPIC', handler: 'read_mqtt' }], 'topic')
    await using sender = await TestDevice.connect(node)
    const topic = `${channel}/push/${device.token}/TOPIC/id=topic`
    await sender.client.publishAsync(topic, 'payload', { qos: 1 })
    expect(await listener.ack('topic')).toMatchObject({ results: [{ code: 0 }] })
  })

  it('runs what the applet publishes out to those who may read it', async () => {
    await admin.applet('mqtt', guest('rust_tx'), [{ eventType: 'OUT', handler: 'publish' }], 'out')
    await using sender = await TestDevice.connect(node)
    await sender.client.publishAsync(`${channel}/push/${device.token}/OUT`, 'ack/d1 {"eventID":"from-applet"}', {
      qos: 1,
    })
    expect(await listener.ack('from-applet')).toEqual({ eventID: 'from-applet' })
  })

  it.skipIf(!hasMosquitto)('takes messages of mosquitto_pub', async () => {
    const server = ['-h', '127.0.0.1', '-p', `${node.mqttPort}`]
    const login = ['-u', 'd1', '-P', device.token]
    await run('mosquitto_pub', [...server, ...login, '-q', '1', '-t', `${channel}/DEFAULT`, '-m', 'by mosquitto'])
    await run('mosquitto_pub', [
      ...server,
      ...['-q', '2', '-V', 'mqttv5', '-t', `${channel}/push/${device.token}/DEFAULT/id=mosquitto`, '-m', 'pushed'],
    ])
    expect(await logged('mosquitto')).toEqual(['pushed'])
    const messages = (await admin.logs('mqtt')).map(({ msg }) => msg)
    expect(messages).toContain('by mosquitto')
  })
})
