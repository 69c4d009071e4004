import type { Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { projectA } from './test/fake-door.ts'
import { type Harness, type RawClient, start, until } from './test/harness.ts'

/** What MQTT 3.1.1 and 5 demand of a server; `docs/spec/mqtt.md` says which test covers which statement. */

const text = (payload: Uint8Array | string) => Buffer.from(payload).toString()

/** An account that may read everything of project A. */
function reader(harness: Harness, version: 4 | 5 = 5, more: object = {}): Promise<RawClient> {
  return harness.device(version, { clientId: 'reader', username: 'demo', ...more }, 'key-of-owner')
}

async function subscribe(client: RawClient, topic: string, options: object = {}, properties?: object) {
  const packet = { cmd: 'subscribe', messageId: 9, subscriptions: [{ topic, qos: 0, ...options }], properties }
  client.send(packet as Packet)
  return (await client.next('suback')).granted
}

const send = (harness: Harness, topic: string, payload = 'x', options: object = {}) =>
  harness.endpoint.publish(topic, Buffer.from(payload), { project: projectA, ...options })

describe('CONNECT', () => {
  it('must be the first packet', async () => {
    const harness = await start()
    const client = await harness.raw()
    client.send({ cmd: 'pingreq' })
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })

  it.each([4, 5] as const)('is a protocol error the second time, version %i', async (version) => {
    const harness = await start()
    const client = await harness.device(version)
    client.send({ cmd: 'connect', clientId: 'c1', clean: true, keepalive: 0, protocolVersion: version })
    await client.untilClosed()
    expect(client.packets.map((packet) => [packet.cmd, 'reasonCode' in packet ? packet.reasonCode : 0])).toEqual(
      version === 5 ? [['disconnect', 0x82]] : [],
    )
  })

  it('with another protocol name closes without an answer', async () => {
    const harness = await start()
    const client = await harness.raw()
    client.send(Buffer.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x58, 4, 2, 0, 0, 0, 0))
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })

  it('of another level is refused with "unacceptable protocol level"', async () => {
    const harness = await start()
    const old = await harness.raw()
    old.send(Buffer.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 3, 2, 0, 0, 0, 0))
    expect(await old.next('connack')).toMatchObject({ returnCode: 1, sessionPresent: false })
    await old.untilClosed()
    const future = await harness.raw(5)
    future.send(Buffer.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 6, 2, 0, 0, 0, 0))
    expect(await future.next('connack')).toMatchObject({ reasonCode: 0x84 })
  })

  it.each([
    ['reserved flag', 0x03],
    ['will QoS without will', 0x0a],
    ['will retain without will', 0x22],
    ['will QoS 3', 0x1e],
    ['password without user name', 0x42],
    ['user name flag without user name', 0x82],
  ])('with wrong flags closes: %s', async (_, flags) => {
    const harness = await start()
    const client = await harness.raw()
    client.send(Buffer.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0, 0, 1, 0x63))
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })

  it.each([
    ['not UTF-8', [0, 2, 0xc3, 0x28]],
    ['U+0000', [0, 1, 0]],
    ['a surrogate', [0, 3, 0xed, 0xa0, 0x80]],
    ['longer than the packet', [0, 9, 0x63]],
  ])('with a client identifier that is %s closes', async (_, id) => {
    const harness = await start()
    const client = await harness.raw()
    client.send(Buffer.of(0x10, 10 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, ...id))
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })

  it('without client identifier gets one assigned, or is refused when it wants to keep its session', async () => {
    const harness = await start()
    const assigned = await harness.raw(5)
    assigned.send({ cmd: 'connect', clientId: '', clean: true, keepalive: 0, protocolVersion: 5 })
    const connack = await assigned.next('connack')
    expect(connack.properties?.assignedClientIdentifier).toMatch(/^w3b-/)
    const old = await harness.raw(4)
    old.send(Buffer.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 0))
    expect(await old.next('connack')).toMatchObject({ returnCode: 2, sessionPresent: false })
    await old.untilClosed()
    await harness.device(4, { clientId: '' })
  })

  it('allows client identifiers of 1 to 23 letters and digits, and more, up to the limit', async () => {
    const harness = await start()
    await harness.device(4, { clientId: 'a' })
    await harness.device(4, { clientId: '0123456789abcdefghijABC' })
    await harness.device(4, { clientId: 'ü/#'.repeat(20) })
    const client = await harness.raw(5)
    client.send({ cmd: 'connect', clientId: 'x'.repeat(257), clean: true, keepalive: 0, protocolVersion: 5 })
    expect(await client.next('connack')).toMatchObject({ reasonCode: 0x85 })
  })

  it('with an authentication method is refused, and so is AUTH', async () => {
    const harness = await start()
    const client = await harness.raw(5)
    const properties = { authenticationMethod: 'SCRAM-SHA-1' }
    client.send({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0, protocolVersion: 5, properties })
    expect(await client.next('connack')).toMatchObject({ reasonCode: 0x8c })
    await client.untilClosed()
    const later = await harness.device(5)
    later.send({ cmd: 'auth', reasonCode: 0x19, properties } as Packet)
    expect(await later.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
  })

  it('that is refused is the end: what came after it is not processed', async () => {
    const harness = await start()
    const client = await harness.raw(4)
    client.send({
      cmd: 'connect',
      clientId: 'c',
      clean: true,
      keepalive: 0,
      username: 'u',
      password: Buffer.from('no'),
      protocolVersion: 4,
    })
    client.publish('demo/push/demo-d1/T', 'x')
    expect(await client.next('connack')).toMatchObject({ returnCode: 4, sessionPresent: false })
    await client.untilClosed()
    expect(harness.door.events).toEqual([])
  })

  it('may be followed by packets before CONNACK, which comes first', async () => {
    const harness = await start()
    const client = await harness.raw(4)
    client.send({
      cmd: 'connect',
      clientId: 'c',
      clean: true,
      keepalive: 0,
      username: 'u',
      password: Buffer.from('demo-d1'),
      protocolVersion: 4,
    })
    client.publish('demo', 'x', { qos: 1 })
    await client.next('puback')
    expect(client.packets.map(({ cmd }) => cmd)).toEqual(['connack'])
  })

  it('tells MQTT 5 clients the limits of the server', async () => {
    const harness = await start({ limits: { inflightMessages: 5, topicAliases: 3, packetBytes: 5000 } })
    const client = await harness.raw(5)
    const properties = { sessionExpiryInterval: 0xffffffff }
    client.send({
      cmd: 'connect',
      clientId: 'c',
      clean: true,
      keepalive: 0,
      username: 'u',
      password: Buffer.from('demo-d1'),
      protocolVersion: 5,
      properties,
    })
    expect((await client.next('connack')).properties).toMatchObject({
      receiveMaximum: 5,
      topicAliasMaximum: 3,
      maximumPacketSize: 5000,
      serverKeepAlive: 3600,
      sessionExpiryInterval: 604_800,
    })
  })

  it('refuses repeated, misplaced and zero properties', async () => {
    const harness = await start()
    for (const block of [
      [33, 0, 0],
      [39, 0, 0, 0, 0],
      [17, 0, 0, 0, 1, 17, 0, 0, 0, 1],
      [35, 0, 1],
      [22, 0, 1, 1],
      [23, 2],
    ]) {
      const client = await harness.raw(5)
      client.send(
        Buffer.of(
          0x10,
          14 + block.length,
          0,
          4,
          0x4d,
          0x51,
          0x54,
          0x54,
          5,
          2,
          0,
          0,
          block.length,
          ...block,
          0,
          1,
          0x63,
        ),
      )
      expect(await client.next('connack')).toMatchObject({ reasonCode: 0x82 })
      await client.untilClosed()
    }
  })

  it('takes over the session of the same client, and no other', async () => {
    const harness = await start()
    const first = await harness.device(5, { clientId: 'same' })
    const foreign = await harness.device(5, { clientId: 'same' }, 'demo-d2')
    const nobody = await harness.device(5, { clientId: 'same' }, '')
    await harness.device(5, { clientId: 'same' })
    expect(await first.next('disconnect')).toMatchObject({ reasonCode: 0x8e })
    await first.untilClosed()
    await foreign.ping()
    await nobody.ping()
  })
})

