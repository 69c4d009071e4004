import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postEvent, sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { appletForm, type Device, type ErrorBody, Management, request } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'

const payloadBytes = 64 * 1024
const moduleBytes = 256 * 1024

/** A module with these sections, after the header. */
const wasmModule = (...bytes: number[]) => new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes])
/** `start: (i32) -> i32`, exported, without a memory. */
const withoutMemory = wasmModule(
  ...[1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[7, 9, 1, 5, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0],
  ...[10, 6, 1, 4, 0, 0x41, 0, 0x0b],
)
/** Imports `stat.ws_nothing: () -> ()`. */
const withUnknownImport = wasmModule(
  ...[1, 4, 1, 0x60, 0, 0],
  ...[2, 19, 1, 4, ...Buffer.from('stat'), 10, ...Buffer.from('ws_nothing'), 0, 0],
)
/** Imports `env.ws_log: () -> ()`, which has other parameters. */
const withWrongSignature = wasmModule(
  ...[1, 4, 1, 0x60, 0, 0],
  ...[2, 14, 1, 3, ...Buffer.from('env'), 6, ...Buffer.from('ws_log'), 0, 0],
)

/** What broken and hostile senders send. After each refusal the node works as before. */
describe('bad input', () => {
  let node: NodeProcess
  let admin: Management
  let device: Device
  let channel = ''
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    const limits = `payloadBytes=${payloadBytes},moduleBytes=${moduleBytes}`
    node = await NodeProcess.start({ flags: ['--limit', limits] })
    admin = await Management.login(node)
    await admin.project('bad')
    await admin.applet('bad', guest('rust_log'), [{ eventType: 'DEFAULT', handler: 'start' }])
    device = await admin.device('bad', 'd1')
    channel = admin.channel('bad')
    send = sender(node, channel, device)
  })
  afterAll(async () => {
    expect((await send('still here')).json.results).toMatchObject([{ code: 0 }])
    await node[Symbol.asyncDispose]()
  })

  describe('too large', () => {
    it('payloads over HTTP are refused, the largest allowed is taken', async () => {
      expect((await send('x'.repeat(payloadBytes))).status).toBe(201)
      const { status, json } = await send('x'.repeat(payloadBytes + 1))
      expect(status).toBe(413)
      expect(json.key).toBe('PayloadTooLarge')
    })

    it('payloads over MQTT are refused', async () => {
      await using sender = await TestDevice.open(node, device)
      const publish = (size: number) => sender.client.publishAsync(`${channel}/DEFAULT`, 'x'.repeat(size), { qos: 1 })
      await publish(payloadBytes)
      const closed = sender.closed.then(() => Promise.reject(new Error('closed')))
      await expect(Promise.race([publish(payloadBytes + 1), closed])).rejects.toThrow()
      closed.catch(() => undefined)
    })

    it.each([
      ['eventType', { eventType: 'x'.repeat(5000) }],
      ['eventID', { eventId: 'x'.repeat(5000) }],
      ['Idempotency-Key', { idempotencyKey: 'x'.repeat(200) }],
    ])('%s is refused by name', async (field, options) => {
      const { status, json } = await send('x', options)
      expect(status).toBe(400)
      expect(json.fields).toMatchObject([{ field }])
    })

    it('headers are refused', async () => {
      const headers = { authorization: device.token, 'x-large': 'x'.repeat(100_000) }
      const answer = await request(`${node.events}/event/${channel}`, { method: 'POST', headers })
      expect(answer.status).toBe(431)
    })

    it('modules are refused', async () => {
      const large = new Uint8Array(moduleBytes + 1)
      large.set(wasmModule())
      const { status, json } = await admin.send('POST', '/applet/x/bad', appletForm(large, {}))
      expect(status).toBe(403)
      expect(json.key).toBe('UploadFileSizeLimit')
    })

    it('topics are refused', async () => {
      await using sender = await TestDevice.open(node, device)
      const topic = `${channel}/push/${device.token}/${'x'.repeat(40_000)}`
      const closed = sender.closed.then(() => Promise.reject(new Error('closed')))
      closed.catch(() => undefined)
      await expect(Promise.race([sender.client.publishAsync(topic, 'x', { qos: 1 }), closed])).rejects.toThrow()
    })
  })

  describe('modules', () => {
    const good = guest('rust_log')
    const cases: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
      ['nothing at all', new Uint8Array(), /empty|module/i],
      ['no WebAssembly', new TextEncoder().encode('#!/bin/sh'), /module|magic|WebAssembly/i],
      ['cut off', good.slice(0, good.length >> 1), /module|section|unexpected|beyond|end|length/i],
      ['without a memory', withoutMemory, /memor/],
      ['with an import that nobody has', withUnknownImport, /ws_nothing/],
      ['with an import of another signature', withWrongSignature, /ws_log/],
    ]
    it.each(cases)('that are %s are refused with the reason', async (_what, wasm, reason) => {
      const { status, json, text } = await admin.send(
        'POST',
        '/applet/x/bad',
        appletForm(wasm, { appletName: 'broken' }),
      )
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(json.key).toBeTypeOf('string')
      expect(text).toMatch(reason)
    })

    it('are not replaced by broken ones', async () => {
      const { data } = await admin.expect<{ data: { appletID: string }[] }>('GET', '/applet/x/bad/datalist')
      const { status } = await admin.send('PUT', `/applet/${data[0]!.appletID}`, appletForm(withUnknownImport, {}))
      expect(status).toBeGreaterThanOrEqual(400)
      expect((await send('x')).json.results).toMatchObject([{ code: 0 }])
    })
  })

  describe('broken forms', () => {
    const upload = (body: string | FormData, contentType?: string) =>
      request<ErrorBody>(`${node.api}/applet/x/bad`, {
        method: 'POST',
        headers: { authorization: admin.token, ...(contentType ? { 'content-type': contentType } : {}) },
        body,
      })

    it('of multipart are refused', async () => {
      const type = 'multipart/form-data; boundary=b'
      const bodies = [
        '',
        '--b',
        '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nabc',
        'no boundary at all',
      ]
      for (const body of bodies) expect((await upload(body, type)).status).toBe(400)
      expect((await upload('x', 'multipart/form-data')).status).toBe(400)
      expect((await upload('{}', 'application/json')).status).toBe(400)
    })

    it('of multipart information are refused', async () => {
      for (const info of ['{', '[]', '7', '{"strategies":7}', '{"appletName":7}']) {
        const form = new FormData()
        form.append('file', new Blob([guest('rust_log')]), 'x.wasm')
        form.append('info', info)
        expect((await upload(form)).status).toBe(400)
      }
    })

    it.each(['{', '', '[]', 'null', '"x"', '{"name":7}', '{"name":"UPPER"}', `{"name":"${'x'.repeat(33)}"}`])(
      'of JSON are refused: %s',
      async (body) => {
        const headers = { authorization: admin.token, 'content-type': 'application/json' }
        const { status, json } = await request<ErrorBody>(`${node.api}/project`, { method: 'POST', headers, body })
        expect(status).toBe(400)
        expect(json.key).toBe('badRequest')
      },
    )

    it('of a data push are refused', async () => {
      const privileges = [{ name: 'Event', perm: 'READ_WRITE' }]
      const { accessKey } = await admin.expect<{ accessKey: string }>('POST', '/account_access_key', {
        name: 'push',
        privileges,
      })
      const bodies = [
        '',
        '{',
        'null',
        '[7]',
        '[{}]',
        '[{"device_id":7,"payload":""}]',
        '[{"device_id":"d","payload":{}}]',
      ]
      for (const payload of bodies) {
        const { status, json } = await postEvent(node, { channel, token: accessKey, eventType: 'DA-TA_PU-SH', payload })
        expect(status).toBe(500)
        expect(json.desc).toMatch(/^incorrect payload format for batched event/)
      }
    })

    it('of MQTT payloads are refused, and the connection lives on', async () => {
      await using sender = await TestDevice.connect(node)
      const bodies = [
        Buffer.from('0a0b0a01411a0154200', 'hex'),
        Buffer.from('{"header":'),
        Buffer.from('{"header":{}}'),
        Buffer.from('{"events":[{"header":{"token":7},"payload":"!"}]}'),
        Buffer.alloc(0),
      ]
      for (const body of bodies) await expect(sender.client.publishAsync(channel, body, { qos: 1 })).rejects.toThrow()
      expect(sender.client.connected).toBe(true)
    })
  })

  describe('bytes that are not UTF-8', () => {
    const wrong = Buffer.from([0x22, 0xff, 0xfe, 0x22])

    it('reach the applet as they are in payloads', async () => {
      const { status, json } = await postEvent(node, { channel, token: device.token, payload: new Uint8Array(wrong) })
      expect(status).toBe(201)
      expect(json.results).toHaveLength(1)
    })

    it('are refused in bodies of the management API', async () => {
      const headers = { authorization: admin.token }
      const body = new Uint8Array(Buffer.concat([Buffer.from('{"name":'), wrong, Buffer.from('}')]))
      expect((await request(`${node.api}/project`, { method: 'POST', headers, body })).status).toBe(400)
    })

    it.each(['eventType=%ff', 'eventID=%ff%fe', '%ff=1'])('do no harm in a query: %s', async (query) => {
      const headers = { authorization: device.token }
      const answer = await request(`${node.events}/event/${channel}?${query}`, { method: 'POST', headers, body: 'x' })
      expect([201, 400]).toContain(answer.status)
    })

    it.each(['%ff', '%', '%00', '..%2f..'])('do no harm in a path: %s', async (part) => {
      const headers = { authorization: device.token }
      const answer = await request(`${node.events}/event/${part}`, { method: 'POST', headers, body: 'x' })
      expect(answer.status).toBeLessThan(500)
    })

    it('end a connection that has them in an MQTT topic', async () => {
      const socket = connect(node.mqttPort, '127.0.0.1')
      const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.on('error', () => undefined).resume()
      const text = (value: Buffer) => Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), value])
      const packet = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type, body.length]), body])
      socket.write(
        packet(0x10, Buffer.concat([text(Buffer.from('MQTT')), Buffer.from([4, 2, 0, 60]), text(Buffer.from('c'))])),
      )
      socket.write(packet(0x30, Buffer.concat([text(Buffer.from([0xff, 0xfe])), Buffer.from('x')])))
      await ended
    })
  })

  it('is answered as HTTP says: unknown paths, methods and garbage', async () => {
    expect(await request(`${node.api}/nothing`)).toMatchObject({ status: 404, text: '404 page not found' })
    expect((await request(`${node.api}/login`, { method: 'DELETE' })).status).toBe(405)
    const socket = connect(node.httpPort, '127.0.0.1')
    const answer = new Promise<string>((resolve) => {
      let heard = ''
      socket.on('data', (data) => (heard += data.toString())).on('close', () => resolve(heard))
    })
    socket.write('\x16\x03\x01 this is no HTTP\r\n\r\n')
    expect(await answer).toMatch(/^HTTP\/1.1 400 /)
  })
})
