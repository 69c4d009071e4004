import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { projectA } from './test/fake-door.ts'
import { start, until } from './test/harness.ts'

describe('hostile peers', () => {
  it('random bytes never stop the endpoint, before or after CONNECT', async () => {
    const harness = await start()
    const connect = (version: 4 | 5) =>
      generate({
        cmd: 'connect',
        clientId: 'f',
        clean: true,
        keepalive: 0,
        protocolVersion: version,
        username: 'x',
        password: Buffer.from('demo-d1'),
      })
    const heads = fc.constantFrom(0x10, 0x30, 0x32, 0x34, 0x3b, 0x40, 0x50, 0x62, 0x70, 0x82, 0xa2, 0xc0, 0xe0, 0xf0)
    const packet = fc
      .tuple(heads, fc.uint8Array({ maxLength: 40 }))
      .map(([head, body]) => Buffer.of(head, body.length, ...body))
    const stream = fc.array(fc.oneof(packet, fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(stream, fc.constantFrom(undefined, 4 as const, 5 as const), async (chunks, version) => {
        const client = await harness.raw(version ?? 4)
        if (version) client.send(connect(version))
        for (const chunk of chunks) client.send(Buffer.from(chunk))
        client.socket.end()
        await client.untilClosed()
      }),
      { numRuns: 300 },
    )
    await until(async () => (await harness.value('w3b_mqtt_connections')) === 0)
    await (await harness.device()).ping()
  })

  it('unfinished packets are bounded together', async () => {
    const harness = await start({ limits: { totalPartialBytes: 300_000 } })
    const clients = await Promise.all(['a', 'b', 'c', 'd'].map((clientId) => harness.device(5, { clientId })))
    const part = Buffer.concat([Buffer.of(0x30, 0xff, 0xff, 0x3f), randomBytes(100_000)])
    for (const client of clients) client.send(part)
    await until(() => clients.some(({ packets }) => packets.some(({ cmd }) => cmd === 'disconnect')))
    const refused = clients.flatMap(({ packets }) => packets).filter(({ cmd }) => cmd === 'disconnect')
    expect(refused[0]).toMatchObject({ reasonCode: 0x89 })
  })

  it('a large packet before CONNECT is refused by its length', async () => {
    const harness = await start({ limits: { connectPacketBytes: 1000 } })
    const client = await harness.raw()
    client.send(Buffer.of(0x10, 0xff, 0xff, 0x3f))
    await client.untilClosed()
  })

  it('who says nothing is sent away, and so are connections beyond the limit', async () => {
    const harness = await start({ limits: { connections: 1, connectTimeoutMs: 1 } })
    const silent = await harness.raw()
    const second = await harness.raw()
    await second.untilClosed()
    expect(await harness.value('w3b_mqtt_connections_refused_total', { reason: 'limit' })).toBe(1)
    await silent.untilClosed()
    const accepted = () =>
      harness.raw().then((client) =>
        client.ping().then(
          () => true,
          () => false,
        ),
      )
    await until(async () => !(await accepted()) && (await harness.value('w3b_mqtt_protocol_errors_total')) > 0)
  })

  it('who does not read his messages does not fill the memory', async () => {
    const harness = await start({ limits: { writeBufferBytes: 20_000, queuedMessages: 5, slowClientMs: 1 } })
    const client = await harness.device(4, { username: 'demo' }, 'key-of-owner')
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] } as Packet)
    await client.next('suback')
    client.socket.pause()
    const payload = Buffer.alloc(100_000)
    await until(async () => {
      await harness.endpoint.publish('a', payload, { project: projectA, qos: 0 })
      await harness.endpoint.publish('a', payload, { project: projectA, qos: 1 })
      return (await harness.value('w3b_mqtt_connections')) === 0
    })
    for (const reason of ['slow_client', 'queue_full'])
      expect(await harness.value('w3b_mqtt_messages_dropped_total', { reason }), reason).toBeGreaterThan(0)
  })
})
