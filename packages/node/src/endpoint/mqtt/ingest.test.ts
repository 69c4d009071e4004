import { encodeEvent } from '@w3bstream/protocol'
import type { Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { ApiError, type ApiErrorKey } from '../api-error.ts'
import { FakeDoor } from './test/fake-door.ts'
import { start, until } from './test/harness.ts'

const text = (payload: Uint8Array | string) => Buffer.from(payload).toString()
const subscribeAck: Packet = { cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'ack/d1', qos: 0 }] }

describe('who may publish', () => {
  it('anybody with a token in the message, and only with it', async () => {
    const harness = await start()
    const client = await harness.device(5, {}, '')
    const send = async (topic: string, payload: string | Uint8Array) => {
      client.publish(topic, Buffer.from(payload), { qos: 1 })
      return (await client.next('puback')).reasonCode
    }
    expect(await send('demo', encodeEvent({ token: 'demo-d1', payload: Buffer.from('a') }))).toBe(0)
    expect(await send('demo/push/demo-d2/T/ts=1700000000000&id=E2', 'b')).toBe(0)
    expect(await send('demo', JSON.stringify({ header: { token: 'demo-d1' }, payload: 'c' }))).toBe(0)
    for (const [topic, payload] of [
      ['demo', 'raw'],
      ['demo/T', 'raw'],
      ['demo/push/forged/T', 'x'],
      ['demo/push/key-of-owner/T', 'x'],
      ['demo/any/depth', 'x'],
      ['other/push/demo-d1/T', 'x'],
    ] as const)
      expect(await send(topic, payload), topic).toBe(0x87)
    expect(await send('demo/push/demo-d1', 'x')).toBe(0x90)
    expect(
      harness.door.events.map(({ identity, event }) => [identity.publisherKey, text(event.payload), event.eventId]),
    ).toEqual([
      ['d1', 'a', undefined],
      ['d2', 'b', 'E2'],
      ['d1', 'c', undefined],
      ['d1', 'x', undefined],
    ])
  })

  it('anybody in a public project', async () => {
    const harness = await start()
    harness.door.publicChannel = 'demo'
    const client = await harness.device(5, {}, '')
    client.publish('demo', 'raw', { qos: 1 })
    expect((await client.next('puback')).reasonCode).toBe(0)
    expect(harness.door.events[0]!.identity.publisherKey).toBe('anonymous')
  })

  it('a device to its own project only', async () => {
    const harness = await start()
    const client = await harness.device(5)
    for (const topic of ['other', 'other/T', 'other/push/other-d1/T', 'ack/d1', '$SYS/x']) {
      client.publish(topic, 'x', { qos: 1 })
      expect((await client.next('puback')).reasonCode, topic).toBe(0x87)
    }
    expect(harness.door.events).toEqual([])
    const old = await harness.device(4)
    old.publish('other', 'x', { qos: 1 })
    expect(await old.next('puback')).toMatchObject({ messageId: 1 })
    expect(await harness.value('w3b_mqtt_messages_received_total', { outcome: 'refused' })).toBe(6)
  })

  it('an account data pushes only, if its key may', async () => {
    const harness = await start()
    const account = await harness.device(5, { clientId: 'a' }, 'key-of-owner')
    const push = async (topic: string, payload: string) => {
      account.publish(topic, payload, { qos: 1 })
      return (await account.next('puback')).reasonCode
    }
    expect(await push('demo', '[{"device_id":"n1","payload":"a"}]')).toBe(0)
    expect(await push('demo', '{}')).toBe(0x99)
    expect(await push('demo/T', '[]')).toBe(0x87)
    expect(harness.door.pushes.map(({ channel, items }) => [channel, items[0]!.deviceId])).toEqual([['demo', 'n1']])
    const weak = await harness.device(5, { clientId: 'w' }, 'key-without-rights')
    weak.publish('demo', '[]', { qos: 1 })
    expect((await weak.next('puback')).reasonCode).toBe(0x87)
  })

  it('nobody whose token was revoked, from the next packet on', async () => {
    const harness = await start()
    const client = await harness.device(5)
    const silent = await harness.device(5, { clientId: 'silent' })
    harness.door.devices.get('demo-d1')!.valid = false
    client.publish('demo', 'x', { qos: 1 })
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x87 })
    expect(await silent.next('disconnect')).toMatchObject({ reasonCode: 0x87 })
    expect(harness.door.events).toEqual([])
  })
})