describe('keep alive', () => {
  it('closes a silent connection after one and a half times the interval', async () => {
    const harness = await start()
    const silent = await harness.device(5, { clientId: 's', keepalive: 1 })
    const quiet = await harness.device(5, { clientId: 'q', keepalive: 0 })
    expect(await silent.next('disconnect')).toMatchObject({ reasonCode: 0x8d })
    await silent.untilClosed()
    await quiet.ping()
  })

  it('answers PINGREQ', async () => {
    await (await (await start()).device()).ping()
  })
})

describe('malformed packets close the connection', () => {
  it.each([
    ['flags of SUBSCRIBE', [0x80, 6, 0, 1, 0, 1, 0x61, 0]],
    ['flags of UNSUBSCRIBE', [0xa0, 5, 0, 1, 0, 1, 0x61]],
    ['flags of PUBREL', [0x60, 2, 0, 1]],
    ['flags of DISCONNECT', [0xe1, 0]],
    ['flags of PINGREQ', [0xc1, 0]],
    ['SUBSCRIBE without a filter', [0x82, 2, 0, 1]],
    ['UNSUBSCRIBE without a filter', [0xa2, 2, 0, 1]],
    ['SUBSCRIBE with packet identifier 0', [0x82, 6, 0, 0, 0, 1, 0x61, 0]],
    ['PUBLISH with packet identifier 0', [0x32, 5, 0, 1, 0x61, 0, 0]],
    ['PUBLISH with QoS 3', [0x36, 5, 0, 1, 0x61, 0, 1]],
    ['DUP with QoS 0', [0x38, 3, 0, 1, 0x61]],
    ['reserved bits of subscription options', [0x82, 6, 0, 1, 0, 1, 0x61, 4]],
    ['subscription to QoS 3', [0x82, 6, 0, 1, 0, 1, 0x61, 3]],
    ['topic that is not UTF-8', [0x30, 4, 0, 2, 0xc3, 0x28]],
    ['topic with U+0000', [0x30, 3, 0, 1, 0]],
    ['filter that is not UTF-8', [0x82, 7, 0, 1, 0, 2, 0xc3, 0x28, 0]],
    ['empty filter', [0x82, 5, 0, 1, 0, 0, 0]],
    ['topic with a wildcard', [0x30, 5, 0, 3, 0x61, 0x2f, 0x23]],
    ['empty topic', [0x30, 2, 0, 0]],
    ['filter with # inside', [0x82, 8, 0, 1, 0, 3, 0x61, 0x23, 0x62, 0]],
    ['packet type 0', [0x00, 0]],
    ['a packet of servers', [0x20, 2, 0, 0]],
    ['remaining length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 1]],
  ])('%s', async (_, bytes) => {
    const harness = await start()
    const client = await harness.device()
    client.send(Uint8Array.from(bytes))
    await client.untilClosed()
    expect(await harness.value('w3b_mqtt_protocol_errors_total')).toBe(1)
    expect(harness.door.events).toEqual([])
  })

  it('with a reason in MQTT 5', async () => {
    const harness = await start({ limits: { packetBytes: 100, maxTopicLevels: 3 } })
    const cases: [number[], number][] = [
      [[0x30, 200, 1], 0x95],
      [[0x30, 4, 0, 1, 0x61, 1], 0x81],
      [[0x30, 6, 0, 1, 0x61, 2, 0x7f, 0], 0x82],
      [[0x30, 6, 0, 3, 0x61, 0x2f, 0x23, 0], 0x90],
      [[0x30, 10, 0, 7, 0x61, 0x2f, 0x61, 0x2f, 0x61, 0x2f, 0x61, 0], 0x90],
      [[0x30, 6, 0, 0, 3, 35, 0, 0], 0x94],
      [[0x30, 6, 0, 0, 3, 35, 0, 5], 0x82],
      [[0x30, 8, 0, 1, 0x61, 4, 8, 0, 1, 0x23], 0x82],
      [[0xc0, 0x80, 0], 0x81],
    ]
    for (const [bytes, code] of cases) {
      const client = await harness.device(5)
      client.send(Uint8Array.from(bytes))
      expect((await client.next('disconnect')).reasonCode, `${bytes}`).toBe(code)
      await client.untilClosed()
    }
  })
})

describe('SUBSCRIBE', () => {
  it('is answered for each filter in order, with the granted QoS or a failure', async () => {
    const harness = await start()
    for (const version of [4, 5] as const) {
      const client = await harness.device(version)
      const topics = ['ack/d2', 'ack/d1', '#', 'ack/+', 'demo', '$share/g/ack/d1', 'ack/d1/x', '$SYS/#', '$share/g/#']
      client.send({ cmd: 'subscribe', messageId: 5, subscriptions: topics.map((topic) => ({ topic, qos: 2 })) })
      const no = version === 5 ? 0x87 : 0x80
      expect(await client.next('suback')).toMatchObject({ messageId: 5, granted: [no, 2, no, no, no, 2, no, no, no] })
    }
  })

  it('never lets a device with a key like a wildcard read others', async () => {
    const harness = await start()
    const client = await harness.device(5, {}, 'demo-wild')
    expect(await subscribe(client, 'ack/+')).toEqual([0x87])
    const nobody = await harness.device(5, {}, '')
    expect(await subscribe(nobody, 'ack/d1')).toEqual([0x87])
  })

  it('lets an account read its own projects, by user name or by the first level of the filter', async () => {
    const harness = await start()
    const named = await reader(harness)
    expect(await subscribe(named, '#')).toEqual([0])
    const unnamed = await reader(harness, 5, { username: 'x', clientId: 'r2' })
    expect(await subscribe(unnamed, 'demo/#')).toEqual([0])
    for (const filter of ['#', '+/x', 'other/#', 'ack/d1']) expect(await subscribe(unnamed, filter)).toEqual([0x87])
    const weak = await harness.device(5, { username: 'demo' }, 'key-without-rights')
    expect(await subscribe(weak, 'demo/#')).toEqual([0x87])
  })

  it('replaces a subscription to the same filter', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'a/#', { qos: 0 })
    await subscribe(client, 'a/#', { qos: 1 })
    await send(harness, 'a/b', 'once', { qos: 1 })
    expect(await client.next('publish')).toMatchObject({ qos: 1 })
    await client.ping()
    expect(client.packets).toEqual([])
  })

  it('refuses more filters than a session may have, and filters beyond the limits', async () => {
    const harness = await start({ limits: { subscriptionsPerSession: 1, maxTopicLevels: 3 } })
    const client = await reader(harness)
    expect(await subscribe(client, 'a')).toEqual([0])
    expect(await subscribe(client, 'a')).toEqual([0])
    expect(await subscribe(client, 'b')).toEqual([0x97])
    expect(await subscribe(client, 'a/b/c/d')).toEqual([0x8f])
  })

  it('with no local on a shared filter, or a bad share name, is a protocol error', async () => {
    const harness = await start()
    for (const [topic, nl] of [
      ['$share/g/a', true],
      ['$share/g', false],
      ['$share//a', false],
      ['$share/+/a', false],
    ] as const) {
      const client = await reader(harness)
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0, nl, rap: false, rh: 0 }] })
      expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
      await client.untilClosed()
    }
  })
})

