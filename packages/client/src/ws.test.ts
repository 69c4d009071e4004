import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createSigner, envelopeFromJson, verifyEnvelope } from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type WebSocket as Peer, WebSocketServer } from 'ws'
import { createClient } from './client.ts'
import type { ClientOptions } from './options.ts'

interface Request {
  id: number
  method: string
  params: Record<string, unknown>
}

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

async function serve(handle: (peer: Peer, request: Request, n: number) => void) {
  const requests: Request[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  let connections = 0
  server.on('connection', (peer) => {
    connections++
    peer.on('message', (data) => {
      const request: Request = JSON.parse(String(data))
      handle(peer, request, requests.push(request))
    })
  })
  cleanup.push(() => {
    for (const peer of server.clients) peer.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const client = (options: Partial<ClientOptions> = {}) => {
    const made = createClient({ url: `ws://127.0.0.1:${port}`, channel: 'c', token: 't', minDelayMs: 1, ...options })
    cleanup.push(() => made.close())
    return made
  }
  return { client, requests, server, connections: () => connections }
}

const reply = (peer: Peer, { id, params }: Request): void => {
  peer.send(JSON.stringify({ jsonrpc: '2.0', id, result: { eventID: params.eventId ?? 'signed', results: null } }))
}

describe('publishing over WebSocket', () => {
  it('sends all on one connection and matches answers that come in another order', async () => {
    const held: (() => void)[] = []
    const { client, requests, connections } = await serve((peer, request, n) => {
      held.unshift(() => reply(peer, request))
      if (n === 3) for (const send of held) send()
    })
    const one = client()
    const answers = await Promise.all(['a', 'b', 'c'].map((eventId) => one.publish({ payload: 'x', eventId })))
    expect(answers.map(({ eventId }) => eventId)).toEqual(['a', 'b', 'c'])
    expect(connections()).toBe(1)
    expect(requests[0]).toMatchObject({
      method: 'w3b_publish',
      params: { channel: 'c', token: 't', payload: 'eA==', encoding: 'base64', eventType: 'DEFAULT' },
    })
  })

  it('connects again and sends the same after a broken connection', async () => {
    const { client, requests, connections } = await serve((peer, request, n) =>
      n === 1 ? peer.terminate() : reply(peer, request),
    )
    await client().publish({ payload: 'x' })
    expect(connections()).toBe(2)
    expect(requests[0]?.params).toEqual(requests[1]?.params)
  })

  it('waits as long as the node asks when it is busy', async () => {
    const data = { key: 'MailboxFull', code: 429_999_101, desc: '', retryAfterMs: 1 }
    const { client, requests } = await serve((peer, request, n) =>
      n === 1
        ? peer.send(JSON.stringify({ jsonrpc: '2.0', id: request.id, error: { code: -32029, data } }))
        : reply(peer, request),
    )
    await client().publish({ payload: 'x' })
    expect(requests.length).toBe(2)
  })

  it('sends signed envelopes', async () => {
    const { client, requests } = await serve(reply)
    const signer = createSigner('secp256k1', new Uint8Array(32).fill(3))
    await client({ signer, project: `0x${'ab'.repeat(32)}`, token: undefined }).publish({ payload: 'x' })
    expect(verifyEnvelope(envelopeFromJson(requests[0]!.params.envelope))).toBe(true)
  })

  it('ignores messages that answer nothing', async () => {
    const { client } = await serve((peer, request) => {
      for (const noise of ['{', '[]', 'null', '{"id":999,"result":1}', '{"method":"w3b_subscription"}'])
        peer.send(noise)
      peer.send(new Uint8Array([1, 2]))
      reply(peer, request)
    })
    expect(await client().publish({ payload: 'x', eventId: 'mine' })).toMatchObject({ eventId: 'mine' })
  })

  it('says what is wrong: no server, no answer, a foreign answer, the end', async () => {
    const { client, server } = await serve(() => {})
    const options = { retries: 0, timeoutMs: 30 }
    await expect(client(options).publish({ payload: 'x' })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const closing = client()
    const publishing = closing.publish({ payload: 'x' })
    await vi.waitFor(() => expect(server.clients.size).toBe(2))
    await closing.close()
    await expect(publishing).rejects.toMatchObject({ code: 'CLOSED' })
    const gone = createClient({ url: 'ws://127.0.0.1:1', channel: 'c', retries: 0 })
    await expect(gone.publish({ payload: 'x' })).rejects.toMatchObject({ code: 'NETWORK' })
    const foreign = await serve((peer, { id }) => peer.send(JSON.stringify({ id, error: 'no' })))
    await expect(foreign.client().publish({ payload: 'x' })).rejects.toMatchObject({ code: 'ANSWER_INVALID' })
  })
})