describe('wrong credentials', () => {
  it.each<[ApiErrorKey, number, number]>([
    ['InvalidToken', 0x86, 4],
    ['AccessKeyNotFound', 0x86, 4],
    ['AccessKeyExpired', 0x87, 5],
    ['PublisherNotFound', 0x87, 5],
    ['NodeStopping', 0x88, 3],
  ])('%s', async (key, reasonCode, returnCode) => {
    const door = new FakeDoor()
    door.authenticate = () => {
      throw new ApiError(key)
    }
    const harness = await start({}, door)
    for (const version of [4, 5] as const) {
      const client = await harness.raw(version)
      client.send({
        cmd: 'connect',
        clientId: 'c',
        clean: true,
        keepalive: 0,
        protocolVersion: version,
        username: 'u',
        password: Buffer.from('t'),
      })
      expect(await client.next('connack')).toMatchObject(version === 5 ? { reasonCode } : { returnCode })
      await client.untilClosed()
    }
  })
})

describe('failures', () => {
  it.each<[ApiErrorKey, number]>([
    ['BadRequest', 0x99],
    ['InvalidEventToken', 0x87],
    ['AccessKeyPermissionDenied', 0x87],
    ['MailboxFull', 0x97],
    ['DiskFull', 0x97],
    ['DatabaseError', 0x83],
  ])('%s is said with a reason in MQTT 5', async (key, code) => {
    const harness = await start()
    for (const qos of [1, 2]) {
      const client = await harness.device(5)
      harness.door.failures.push(new ApiError(key))
      client.publish('demo', 'x', { qos })
      const answer = await client.next(qos === 1 ? 'puback' : 'pubrec')
      expect(answer).toMatchObject({ messageId: 1, reasonCode: code, properties: { reasonString: key } })
      client.publish('demo', 'y', { qos })
      expect((await client.next(qos === 1 ? 'puback' : 'pubrec')).reasonCode ?? 0).toBe(0)
    }
    expect(harness.door.events).toHaveLength(2)
  })

  it('that are permanent are acknowledged in 3.1.1, and told on the ack topic', async () => {
    const harness = await start({ source: 'srv-applet-mgr@9' })
    const client = await harness.device(4)
    client.send(subscribeAck)
    await client.next('suback')
    harness.door.failures.push(new ApiError('BadRequest', 'why'))
    client.publish('demo/push/demo-d1/T/id=E1', 'x', { qos: 1 })
    await client.next('puback')
    expect(JSON.parse(text((await client.next('publish')).payload))).toEqual({
      key: 'BadRequest',
      code: 400_999_001,
      msg: 'Bad Request',
      desc: 'why',
      canBeTalk: false,
      id: '',
      sources: ['srv-applet-mgr@9'],
      fields: null,
      eventID: 'e1',
    })
  })

  it('that are not close a 3.1.1 connection without an acknowledgement', async () => {
    const harness = await start()
    const client = await harness.device(4)
    harness.door.failures.push(new ApiError('DiskFull'))
    client.publish('demo', 'x', { qos: 1 })
    await client.untilClosed()
    expect(client.packets).toEqual([])
  })

  it('of some events in a message leave the others', async () => {
    const harness = await start()
    const client = await harness.device(5, {}, '')
    const event = (token: string) => ({
      header: { token, event_type: 'T' },
      payload: Buffer.from('x').toString('base64'),
    })
    client.publish('demo', JSON.stringify({ events: [event('forged'), event('demo-d1'), event('demo-d2')] }), {
      qos: 1,
    })
    expect((await client.next('puback')).reasonCode).toBe(0)
    expect(harness.door.events).toHaveLength(2)
    client.publish('demo', JSON.stringify({ events: [event('forged')] }), { qos: 1 })
    expect((await client.next('puback')).reasonCode).toBe(0x87)
  })
})

describe('a busy project', () => {
  it.each([1, 2])('withholds the acknowledgement of QoS %i in 3.1.1 until it could commit, in order', async (qos) => {
    const harness = await start()
    const client = await harness.device(4)
    harness.door.setReady(false)
    for (let id = 1; id <= 3; id++) client.publish('demo', `${id}`, { qos, messageId: id })
    await until(() => harness.door.waiting > 0)
    expect(client.packets).toEqual([])
    harness.door.setReady(true)
    const kind = qos === 1 ? 'puback' : 'pubrec'
    for (let id = 1; id <= 3; id++) expect((await client.next(kind)).messageId).toBe(id)
    expect(harness.door.events.map(({ event }) => text(event.payload))).toEqual(['1', '2', '3'])
  })

  it('stops being read, whatever the version', async () => {
    const harness = await start()
    const client = await harness.device(5)
    client.publish('demo', '1', { qos: 1, messageId: 1 })
    await client.next('puback')
    harness.door.setReady(false)
    client.publish('demo', '2', { qos: 0 })
    client.publish('demo', '3', { qos: 1, messageId: 3 })
    await until(() => harness.door.waiting === 2)
    expect(client.packets).toEqual([])
    harness.door.setReady(true)
    expect((await client.next('puback')).messageId).toBe(3)
  })

  it('is not waited for by a connection that another has replaced', async () => {
    const harness = await start()
    const client = await harness.device(4)
    harness.door.setReady(false)
    client.publish('demo', '1', { qos: 1 })
    await until(() => harness.door.waiting > 0)
    await harness.device(4)
    await client.untilClosed()
    expect(harness.door.waiting).toBe(0)
  })
})