describe('UNSUBSCRIBE', () => {
  it('is answered for each filter, and ends the deliveries', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'a/+')
    await subscribe(client, 'b')
    client.send({ cmd: 'unsubscribe', messageId: 6, unsubscriptions: ['a/b', 'a/+', 'A/+'] })
    expect(await client.next('unsuback')).toMatchObject({ messageId: 6, granted: [0x11, 0, 0x11] })
    await send(harness, 'a/b')
    await send(harness, 'b', 'still')
    expect(text((await client.next('publish')).payload)).toBe('still')
    const old = await reader(harness, 4)
    old.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['none'] })
    expect(await old.next('unsuback')).toMatchObject({ messageId: 7 })
  })
})

describe('delivery', () => {
  it('uses the lower of the two QoS, and its own DUP', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'q1', { qos: 1 })
    await subscribe(client, 'q2', { qos: 2 })
    await send(harness, 'q1', 'a', { qos: 2 })
    expect(await client.next('publish')).toMatchObject({ qos: 1, dup: false })
    await send(harness, 'q2', 'b', { qos: 0 })
    expect(await client.next('publish')).toMatchObject({ qos: 0, dup: false })
    await send(harness, 'q2', 'c', { qos: 2 })
    expect(await client.next('publish')).toMatchObject({ qos: 2, dup: false })
  })

  it('sends overlapping subscriptions once, with the highest QoS and every identifier', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'a/#', { qos: 0 }, { subscriptionIdentifier: 1 })
    await subscribe(client, 'a/+', { qos: 2 }, { subscriptionIdentifier: 300 })
    await subscribe(client, '+/b', { qos: 1 })
    await send(harness, 'a/b', 'x', { qos: 2 })
    const message = await client.next('publish')
    expect(message.qos).toBe(2)
    expect([message.properties?.subscriptionIdentifier].flat().sort()).toEqual([1, 300])
    await client.ping()
    expect(client.packets).toEqual([])
  })

  it('forwards what a device publishes, with all its properties in order', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'demo/#', { qos: 1 })
    const device = await harness.device(5)
    const properties = {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'application/json',
      responseTopic: 'answer',
      correlationData: Buffer.from('c'),
      userProperties: { b: '1', a: ['2', '3'] },
    }
    device.publish('demo/reading', '{}', { qos: 1, properties })
    const message = await client.next('publish')
    expect(message.properties).toMatchObject({ ...properties, messageExpiryInterval: 60 })
    expect(Object.keys(message.properties!.userProperties!)).toEqual(['b', 'a'])
    device.publish('demo/deep/topic', 'x')
    expect(await client.next('publish')).toMatchObject({ topic: 'demo/deep/topic' })
    await until(() => harness.door.events.length === 1)
  })

  it('never forwards a message that carries a token', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, '#', { qos: 0 })
    const device = await harness.device(5)
    device.publish('demo/push/demo-d1/T', 'x', { qos: 1 })
    await device.next('puback')
    device.publish('demo', JSON.stringify({ header: { token: 'demo-d1' }, payload: 'x' }), { qos: 1, messageId: 2 })
    await device.next('puback')
    expect((await client.next('publish')).topic).toBe('ack/d1')
    expect((await client.next('publish')).topic).toBe('ack/d1')
    await client.ping()
    expect(client.packets).toEqual([])
  })

  it('keeps the order of messages', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'a', { qos: 1 })
    for (let i = 0; i < 20; i++) await send(harness, 'a', `${i}`, { qos: 1 })
    for (let i = 0; i < 20; i++) expect(text((await client.next('publish')).payload)).toBe(`${i}`)
  })

  it('respects Receive Maximum, and answers other packets meanwhile', async () => {
    const harness = await start()
    const client = await reader(harness, 5, { properties: { receiveMaximum: 2 } })
    await subscribe(client, 'a', { qos: 1 })
    for (let i = 0; i < 4; i++) await send(harness, 'a', `${i}`, { qos: 1 })
    await client.ping()
    expect(client.packets.map(({ cmd }) => cmd)).toEqual(['publish', 'publish'])
    client.send({ cmd: 'puback', messageId: (await client.next('publish')).messageId, reasonCode: 0x80 } as Packet)
    await client.ping()
    expect(client.packets.map(({ cmd }) => cmd)).toEqual(['publish', 'publish'])
  })

  it('leaves out messages larger than the client takes', async () => {
    const harness = await start()
    const client = await reader(harness, 5, { properties: { maximumPacketSize: 50, receiveMaximum: 1 } })
    await subscribe(client, 'a', { qos: 1 })
    await send(harness, 'a', 'x'.repeat(60), { qos: 1 })
    await send(harness, 'a', 'small', { qos: 1 })
    expect(text((await client.next('publish')).payload)).toBe('small')
    expect(await harness.value('w3b_mqtt_messages_dropped_total', { reason: 'too_large' })).toBe(1)
  })

  it('uses topic aliases only as far as the client takes them', async () => {
    const harness = await start()
    const client = await reader(harness, 5, { properties: { topicAliasMaximum: 1 } })
    await subscribe(client, '#')
    const seen: unknown[] = []
    for (const topic of ['a', 'a', 'b', 'a']) {
      await send(harness, topic)
      const { topic: name, properties } = await client.next('publish')
      seen.push([name, properties?.topicAlias])
    }
    expect(seen).toEqual([
      ['a', 1],
      ['', 1],
      ['b', undefined],
      ['', 1],
    ])
    const without = await reader(harness, 5, { clientId: 'r2' })
    await subscribe(without, '#')
    await send(harness, 'a')
    expect((await without.next('publish')).properties?.topicAlias).toBeUndefined()
  })

  it('accepts topic aliases up to the maximum, per connection', async () => {
    const harness = await start()
    const device = await harness.device(5)
    device.publish('demo/T', 'a', { qos: 1, messageId: 1, properties: { topicAlias: 16 } })
    device.publish('', 'b', { qos: 1, messageId: 2, properties: { topicAlias: 16 } })
    device.publish('demo/U', 'c', { qos: 1, messageId: 3, properties: { topicAlias: 16 } })
    device.publish('', 'd', { qos: 1, messageId: 4, properties: { topicAlias: 16 } })
    for (let i = 0; i < 4; i++) await device.next('puback')
    expect(harness.door.events.map(({ event }) => event.eventType)).toEqual(['T', 'T', 'U', 'U'])
    const again = await harness.device(5)
    again.publish('', 'b', { properties: { topicAlias: 16 } })
    expect(await again.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
  })

  it('shares messages among the members of a group, and the group among the rest', async () => {
    const harness = await start()
    const members = [await reader(harness, 5, { clientId: 'm1' }), await reader(harness, 4, { clientId: 'm2' })]
    const other = await reader(harness, 5, { clientId: 'm3' })
    for (const member of members) await subscribe(member, '$share/g/a/#', { qos: 1 })
    await subscribe(other, 'a/#')
    for (let i = 0; i < 4; i++) await send(harness, 'a/b', `${i}`, { qos: 1 })
    for (const member of members) for (let i = 0; i < 2; i++) expect((await member.next('publish')).qos).toBe(1)
    for (let i = 0; i < 4; i++) await other.next('publish')
    for (const client of [...members, other]) await client.ping()
    expect([...members, other].flatMap(({ packets }) => packets)).toEqual([])
    members[0]!.socket.destroy()
    await until(async () => (await harness.value('w3b_mqtt_connections')) === 2)
    await send(harness, 'a/b', '5', { qos: 1 })
    await send(harness, 'a/b', '6', { qos: 1 })
    for (let i = 0; i < 2; i++) await members[1]!.next('publish')
  })

  it('names the effect that a message is', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'a')
    await send(harness, 'a', 'x', { messageId: '0xabc' })
    expect((await client.next('publish')).properties?.userProperties).toMatchObject({ 'Message-Id': '0xabc' })
    for (const topic of ['a/#', '', 'x'.repeat(2000)])
      await expect(send(harness, topic)).rejects.toMatchObject({ code: 'MQTT_TOPIC' })
  })
})

