import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { decodeEvent, type EventPb } from '@w3bstream/protocol'
import { Aedes } from 'aedes'
import mqttPacket, { type Packet } from 'mqtt-packet'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createClient } from './client.ts'
import type { ClientOptions } from './options.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** A broker that lets in the password `right`, with something on it that answers events. */
async function serve(answer: (event: EventPb, n: number) => unknown) {
  const broker = await Aedes.createBroker()
  broker.authenticate = (_client, _user, password, done) => {
    const refused = Object.assign(new Error('refused'), { returnCode: 5 })
    if (String(password) === 'right') done(null, true)
    else done(refused as never, null)
  }
  const events: EventPb[] = []
  await broker.subscribe(
    'c',
    (packet, done) => {
      const event = decodeEvent(packet.payload as Buffer)
      const body = answer(event, events.push(event))
      const payload = typeof body === 'string' ? body : JSON.stringify(body)
      if (body === undefined) return done()
      broker.publish({ cmd: 'publish', topic: 'ack/dev', payload, qos: 0, retain: false, dup: false }, () => done())
    },
    () => {},
  )
  const server = createServer(broker.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => {
    broker.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const client = (options: Partial<ClientOptions> = {}) => {
    const base = { url: `mqtt://127.0.0.1:${port}`, channel: 'c', token: 'right', publisherKey: 'dev', minDelayMs: 1 }
    const made = createClient({ ...base, mqttVersion: 4, ...options })
    cleanup.push(() => made.close())
    return made
  }
  return { client, events, broker }
}

const ok = (event: EventPb) => ({ channel: 'c', eventID: event.eventId, messageID: '0x1', results: [] })

describe('publishing over MQTT', () => {
  it('sends the protobuf event and waits for its answer', async () => {
    const { client, events } = await serve(ok)
    const answer = await client().publish({
      payload: 'hi',
      eventType: 'a/b',
      eventId: 'E1',
      timestampMs: 1_700_000_000_000,
    })
    expect(answer).toEqual({ eventId: 'e1', messageId: '0x1', results: [] })
    expect(events[0]).toMatchObject({ eventType: 'a/b', token: 'right', eventId: 'e1', pubTime: 1_700_000_000_000 })
    expect(new TextDecoder().decode(events[0]?.payload)).toBe('hi')
  })

  it('keeps many under way and gives each its own answer', async () => {
    const { client, events } = await serve(ok)
    const outcomes = await client().publishMany(
      Array.from({ length: 60 }, (_, i) => ({ payload: `${i}`, eventId: `e${i}` })),
    )
    expect(outcomes.map((outcome) => outcome.ok && outcome.answer.eventId)).toEqual(
      Array.from({ length: 60 }, (_, i) => `e${i}`),
    )
    expect(events.length).toBe(60)
  })

  it('is content with the acknowledgement when it has no publisher key', async () => {
    const { client, events } = await serve(() => undefined)
    expect(await client({ publisherKey: undefined }).publish({ payload: 'x', eventId: 'e' })).toEqual({ eventId: 'e' })
    expect(events.length).toBe(1)
  })

  it('tries again when the answer says busy, not when it says no', async () => {
    const error = (event: EventPb, key: string, code: number) => ({ key, code, desc: '', eventID: event.eventId })
    const busy = await serve((event, n) => (n === 1 ? error(event, 'MailboxFull', 429_999_101) : ok(event)))
    await busy.client().publish({ payload: 'x' })
    expect(busy.events.length).toBe(2)
    const refusing = await serve((event) => error(event, 'InvalidToken', 401_999_002))
    await expect(refusing.client().publish({ payload: 'x' })).rejects.toMatchObject({
      fault: { code: 'UNAUTHORIZED', key: 'InvalidToken' },
    })
    expect(refusing.events.length).toBe(1)
  })

  it('ignores answers to other events, and says when its own does not come', async () => {
    const { client, events } = await serve(
      (_, n) => ['{', '[]', '{"eventID":5}', '{"eventID":"other"}'][n - 1] ?? undefined,
    )
    const one = client({ timeoutMs: 500 })
    const outcomes = await one.publishMany(Array.from({ length: 4 }, (_, i) => ({ payload: `${i}` })))
    expect(outcomes.map((outcome) => !outcome.ok && (outcome.error as { code: string }).code)).toEqual(
      Array(4).fill('TIMEOUT'),
    )
    // Under MQTT 3.1.1 nobody would recognise a second attempt.
    expect(events.length).toBe(4)
  })

  it('says when the password is wrong or nobody is there', async () => {
    const { client, broker } = await serve(ok)
    await expect(client({ token: 'wrong' }).publish({ payload: 'x' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await vi.waitFor(() => expect(broker.connectedClients).toBe(0))
    const nowhere = client({ url: 'mqtt://127.0.0.1:1', retries: 0, timeoutMs: 500 })
    const error: unknown = await nowhere.publish({ payload: 'x' }).catch((thrown: unknown) => thrown)
    expect(['NETWORK', 'TIMEOUT']).toContain((error as { code: string }).code)
  })
})

/** A server of MQTT 5 that acknowledges with `reasons` in order, the last one for ever. */
async function serveVersion5(...reasons: number[]) {
  const keys: unknown[] = []
  const server = createServer((socket) => {
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    const send = (packet: Packet) => socket.write(mqttPacket.generate(packet, { protocolVersion: 5 }))
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false })
      if (packet.cmd !== 'publish') return
      keys.push(packet.properties?.userProperties?.['Idempotency-Key'])
      const reasonCode = reasons[Math.min(keys.length, reasons.length) - 1]
      send({ cmd: 'puback', messageId: packet.messageId, reasonCode })
    })
    socket.on('data', (data) => parser.parse(data))
    socket.on('error', () => {})
    cleanup.push(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => server.close())
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createClient({ url, channel: 'c', token: 't', minDelayMs: 1 })
  cleanup.push(() => client.close())
  return { client, keys }
}

describe('publishing over MQTT 5', () => {
  it('tries again under the same key when the quota is exceeded', async () => {
    const { client, keys } = await serveVersion5(0x97, 0)
    expect(await client.publish({ payload: 'x', eventId: 'e', idempotencyKey: 'mine' })).toEqual({ eventId: 'e' })
    expect(keys).toEqual(['mine', 'mine'])
  })

  it('does not try again when the node says no', async () => {
    const { client, keys } = await serveVersion5(0x87)
    await expect(client.publish({ payload: 'x' })).rejects.toMatchObject({
      fault: { code: 'UNAUTHORIZED', key: 'MQTT_135' },
    })
    expect(keys.length).toBe(1)
  })

  it('gives up a server that hangs up before it lets anybody in, and can be closed meanwhile', async () => {
    const server = createServer((socket) => socket.destroy())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup.push(() => server.close())
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createClient({ url, channel: 'c', token: 't', minDelayMs: 1, retries: 2 })
    await expect(client.publish({ payload: 'x' })).rejects.toMatchObject({ code: 'NETWORK' })
    const publishing = client.publish({ payload: 'y' })
    await client.close()
    await expect(publishing).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
