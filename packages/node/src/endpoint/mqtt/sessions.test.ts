import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Packet } from 'mqtt-packet'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqliteSessionStore } from './sqlite-session-store.ts'
import { FakeDoor, projectA } from './test/fake-door.ts'
import { type Harness, type RawClient, start, until } from './test/harness.ts'
import { UnreleasedMessages } from './unreleased.ts'

const text = (payload: Uint8Array | string) => Buffer.from(payload).toString()
const send = (harness: Harness, payload: string, options: object = { qos: 1 }) =>
  harness.endpoint.publish('ack/d1', Buffer.from(payload), { project: projectA, ...options })

async function subscribed(harness: Harness, version: 4 | 5 = 4, qos = 1): Promise<RawClient> {
  const keep = { clean: false, properties: { sessionExpiryInterval: 1000 } }
  const client = await harness.device(version, keep)
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'ack/d1', qos }] } as Packet)
  await client.next('suback')
  return client
}

async function lose(harness: Harness, client: RawClient): Promise<void> {
  client.socket.destroy()
  await until(async () => (await harness.value('w3b_mqtt_connections')) === 0)
}

/** A client that comes back to its session; returns it and what CONNACK said. */
async function back(harness: Harness, version: 4 | 5 = 4, more: object = {}) {
  const client = await harness.raw(version)
  const properties = { sessionExpiryInterval: 1000 }
  const credentials = { username: 'x', password: Buffer.from('demo-d1') }
  client.send({
    cmd: 'connect',
    clientId: 'c1',
    clean: false,
    keepalive: 0,
    protocolVersion: version,
    properties,
    ...credentials,
    ...more,
  })
  return { client, present: (await client.next('connack')).sessionPresent }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'w3b-mqtt-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

describe.each([4, 5] as const)('a persistent session, version %i', (version) => {
  it('keeps subscriptions and messages of QoS 1 and 2 for its client', async () => {
    const harness = await start()
    await lose(harness, await subscribed(harness, version, 2))
    await send(harness, 'zero', { qos: 0 })
    await send(harness, 'one', { qos: 1 })
    await send(harness, 'two', { qos: 2 })
    const { client, present } = await back(harness, version)
    expect(present).toBe(true)
    expect(await client.next('publish')).toMatchObject({ qos: 1, dup: false, payload: Buffer.from('one') })
    expect(await client.next('publish')).toMatchObject({ qos: 2, dup: false, payload: Buffer.from('two') })
    await send(harness, 'live', { qos: 0 })
    expect(text((await client.next('publish')).payload)).toBe('live')
  })

  it('sends again what was not acknowledged, with its identifier, in order and with DUP', async () => {
    const harness = await start()
    const first = await subscribed(harness, version, 2)
    await send(harness, 'a', { qos: 1 })
    await send(harness, 'b', { qos: 2 })
    await send(harness, 'c', { qos: 2 })
    const ids = [await first.next('publish'), await first.next('publish'), await first.next('publish')].map(
      ({ messageId }) => messageId,
    )
    first.send({ cmd: 'pubrec', messageId: ids[1] } as Packet)
    expect((await first.next('pubrel')).messageId).toBe(ids[1])
    await lose(harness, first)
    const { client } = await back(harness, version)
    expect(await client.next('publish')).toMatchObject({ messageId: ids[0], dup: true, qos: 1 })
    expect((await client.next('pubrel')).messageId).toBe(ids[1])
    expect(await client.next('publish')).toMatchObject({ messageId: ids[2], dup: true, qos: 2 })
    client.send({ cmd: 'puback', messageId: ids[0] } as Packet)
    client.send({ cmd: 'pubcomp', messageId: ids[1] } as Packet)
    client.send({ cmd: 'pubrec', messageId: ids[2] } as Packet)
    await client.next('pubrel')
    client.send({ cmd: 'pubcomp', messageId: ids[2] } as Packet)
    await client.ping()
    await lose(harness, client)
    const again = await back(harness, version)
    await again.client.ping()
    expect(again.client.packets).toEqual([])
  })

  it('ends with a clean start', async () => {
    const harness = await start()
    await lose(harness, await subscribed(harness, version))
    await send(harness, 'lost')
    const clean = await back(harness, version, { clean: true, properties: {} })
    expect(clean.present).toBe(false)
    await send(harness, 'lost too')
    await clean.client.ping()
    expect(clean.client.packets).toEqual([])
    await lose(harness, clean.client)
    expect((await back(harness, version)).present).toBe(false)
  })

  it('survives a restart of the node, with its messages', async () => {
    const dataDir = temporaryFolder()
    const harness = await start({ dataDir })
    const first = await subscribed(harness, version, 2)
    await send(harness, 'inflight', { qos: 2, retain: true })
    const { messageId } = await first.next('publish')
    await lose(harness, first)
    await send(harness, 'queued', { qos: 1, messageId: 'm' })
    await harness.endpoint.stop()
    const later = await start({ dataDir })
    const { client, present } = await back(later, version)
    expect(present).toBe(true)
    expect(await client.next('publish')).toMatchObject({ messageId, dup: true, payload: Buffer.from('inflight') })
    expect(text((await client.next('publish')).payload)).toBe('queued')
    client.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'ack/d1', qos: 0 }] } as Packet)
    expect(await client.next('publish')).toMatchObject({ retain: true, payload: Buffer.from('inflight') })
    await later.endpoint.publish('ack/d1', Buffer.alloc(0), { project: projectA, retain: true })
    await later.endpoint.stop()
    const last = await start({ dataDir })
    const final = await back(last, version)
    expect([final.present, (await final.client.next('publish')).dup]).toEqual([true, true])
  })
})