describe('retained messages', () => {
  it('go to new subscriptions with RETAIN, to old ones as they wish, and are replaced and removed', async () => {
    const harness = await start()
    const plain = await reader(harness, 4, { clientId: 'plain' })
    const exact = await reader(harness, 5, { clientId: 'exact' })
    await subscribe(plain, 'a')
    await subscribe(exact, 'a', { rap: true })
    await send(harness, 'a', 'one', { retain: true, qos: 1 })
    await send(harness, 'a', 'two', { retain: true, qos: 1 })
    await send(harness, 'a', 'three', { retain: false })
    expect([(await plain.next('publish')).retain, (await exact.next('publish')).retain]).toEqual([false, true])
    const late = await reader(harness, 5, { clientId: 'late' })
    await subscribe(late, 'a', { qos: 1 })
    expect(await late.next('publish')).toMatchObject({ retain: true, qos: 1, payload: Buffer.from('two') })
    await send(harness, 'a', '', { retain: true })
    expect(text((await late.next('publish')).payload)).toBe('')
    await subscribe(late, '#')
    await late.ping()
    expect(late.packets).toEqual([])
  })

  it('follow retain handling, and skip shared subscriptions', async () => {
    const harness = await start()
    await send(harness, 'a', 'x', { retain: true })
    const client = await reader(harness)
    const count = async (topic: string, rh: number) => {
      await subscribe(client, topic, { rh })
      await client.ping()
      return client.packets.splice(0).length
    }
    expect([await count('a', 0), await count('a', 0), await count('a', 1), await count('a', 2)]).toEqual([1, 1, 0, 0])
    expect([await count('+', 1), await count('#', 2), await count('$share/g/a', 0)]).toEqual([1, 0, 0])
  })

  it('are bounded and counted, and expire', async () => {
    const harness = await start({ limits: { retainedMessages: 1 } })
    const device = await harness.device(5)
    device.publish('demo/x/y', 'gone', { retain: true, qos: 1, properties: { messageExpiryInterval: 1 } })
    await device.next('puback')
    await send(harness, 'full', 'x', { retain: true })
    expect(await harness.value('w3b_mqtt_messages_dropped_total', { reason: 'retained_full' })).toBe(1)
    const client = await reader(harness)
    const left = async () => {
      await subscribe(client, '#')
      await client.ping()
      return client.packets.splice(0).length
    }
    await until(async () => (await left()) === 0)
  })
})

