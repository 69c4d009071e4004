import type { Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { reader, send, start, subscribe } from './test/harness.ts'

/** What MQTT 3.1.1 and 5 demand of a server in connecting, subscribing and refusing what is malformed; `docs/spec/mqtt.md` says which test covers which statement. */

const text = (payload: Uint8Array | string) => Buffer.from(payload).toString()

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