describe('sessions', () => {
  it('refuse the newest message when their queue is full, and count it', async () => {
    const harness = await start({ limits: { queuedMessages: 2, queuedBytes: 10 } })
    await lose(harness, await subscribed(harness))
    for (const payload of ['a', 'x'.repeat(10), 'b', 'c']) await send(harness, payload)
    expect(await harness.value('w3b_mqtt_messages_dropped_total', { reason: 'queue_full' })).toBe(2)
    const { client } = await back(harness)
    expect([text((await client.next('publish')).payload), text((await client.next('publish')).payload)]).toEqual([
      'a',
      'b',
    ])
  })

  it('end when their time is over', async () => {
    const harness = await start({ limits: { sessionExpirySeconds: 1 } })
    await lose(harness, await subscribed(harness, 4))
    await until(async () => !harness.endpoint.hasReader(projectA, 'ack/d1'))
    expect((await back(harness)).present).toBe(false)
  })

  it('may change their time when they say goodbye', async () => {
    const harness = await start()
    const client = await subscribed(harness, 5)
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } } as Packet)
    await client.untilClosed()
    expect((await back(harness, 5)).present).toBe(false)
  })

  it('are bounded in number', async () => {
    const harness = await start({ limits: { sessionsPerPrincipal: 1 } })
    await harness.device(5, { clientId: 'one' })
    await harness.device(5, { clientId: 'one' }, 'demo-d2')
    const client = await harness.raw(5)
    client.send({
      cmd: 'connect',
      clientId: 'two',
      clean: true,
      keepalive: 0,
      protocolVersion: 5,
      username: 'x',
      password: Buffer.from('demo-d1'),
    })
    expect(await client.next('connack')).toMatchObject({ reasonCode: 0x97 })
  })

  it('of nobody in particular are not kept', async () => {
    const harness = await start()
    const client = await harness.device(4, { clean: false }, '')
    await lose(harness, client)
    expect(await harness.value('w3b_mqtt_sessions')).toBe(0)
  })
})