describe('wills', () => {
  const will = { topic: 'demo/gone', payload: Buffer.from('bye'), qos: 1, retain: false }

  it('are published when the connection is lost, and not after DISCONNECT', async () => {
    const harness = await start()
    const client = await reader(harness)
    await subscribe(client, 'demo/#')
    const polite = await harness.device(4, { clientId: 'p', will })
    polite.send({ cmd: 'disconnect' } as Packet)
    await polite.untilClosed()
    expect(harness.door.events).toEqual([])
    const lost = await harness.device(4, { clientId: 'l', will: { ...will, retain: true } })
    lost.socket.destroy()
    expect(await client.next('publish')).toMatchObject({ topic: 'demo/gone', retain: false })
    expect(harness.door.events.map(({ event }) => event.eventType)).toEqual(['gone'])
    const insisting = await harness.device(5, { clientId: 'i', will: { ...will, topic: 'demo/a/b' } })
    insisting.send({ cmd: 'disconnect', reasonCode: 4 } as Packet)
    expect(await client.next('publish')).toMatchObject({ topic: 'demo/a/b' })
    await client.ping()
    expect(client.packets).toEqual([])
    await subscribe(client, 'demo/gone')
    expect(await client.next('publish')).toMatchObject({ retain: true })
  })

  it('wait for their delay, and are withdrawn when the client is back', async () => {
    const harness = await start()
    const delayed = { ...will, properties: { willDelayInterval: 1 } }
    const keep = { clean: false, will: delayed, properties: { sessionExpiryInterval: 100 } }
    const first = await harness.device(5, { clientId: 'back', ...keep })
    first.socket.destroy()
    await until(async () => (await harness.value('w3b_mqtt_connections')) === 0)
    await harness.device(5, { clientId: 'back', ...keep, will: undefined })
    const second = await harness.device(5, { clientId: 'away', ...keep })
    const short = await harness.device(5, { clientId: 'short', clean: true, will: delayed })
    short.socket.destroy()
    await until(() => harness.door.events.length === 1)
    second.socket.destroy()
    await until(() => harness.door.events.length === 2)
    await harness.endpoint.stop()
    expect(harness.door.events).toHaveLength(2)
  })

  it('obey the rules of their sender, and of topics', async () => {
    const harness = await start()
    for (const [topic, token, code] of [
      ['other/x', 'demo-d1', 0x87],
      ['demo/+', 'demo-d1', 0x90],
      ['demo/a/b', undefined, 0x87],
      ['demo', 'key-of-owner', 0x87],
    ] as const) {
      const client = await harness.raw(5)
      const credentials = token && { username: 'u', password: Buffer.from(token) }
      client.send({
        cmd: 'connect',
        clientId: 'c',
        clean: true,
        keepalive: 0,
        protocolVersion: 5,
        ...credentials,
        will: { ...will, topic },
      } as Packet)
      expect(await client.next('connack'), topic).toMatchObject({ reasonCode: code })
    }
    const revoked = await harness.device(5, { will })
    harness.door.devices.get('demo-d1')!.valid = false
    revoked.socket.destroy()
    await until(async () => (await harness.value('w3b_mqtt_connections')) === 0)
    expect(harness.door.events).toEqual([])
  })
})

