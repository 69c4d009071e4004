import { createClient } from '@w3bstream/client'
import { createSigner, didKeyFromPublicKey, encodeEnvelope, fromHex, signEnvelope } from '@w3bstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { type Device, type EventBody, Management, request } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'

/** What happens when a sender that heard nothing sends again. Each event counts a word of its own. */
describe('retries', () => {
  const signer = createSigner('ed25519', new Uint8Array(32).fill(7))
  let node: NodeProcess
  let admin: Management
  let device: Device
  let channel = ''
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    await admin.project('retries')
    channel = admin.channel('retries')
    await admin.applet('retries', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
    device = await admin.device('retries', 'd1')
    const publicKey = didKeyFromPublicKey(signer.device)
    await admin.expect('POST', '/publisher/x/retries', { name: 'signing', key: 'signing', publicKey })
    send = sender(node, channel, device)
  })
  afterAll(() => node[Symbol.asyncDispose]())

  const counted = async (word: string) => (await admin.kv('retries')).get(word)?.readInt32LE()
  /** The part of an answer that a retry must repeat. */
  const essence = ({ results, error, eventID, messageID }: EventBody) => ({ results, error, eventID, messageID })

  it('are executed once under one Idempotency-Key, at the same time and one after the other', async () => {
    const options = { idempotencyKey: 'key-1' }
    const together = await Promise.all(Array.from({ length: 8 }, () => send('once', options)))
    const later = await send('once', options)
    for (const answer of [...together, later]) {
      expect(answer.status).toBe(201)
      expect(essence(answer.json)).toEqual(essence(together[0]!.json))
    }
    expect(later.json.results).toMatchObject([{ handler: 'count_words', code: 0 }])
    expect(await counted('once')).toBe(1)
    const statuses = (await admin.receipts('retries')).filter(({ kind }) => kind === 'data').map(({ status }) => status)
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(1)
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(8)
  })

  it('are recognised after a crash', async () => {
    const options = { idempotencyKey: 'key-2' }
    const first = await send('crash', options)
    await node.kill9()
    await node.start()
    expect(essence((await send('crash', options)).json)).toEqual(essence(first.json))
    expect(await counted('crash')).toBe(1)
  })

  it('are answered as the first was, whatever their body', async () => {
    const first = await send('original', { idempotencyKey: 'key-6', eventId: 'e1' })
    const second = await send('altered', { idempotencyKey: 'key-6', eventId: 'e2' })
    expect(essence(second.json)).toEqual(essence(first.json))
    expect(second.json.eventID).toBe('e1')
    expect(Object.keys(second.json)).toEqual(Object.keys(first.json))
    expect(await counted('altered')).toBeUndefined()
  })

  it('are told apart by device', async () => {
    const other = await admin.device('retries', 'd2')
    await send('both', { idempotencyKey: 'key-3' })
    await send('both', { idempotencyKey: 'key-3', token: other.token })
    expect(await counted('both')).toBe(2)
  })

  it('run again when only the event id is the same', async () => {
    const [first, second] = [await send('label', { eventId: 'e' }), await send('label', { eventId: 'e' })]
    expect(first.json.messageID).not.toBe(second.json.messageID)
    expect(await counted('label')).toBe(2)
  })

  it('after a pause are executed, since they were not before', async () => {
    await admin.change('retries', { op: 'project.update', state: 'paused' })
    const refused = await send('paused', { idempotencyKey: 'key-4' })
    expect(refused.json).toMatchObject({ error: 'ProjectPaused' })
    expect((await send('paused', { idempotencyKey: 'key-4' })).json).toMatchObject({ error: 'ProjectPaused' })
    await admin.change('retries', { op: 'project.update', state: 'active' })
    expect((await send('paused', { idempotencyKey: 'key-4' })).json.results).toMatchObject([{ code: 0 }])
    expect(await counted('paused')).toBe(1)
  })

  it('are recognised by the user property of MQTT 5', async () => {
    await using publisher = await TestDevice.open(node, device)
    const properties = { userProperties: { 'Idempotency-Key': 'key-5' } }
    for (let n = 0; n < 3; n++)
      await publisher.client.publishAsync(`${channel}/DEFAULT`, 'mqtt', { qos: 1, properties })
    expect(await counted('mqtt')).toBe(1)
  })

  it('of a signed envelope are recognised by its nonce', async () => {
    const entry = await admin.receipts('retries', 'kind=config')
    const { project } = await admin.receiptFile('retries', entry[0]!.messageID)
    const envelope = await signEnvelope(
      {
        project: fromHex(project, 32),
        nonce: new Uint8Array(16).fill(9),
        timestampMs: Date.now(),
        eventType: 'DEFAULT',
        eventId: 'signed',
        payload: new TextEncoder().encode('signed'),
      },
      signer,
    )
    const body = new Uint8Array(encodeEnvelope(envelope))
    const headers = { 'content-type': 'application/vnd.w3bstream.envelope' }
    const post = (bytes: Uint8Array<ArrayBuffer>) =>
      request<EventBody>(`${node.events}/event/${channel}`, { method: 'POST', headers, body: bytes })
    const first = await post(body)
    expect(first.json.results).toMatchObject([{ code: 0 }])
    expect(essence((await post(body)).json)).toEqual(essence(first.json))
    expect(await counted('signed')).toBe(1)
    const forged = body.slice()
    forged[forged.length - 1]! ^= 1
    expect(await post(forged)).toMatchObject({ status: 401, json: { key: 'InvalidEnvelopeSignature' } })
    const file = await admin.receiptFile('retries', first.json.messageID)
    expect(file.summary).toMatchObject({ origin: 'device-signed', publisherKey: 'signing' })
  })

  it('of the client library are recognised over each of its transports', async () => {
    const options = { channel, token: device.token, publisherKey: device.key }
    for (const url of [node.events, node.mqtt, `ws://127.0.0.1:${node.httpPort}/rpc`]) {
      const client = createClient({ url, ...options })
      const word = `by${new URL(url).protocol.slice(0, -1)}`
      for (let n = 0; n < 2; n++) {
        const { results } = await client.publish({ payload: word, idempotencyKey: word })
        expect(results).toMatchObject([{ handler: 'count_words', code: 0 }])
      }
      await client.close()
      expect(await counted(word)).toBe(1)
    }
  })
})
