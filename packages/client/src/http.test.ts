import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSigner, envelopeFromJson, verifyEnvelope } from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createClient } from './client.ts'
import type { ClientError } from './errors.ts'
import type { ClientOptions } from './options.ts'

interface Received {
  url: URL
  headers: IncomingMessage['headers']
  body: string
}

type Reply = { status?: number; body?: unknown; headers?: Record<string, string>; hang?: boolean; destroy?: boolean }

const answer = { channel: 'aid_1_demo', publisherID: '5', publisherKey: 'd', eventID: 'e', timestamp: 1, results: null }
const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** A server that answers with `replies` in order, the last one for ever. */
async function serve(...replies: ((request: Received) => Reply)[]) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const one = { url: new URL(request.url!, 'http://node'), headers: request.headers, body }
    const reply: Reply = (replies[Math.min(received.push(one), replies.length) - 1] ?? (() => ({})))(one)
    if (reply.hang) return
    if (reply.destroy) return void request.socket.destroy()
    response.writeHead(reply.status ?? 201, { 'content-type': 'application/json', ...reply.headers })
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = (options: Partial<ClientOptions> = {}) => {
    const made = createClient({ url: base, channel: 'aid_1_demo', token: 'w3b_t', minDelayMs: 1, ...options })
    cleanup.push(() => made.close())
    return made
  }
  return { received, base, client }
}

const errorJson = (key: string, code: number) => ({ key, code, msg: '', desc: 'why', fields: null })