describe('flow control', () => {
  it('stops reading at the limit and goes on below it', async () => {
    const harness = await start({ limits: { inflightMessages: 4 } })
    const client = await harness.device(4)
    harness.door.holdCommits()
    for (let id = 1; id <= 20; id++) client.publish('demo', `${id}`, { qos: 1, messageId: id })
    client.send({ cmd: 'pingreq' })
    await until(() => harness.door.events.length === 0)
    expect(client.packets).toEqual([])
    harness.door.commit!()
    for (let id = 1; id <= 20; id++) expect((await client.next('puback')).messageId).toBe(id)
    await client.next('pingresp')
  })

  it('bounds what all connections together have on their way', async () => {
    const harness = await start({ limits: { totalInflightBytes: 2000 } })
    harness.door.holdCommits()
    const clients = await Promise.all(['a', 'b', 'c'].map((clientId) => harness.device(4, { clientId })))
    for (const client of clients)
      for (let id = 1; id <= 10; id++) client.publish('demo', 'x', { qos: 1, messageId: id })
    await until(() => harness.door.commit !== undefined)
    harness.door.commit!()
    for (const client of clients) for (let id = 1; id <= 10; id++) await client.next('puback')
    expect(harness.door.events).toHaveLength(30)
  })

  it('closes an MQTT 5 client that sends more than Receive Maximum', async () => {
    const harness = await start({ limits: { inflightMessages: 2 } })
    const client = await harness.device(5)
    for (let id = 1; id <= 3; id++) client.publish('demo', 'x', { qos: 2, messageId: id })
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x93 })
  })

  it('an identifier in use by another message is a protocol error, a repeated message is not', async () => {
    const harness = await start()
    const client = await harness.device(5)
    harness.door.holdCommits()
    client.publish('demo', 'x', { qos: 1 })
    client.publish('demo', 'x', { qos: 1, dup: true })
    await client.ping()
    client.publish('demo', 'y', { qos: 1 })
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
    harness.door.commit!()
    await until(() => harness.door.events.length === 1)
  })

  it('hands on the sender’s idempotency key', async () => {
    const harness = await start()
    const client = await harness.device(5)
    for (let id = 1; id <= 2; id++)
      client.publish('demo', 'x', { qos: 1, messageId: id, properties: { userProperties: { 'Idempotency-Key': 'k' } } })
    await client.next('puback')
    await client.next('puback')
    expect(harness.door.events.map(({ event }) => event.idempotencyKey)).toEqual(['k'])
    client.publish('demo', 'x', { properties: { userProperties: { 'idempotency-key': 'k'.repeat(101) } } })
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x82 })
  })
})

describe('stop', () => {
  it('finishes what was taken, says so, and takes no more', async () => {
    const harness = await start()
    const client = await harness.device(5)
    harness.door.holdCommits()
    client.publish('demo', 'x', { qos: 1 })
    await client.ping()
    const port = harness.port
    const stopped = harness.endpoint.stop()
    harness.door.commit!()
    await client.next('puback')
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x8b })
    await stopped
    await harness.endpoint.stop()
    expect(harness.endpoint.addresses()).toEqual([])
    await expect(harness.client({}, `mqtt://127.0.0.1:${port}`)).rejects.toThrow()
    await harness.endpoint.start()
    await harness.device(4)
  })

  it('does not wait for a busy project', async () => {
    const harness = await start()
    const client = await harness.device(4)
    harness.door.setReady(false)
    client.publish('demo', 'x', { qos: 1 })
    await until(() => harness.door.waiting > 0)
    await harness.endpoint.stop()
    await client.untilClosed()
    expect([client.packets, harness.door.waiting]).toEqual([[], 0])
  })

  it('ends at once when told to', async () => {
    const harness = await start()
    const client = await harness.device(5)
    harness.door.holdCommits()
    client.publish('demo', 'x', { qos: 1 })
    await client.ping()
    await harness.endpoint.stop(AbortSignal.abort())
    await client.untilClosed()
    expect(client.packets.filter(({ cmd }) => cmd === 'puback')).toEqual([])
  })
})
