import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generate } from 'mqtt-packet'
import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { silentLogger } from '../../telemetry/logger.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createMqttEndpoint } from './mqtt-endpoint.ts'
import type { MqttOptions } from './options.ts'
import { FakeDoor } from './test/fake-door.ts'
import { type Harness, start, until } from './test/harness.ts'

const fixture = (name: string) => fileURLToPath(new URL(`test/fixtures/${name}`, import.meta.url))
const tls = { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') }
const any = { port: 0, host: '127.0.0.1' }
const portOf = (harness: Harness, kind: string) =>
  harness.endpoint.addresses().find((address) => address.kind === kind)!.port

describe('transports', () => {
  it.each([
    ['ws', 'ws'],
    ['tcpTls', 'mqtts'],
    ['wsTls', 'wss'],
  ] as const)('%s carries events and answers', async (kind, scheme) => {
    const harness = await start({ [kind]: any, tls })
    const ca = readFileSync(tls.certFile)
    const url = `${scheme}://localhost:${portOf(harness, kind)}/mqtt`
    const client = await harness.client({ username: 'x', password: 'demo-d1', ca }, url)
    const answers: string[] = []
    client.on('message', (topic) => answers.push(topic))
    await client.subscribeAsync('ack/d1')
    await client.publishAsync('demo', Buffer.alloc(200_000, 'x'), { qos: 2 })
    await until(() => answers.length === 1)
    expect(harness.door.events[0]!.event.payload).toHaveLength(200_000)
  })

  it('WebSocket packets need not fit its frames', async () => {
    const harness = await start({ ws: any })
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(harness, 'ws')}/`, ['mqttv3.1', 'mqtt'])
    onTestFinished(() => socket.terminate())
    await new Promise((resolve) => socket.once('open', resolve))
    expect(socket.protocol).toBe('mqtt')
    const received = new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)))
    const packet = generate({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0 })
    for (const byte of packet) socket.send(Buffer.of(byte))
    expect([...(await received)]).toEqual([0x20, 2, 0, 0])
  })

  it('WebSocket text frames close the connection', async () => {
    const harness = await start({ ws: any })
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(harness, 'ws')}/`, 'mqtt')
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send('text')
    expect([1003, 1006]).toContain(await closed)
  })

  it('WebSocket without the sub-protocol, and plain HTTP, are refused', async () => {
    const harness = await start({ ws: any })
    const port = portOf(harness, 'ws')
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'other')
    await new Promise((resolve) => socket.once('error', resolve))
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426)
  })

  it('a device may send and leave: what it sent is still read', async () => {
    const harness = await start({ limits: { inflightMessages: 2 } })
    const socket = connect(harness.port, '127.0.0.1')
    harness.door.holdCommits()
    const publish = generate({
      cmd: 'publish',
      topic: 'demo/push/demo-d1/T',
      payload: 'x',
      qos: 0,
      dup: false,
      retain: false,
    })
    const connectPacket = generate({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0 })
    socket.end(Buffer.concat([connectPacket, ...Array(20).fill(publish), Buffer.of(0xe0, 0)]))
    socket.resume()
    harness.door.commit!()
    await until(() => harness.door.events.length === 20)
  })
})

const mosquitto = hasMosquitto()

describe.skipIf(!mosquitto)('mosquitto_pub (Debian package mosquitto-clients; skipped where it is missing)', () => {
  it.each(['mqttv31', 'mqttv311', 'mqttv5'])('publishes in every form, %s', async (version) => {
    const harness = await start()
    const run = (...more: string[]) =>
      promisify(execFile)('mosquitto_pub', [
        '-h',
        '127.0.0.1',
        '-p',
        `${harness.port}`,
        '-V',
        version,
        '-i',
        'm',
        ...more,
      ])
    await run('-u', 'd1', '-P', 'demo-d1', '-t', 'demo', '-m', '{"t":1}', '-q', '1')
    await run('-u', 'd1', '-P', 'demo-d1', '-t', 'demo/reading', '-m', '{"t":2}', '-q', '2')
    await run('-t', 'demo/push/demo-d2/reading/id=e1', '-m', '{"t":3}', '-q', '1')
    expect(harness.door.events.map(({ identity, event }) => [identity.publisherKey, event.eventType])).toEqual([
      ['d1', undefined],
      ['d1', 'reading'],
      ['d2', 'reading'],
    ])
  })

  it('mosquitto_sub receives the answer', async () => {
    const harness = await start()
    const port = `${harness.port}`
    const options = ['-h', '127.0.0.1', '-p', port, '-V', 'mqttv5', '-u', 'd1', '-P', 'demo-d1']
    const answer = promisify(execFile)('mosquitto_sub', [...options, '-t', 'ack/d1', '-C', '1', '-W', '20'])
    await until(() => harness.endpoint.hasReader(`0x${'a'.repeat(64)}`, 'ack/d1'))
    await promisify(execFile)('mosquitto_pub', [...options, '-t', 'demo', '-m', 'x', '-q', '1'])
    expect(JSON.parse((await answer).stdout)).toMatchObject({ publisherKey: 'd1', channel: 'demo' })
  })
})

function hasMosquitto(): boolean {
  try {
    execFileSync('mosquitto_pub', ['--version'], { stdio: 'ignore' })
    return true
  } catch (error) {
    // `--version` itself ends with a status other than 0 in older packages.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

describe('options', () => {
  const create = (options: MqttOptions) =>
    createMqttEndpoint(options, {
      door: new FakeDoor(),
      resolveProject: () => undefined,
      logger: silentLogger,
      metrics: createMetrics(),
    })

  it('tell every mistake at once', () => {
    const options = {
      tcp: { port: 70_000 },
      wsTls: { port: 1 },
      limits: { packetBytes: 0, inflightMessages: 70_000, nonsense: 1 } as object,
    }
    expect(() => create(options)).toThrow(
      expect.objectContaining({
        code: 'MQTT_OPTIONS',
        fault: expect.objectContaining({ problems: expect.objectContaining({ length: 5 }) }),
      }),
    )
    expect(() => create({ tls: { certFile: '/none', keyFile: '/none' } })).toThrow(
      expect.objectContaining({ code: 'MQTT_OPTIONS' }),
    )
  })

  it('a port in use fails the start and leaves nothing open', async () => {
    const harness = await start()
    const second = create({ ws: any, tcpTls: { port: harness.port, host: '127.0.0.1' }, tls })
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(second.addresses()).toEqual([])
    await second.stop()
  })
})