describe('publishing over HTTP', () => {
  it('sends what the event route of every generation takes', async () => {
    const { client, received } = await serve(() => ({
      body: {
        ...answer,
        messageID: '0x12',
        results: [{ appletName: 'a', instanceID: '1', handler: 'start', returnValue: null, code: 0 }],
      },
    }))
    const result = await client().publish({ payload: { t: 1 }, eventType: 'T', eventId: 'ID', timestampMs: 7 })
    expect(result).toEqual({
      eventId: 'e',
      messageId: '0x12',
      results: [{ appletName: 'a', instanceID: '1', handler: 'start', code: 0 }],
    })
    const [{ url, headers, body }] = received as [Received]
    expect(url.pathname).toBe('/srv-applet-mgr/v0/event/aid_1_demo')
    expect(Object.fromEntries(url.searchParams)).toEqual({ eventType: 'T', eventID: 'id', timestamp: '7' })
    expect(headers.authorization).toBe('Bearer w3b_t')
    expect(headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
    expect(body).toBe('{"t":1}')
  })

  it('takes the whole route as URL, and bytes as they are', async () => {
    const { base, received } = await serve()
    const client = createClient({ url: `${base}/event/eth_0x1_demo`, token: 't' })
    await client.publish({ payload: new Uint8Array([104, 105]) })
    expect(received[0]).toMatchObject({ body: 'hi' })
    expect(received[0]?.url.pathname).toBe('/event/eth_0x1_demo')
  })

  it('tries again with the same key and id while the node is busy, down or out of reach', async () => {
    const { client, received } = await serve(
      () => ({ status: 429, body: errorJson('MailboxFull', 429_999_101), headers: { 'retry-after': '0' } }),
      () => ({ status: 503, body: 'upstream is down' }),
      () => ({ destroy: true }),
      () => ({}),
    )
    await client().publish({ payload: 'x' })
    expect(received.length).toBe(4)
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(new Set(received.map(({ url }) => url.search)).size).toBe(1)
  })

  const final: [name: string, reply: Reply, fault: object][] = [
    [
      'a wrong token',
      { status: 401, body: errorJson('InvalidToken', 401_999_002) },
      { code: 'UNAUTHORIZED', key: 'InvalidToken', desc: 'why' },
    ],
    [
      'a paused project',
      { status: 403, body: errorJson('ProjectPaused', 403_999_101) },
      { code: 'UNAUTHORIZED', key: 'ProjectPaused' },
    ],
    [
      'a payload that is too large',
      { status: 413, body: errorJson('PayloadTooLarge', 413_999_101) },
      { code: 'REFUSED', key: 'PayloadTooLarge' },
    ],
    ['a fault of the node', { status: 500, body: 'oops' }, { code: 'REFUSED', key: 'HTTP_500' }],
    [
      'an error inside a 201',
      { body: { ...answer, error: 'InvalidEventChannel' } },
      { code: 'REFUSED', key: 'InvalidEventChannel' },
    ],
    ['an answer that is no JSON', { status: 200, body: '<html>' }, { code: 'ANSWER_INVALID' }],
    ['an answer that is no object', { body: [1] }, { code: 'ANSWER_INVALID' }],
    ['results that are none', { body: { ...answer, results: 5 } }, { code: 'ANSWER_INVALID' }],
  ]
  for (const [name, reply, fault] of final) {
    it(`does not try again after ${name}`, async () => {
      const { client, received } = await serve(() => reply)
      await expect(client().publish({ payload: 'x' })).rejects.toMatchObject({ fault })
      expect(received.length).toBe(1)
    })
  }

  it('gives up after as many retries as it is told', async () => {
    const { client, received } = await serve(() => ({ status: 429, body: errorJson('MailboxFull', 429_999_101) }))
    await expect(client({ retries: 2 }).publish({ payload: 'x' })).rejects.toMatchObject({ code: 'BUSY' })
    expect(received.length).toBe(3)
  })

  it('gives up an answer that does not come', async () => {
    const { client } = await serve(() => ({ hang: true }))
    const publishing = client({ timeoutMs: 30, retries: 1 }).publish({ payload: 'x' })
    await expect(publishing).rejects.toMatchObject({ fault: { code: 'TIMEOUT', timeoutMs: 30 } })
  })

  it('ends with the caller’s own reason', async () => {
    const { client, received } = await serve(() => ({ hang: true }))
    const abort = new AbortController()
    const publishing = client().publish({ payload: 'x' }, { signal: abort.signal })
    await vi.waitFor(() => expect(received.length).toBe(1))
    const reason = new Error('mine')
    abort.abort(reason)
    await expect(publishing).rejects.toBe(reason)
    await expect(client().publish({ payload: 'x' }, { signal: abort.signal })).rejects.toBe(reason)
  })

  it('ends what waits when it is closed', async () => {
    const { client, received } = await serve(() => ({ hang: true }))
    const one = client({ concurrency: 1 })
    const publishing = [one.publish({ payload: 'x' }), one.publish({ payload: 'y' })]
    await vi.waitFor(() => expect(received.length).toBe(1))
    expect(one.pending).toBe(2)
    await one.close()
    for (const each of publishing) await expect(each).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(one.publish({ payload: 'z' })).rejects.toMatchObject({ code: 'CLOSED' })
    expect(one.pending).toBe(0)
  })

  it('says when its queue is full, or waits, as it is told', async () => {
    const { client, received } = await serve(
      () => ({ hang: true }),
      () => ({ hang: true }),
    )
    const impatient = client({ concurrency: 1, maxQueued: 1, whenFull: 'reject' })
    const waiting = [impatient.publish({ payload: '1' }), impatient.publish({ payload: '2' })]
    await expect(impatient.publish({ payload: '3' })).rejects.toMatchObject({ fault: { code: 'QUEUE_FULL', limit: 1 } })
    await vi.waitFor(() => expect(received.length).toBe(1))
    await impatient.close()
    await Promise.allSettled(waiting)
  })

  it('publishes many with no more at once than allowed, and says what became of each', async () => {
    const { client, received } = await serve(({ body }) =>
      body === '3'
        ? { status: 400, body: errorJson('BadRequest', 400_999_001) }
        : { body: { ...answer, eventID: body } },
    )
    async function* events() {
      for (let i = 0; i < 20; i++) yield { payload: `${i}`, eventType: i === 5 ? '' : 'T' }
    }
    const outcomes = await client({ concurrency: 4 }).publishMany(events())
    expect(outcomes.length).toBe(20)
    expect(outcomes.map((outcome) => outcome.ok)).toEqual(Array.from({ length: 20 }, (_, i) => i !== 3 && i !== 5))
    expect((outcomes[5] as { error: ClientError }).error.code).toBe('EVENT_INVALID')
    expect((outcomes[3] as { error: ClientError }).error.code).toBe('REFUSED')
    expect(received.length).toBe(19)
  })

  it('sends signed envelopes without a token', async () => {
    const { client, received } = await serve(() => ({ body: { jsonrpc: '2.0', id: 1, result: answer } }))
    const signer = createSigner('p256', new Uint8Array(32).fill(3))
    await client({ signer, project: `0x${'ab'.repeat(32)}`, token: undefined }).publish({
      payload: 'x',
      eventType: 'T',
    })
    expect(received[0]?.url.pathname).toBe('/rpc')
    expect(received[0]?.headers.authorization).toBeUndefined()
    const request = JSON.parse(received[0]!.body)
    expect(request.method).toBe('w3b_publish')
    const envelope = envelopeFromJson(request.params.envelope)
    expect(verifyEnvelope(envelope)).toBe(true)
    expect(envelope).toMatchObject({ eventType: 'T', device: signer.device })
  })

  it('understands a refusal of a signed event', async () => {
    const data = errorJson('InvalidEnvelopeSignature', 401_999_101)
    const { client } = await serve(() => ({
      body: { jsonrpc: '2.0', id: 1, error: { code: -32001, message: '', data } },
    }))
    const signer = createSigner('ed25519', new Uint8Array(32).fill(3))
    const publishing = client({ signer, project: `0x${'ab'.repeat(32)}` }).publish({ payload: 'x' })
    await expect(publishing).rejects.toMatchObject({ fault: { code: 'UNAUTHORIZED', key: 'InvalidEnvelopeSignature' } })
  })
})

describe('an account’s data push', () => {
  const push = ({ body }: Received): Reply => ({
    body: (JSON.parse(body) as unknown[]).map((_, index) => ({ index, results: null })).reverse(),
  })
  const event = (i: number) => ({ payload: { i }, deviceId: `d${i}`, timestampMs: 9 })

  it('goes in batches, as the earlier client libraries sent it', async () => {
    const { client, received } = await serve(push)
    const account = client({ credential: 'account', batchEvents: 4 })
    const outcomes = await account.publishMany(Array.from({ length: 10 }, (_, i) => event(i)))
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    expect(received.map(({ body }) => JSON.parse(body).length).sort()).toEqual([2, 4, 4])
    expect(received[0]?.url.searchParams.get('eventType')).toBe('DA-TA_PU-SH')
    expect(JSON.parse(received[0]!.body)[0]).toEqual({
      device_id: 'd0',
      event_type: 'DEFAULT',
      payload: '{"i":0}',
      timestamp: 9,
    })
    expect(await account.publish(event(1))).toMatchObject({ results: null })
  })

  it('is sent again when the node was busy, not when nobody knows', async () => {
    const busy = await serve(() => ({ status: 429 }), push)
    await busy.client({ credential: 'account' }).publish(event(1))
    expect(busy.received.length).toBe(2)
    const broken = await serve(() => ({ destroy: true }), push)
    await expect(broken.client({ credential: 'account' }).publish(event(1))).rejects.toMatchObject({ code: 'NETWORK' })
    expect(broken.received.length).toBe(1)
  })

  it('refuses events without a device, payloads that are no text, and answers that do not fit', async () => {
    const { client } = await serve(() => ({ body: [{ index: 5, results: null }] }))
    const account = client({ credential: 'account' })
    await expect(account.publish({ payload: 'x' })).rejects.toMatchObject({ fault: { field: 'deviceId' } })
    await expect(account.publish({ payload: new Uint8Array([255]), deviceId: 'd' })).rejects.toMatchObject({
      fault: { field: 'payload' },
    })
    await expect(account.publish(event(1))).rejects.toMatchObject({ code: 'ANSWER_INVALID' })
  })
})

describe('options and events', () => {
  const problemsOf = (options: ClientOptions): readonly string[] => {
    try {
      createClient(options)
    } catch (error) {
      const { fault } = error as ClientError
      return fault.code === 'OPTIONS_INVALID' ? fault.problems : []
    }
    return []
  }

  it('are refused with every mistake named', () => {
    const signer = createSigner('p256', new Uint8Array(32).fill(3))
    const named = (options: ClientOptions) => problemsOf(options).map((problem) => problem.split(':')[0])
    expect(named({ url: 'nonsense', concurrency: 0, retries: 1.5 })).toEqual([
      'url',
      'channel',
      'concurrency',
      'retries',
    ])
    expect(named({ url: 'ftp://node', channel: 'c', transport: 'http' })).toEqual(['url'])
    expect(named({ url: 'mqtt://node', channel: 'c', signer })).toEqual(['signer', 'project'])
    expect(named({ url: 'ws://node', channel: 'c', credential: 'account' })).toEqual(['credential', 'token'])
  })

  const bad: [field: string, event: object][] = [
    ['eventType', { eventType: '' }],
    ['eventId', { eventId: 'x'.repeat(257) }],
    ['idempotencyKey', { idempotencyKey: 'x'.repeat(129) }],
    ['timestampMs', { timestampMs: -1 }],
    ['payload', { payload: undefined }],
    ['payload', { payload: 1n }],
  ]
  for (const [field, change] of bad) {
    it(`an event with a bad ${field} is refused before anything is sent`, async () => {
      const client = createClient({ url: 'http://127.0.0.1:9', channel: 'c' })
      await expect(client.publish({ payload: 'x', ...change })).rejects.toMatchObject({
        fault: { code: 'EVENT_INVALID', field },
      })
    })
  }
})