describe('DISCONNECT', () => {
  it('is the last packet that is processed', async () => {
    const harness = await start()
    const client = await harness.device()
    client.socket.write(Buffer.concat([Buffer.of(0xe0, 0), Buffer.of(0x30, 7, 0, 4, 0x64, 0x65, 0x6d, 0x6f, 0x78)]))
    await client.untilClosed()
    expect(harness.door.events).toEqual([])
  })

  it('cannot prolong a session that ends with the connection', async () => {
    const harness = await start()
    const client = await harness.device(5)
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5 } } as Packet)
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
  })

  it('of the server carries a reason string only when the client wants one and takes it', async () => {
    const harness = await start()
    const cases = [{}, { requestProblemInformation: false }, { maximumPacketSize: 25 }]
    const seen: boolean[] = []
    for (const properties of cases) {
      const client = await harness.device(5, { properties })
      client.send(Buffer.of(0x30, 3, 0, 0, 0))
      seen.push((await client.next('disconnect')).properties?.reasonString !== undefined)
    }
    expect(seen).toEqual([true, false, false])
  })

  it('is replaced by closing when the client does not take packets of that size', async () => {
    const harness = await start()
    const client = await harness.raw(5)
    const properties = { maximumPacketSize: 10 }
    client.send({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0, protocolVersion: 5, properties })
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })
})