describe('exactly once', () => {
  const publish = (client: RawClient, payload: string, dup = false) =>
    client.publish('demo', payload, { qos: 2, messageId: 5, dup })

  it('a repeated PUBLISH before PUBREL is not run again, after PUBCOMP it is a new message', async () => {
    const harness = await start()
    const client = await harness.device()
    publish(client, 'a')
    expect(await client.next('pubrec')).toMatchObject({ messageId: 5 })
    publish(client, 'a', true)
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 5 })
    expect(await client.next('pubcomp')).toMatchObject({ messageId: 5 })
    publish(client, 'a')
    await client.next('pubrec')
    expect(harness.door.events).toHaveLength(2)
  })

  it('holds over a new connection while the first is still being committed', async () => {
    const harness = await start()
    const first = await subscribed(harness, 5)
    harness.door.holdCommits()
    publish(first, 'a')
    first.publish('demo', 'b', { qos: 1, messageId: 6 })
    await first.ping()
    const { client } = await back(harness, 5)
    publish(client, 'a', true)
    client.publish('demo', 'b', { qos: 1, messageId: 6, dup: true })
    await client.ping()
    harness.door.commit!()
    await client.next('pubrec')
    expect(await client.next('puback')).toMatchObject({ messageId: 6 })
    expect(harness.door.events).toHaveLength(2)
  })

  it('holds over a crash between the commit and PUBREC, and between PUBREC and PUBCOMP', async () => {
    const dataDir = temporaryFolder()
    const door = new FakeDoor()
    const harness = await start({ dataDir }, door)
    const first = await subscribed(harness, 5)
    for (const payload of ['old', 'a']) {
      publish(first, payload)
      await first.next('pubrec')
      if (payload === 'a') break
      first.send({ cmd: 'pubrel', messageId: 5 })
      await first.next('pubcomp')
    }
    await harness.endpoint.stop()
    const later = await start({ dataDir }, door)
    const { client } = await back(later, 5)
    publish(client, 'a', true)
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 5 })
    await client.next('pubcomp')
    client.send({ cmd: 'pubrel', messageId: 5 })
    expect(await client.next('pubcomp')).toMatchObject({ reasonCode: 0x92 })
    publish(client, 'a')
    await client.next('pubrec')
    expect(door.events.map(({ event }) => text(event.payload))).toEqual(['old', 'a', 'a'])
  })

  it('an unknown PUBREL and PUBREC are answered so that the other side can go on', async () => {
    const client = await (await start()).device(5)
    client.send({ cmd: 'pubrel', messageId: 77 })
    expect(await client.next('pubcomp')).toMatchObject({ messageId: 77, reasonCode: 0x92 })
    client.send({ cmd: 'pubrec', messageId: 78 } as Packet)
    expect(await client.next('pubrel')).toMatchObject({ messageId: 78, reasonCode: 0x92 })
  })

  it('keys differ by use, identifier and content, and are short enough for the door', () => {
    const messages = new UnreleasedMessages('stem', 0, [[9, 3]])
    const payload = Buffer.from('p')
    const key = messages.open(5, 't', payload)
    expect(messages.open(5, 't', payload)).toBe(key)
    expect(messages.open(5, 't', Buffer.from('q'))).not.toBe(key)
    expect(messages.open(9, 't', payload)).toMatch(/^mqtt:stem:3:9:/)
    messages.release(5)
    expect(messages.open(5, 't', payload)).not.toBe(key)
    expect(new UnreleasedMessages('x'.repeat(16), 1e15, []).open(65_535, 't', payload).length).toBeLessThan(128)
  })
})

describe('the file of sessions', () => {
  it('of a newer version, or that is none, is refused', () => {
    const newer = temporaryFolder()
    const db = new DatabaseSync(join(newer, 'mqtt.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => openSqliteSessionStore(newer)).toThrow(expect.objectContaining({ code: 'MQTT_STORE' }))
    const garbage = temporaryFolder()
    writeFileSync(join(garbage, 'mqtt.db'), 'x'.repeat(5000))
    expect(() => openSqliteSessionStore(garbage)).toThrow(expect.objectContaining({ code: 'MQTT_STORE' }))
  })

  it('tells who waits when it cannot write, and goes on after', async () => {
    const folder = temporaryFolder()
    const store = openSqliteSessionStore(folder)
    onTestFinished(() => store.close())
    const other = new DatabaseSync(join(folder, 'mqtt.db'))
    other.exec('BEGIN IMMEDIATE')
    const message = { project: projectA, topic: 't', payload: Buffer.from('x'), qos: 1 as const, retain: true }
    store.putRetained(message)
    await expect(store.flush()).rejects.toThrow()
    other.exec('COMMIT')
    other.close()
    store.putRetained(message)
    await store.flush()
    expect([...store.loadRetained()]).toHaveLength(1)
  })
})
