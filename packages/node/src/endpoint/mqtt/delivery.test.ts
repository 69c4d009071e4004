import type { Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { reader, send, start, subscribe, until } from './test/harness.ts'

/** What MQTT 3.1.1 and 5 demand of a server in delivering messages, retained ones and wills; `docs/spec/mqtt.md` says which test covers which statement. */

const text = (payload: Uint8Array | string) => Buffer.from(payload).toString()

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
