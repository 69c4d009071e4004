import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { RpcOptions } from './options.ts'
import { NodeFixture } from './rpc.fixture.ts'
import { createRpcEndpoint, type RpcEndpoint } from './rpc-endpoint.ts'

interface Message {
  id?: number
  method?: string
  result?: unknown
  error?: { code: number; data: { key: string } }
  params?: { subscription: string; result?: Record<string, unknown>; error?: { data: { key: string } } }
}

/** A WebSocket client that keeps what it receives. */
class Client {
  readonly socket: WebSocket
  readonly received: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #id = 0

  constructor(url: string, token?: string) {
    this.socket = new WebSocket(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
    this.socket.on('message', (data) => this.received.push(JSON.parse(String(data))))
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
  }

  send(method: string, params?: unknown): number {
    const id = ++this.#id
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return id
  }

  async call(method: string, params?: unknown): Promise<Message> {
    const id = this.send(method, params)
    return await vi.waitFor(() => {
      const answer = this.received.find((message) => message.id === id)
      if (!answer) throw new Error(`no answer to ${method}`)
      return answer
    })
  }

  get notifications(): NonNullable<Message['params']>[] {
    return this.received.flatMap(({ method, params }) => (method === 'w3b_subscription' && params ? [params] : []))
  }
}

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

async function open(options: Partial<RpcOptions> = {}) {
  const node = new NodeFixture()
  const endpoint = createRpcEndpoint(options, node.deps)
  await endpoint.start()
  const server = createServer()
  server.on('upgrade', endpoint.handleUpgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => closeAll(server, endpoint))
  const { port } = server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/rpc`
  const client = async (token?: string, query = '') => {
    const opened = new Client(url + query, token)
    await Promise.race([once(opened.socket, 'open'), opened.closed])
    return opened
  }
  return { node, endpoint, port, url, client }
}

async function closeAll(server: Server, endpoint: RpcEndpoint): Promise<void> {
  await endpoint.stop(AbortSignal.abort())
  server.closeAllConnections()
  server.close()
}

const event = { channel: 'aid_1_demo', payload: 'x' }

describe('JSON-RPC over WebSocket', () => {
  it('publishes under the token of the header or of the query', async () => {
    const { node, client } = await open()
    await (await client('token-alpha')).call('w3b_publish', event)
    await (await client(undefined, '?token=token-beta')).call('w3b_publish', event)
    await (await client(undefined, '?authorization=Bearer%20token-alpha')).call('w3b_publish', event)
    expect(node.published.map(({ publisher }) => publisher)).toEqual(['alpha', 'beta', 'alpha'])
  })

  it('answers a wrong token with 401 and the error in JSON', async () => {
    const { url } = await open()
    const socket = new WebSocket(url, { headers: { authorization: 'forged' } })
    socket.on('error', () => {})
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(401)
    let body = ''
    for await (const chunk of response) body += chunk
    expect(JSON.parse(body)).toMatchObject({ key: 'InvalidToken', code: 401_999_002 })
    socket.terminate()
  })

  it('takes no more connections than its limit', async () => {
    const { url, client } = await open({ connections: 1 })
    await client()
    const socket = new WebSocket(url)
    socket.on('error', () => {})
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(429)
    socket.terminate()
  })

  it('survives peers that hang up during the upgrade or send no WebSocket', async () => {
    const { port, client } = await open()
    for (const text of [
      'GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'GET /rpc',
    ]) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(text)
      socket.destroy()
    }
    expect((await (await client()).call('w3b_nodeInfo')).result).toEqual({ version: '0.1.0' })
  })

  it('closes a connection whose message is too large', async () => {
    const { client } = await open({ messageBytes: 1000 })
    const peer = await client()
    peer.socket.send('x'.repeat(1001))
    expect((await peer.closed).code).toBe(1009)
  })

  it('reads no more from a connection while as many calls as allowed are pending', async () => {
    const { node, client } = await open({ pending: 2 })
    const gate = Promise.withResolvers<void>()
    node.gate = gate.promise
    const peer = await client('token-alpha')
    const large = { ...event, payload: 'x'.repeat(50_000) }
    for (let i = 0; i < 200; i++) peer.send('w3b_publish', large)
    await vi.waitFor(() => expect(node.published.length).toBeGreaterThanOrEqual(2))
    await (await client()).call('w3b_nodeInfo')
    expect(node.published.length).toBeLessThan(10)
    gate.resolve()
    await vi.waitFor(() => expect(peer.received.length).toBe(200), 10_000)
  })

  it('closes a consumer that does not read, and says why', async () => {
    const { endpoint, client, node } = await open({ outgoingBytes: 200_000, pending: 100_000 })
    const peer = await client('token-alpha')
    const padding = 'e'.repeat(256)
    peer.socket.pause()
    for (let i = 0; i < 20_000; i++) peer.send('w3b_publish', { ...event, eventId: padding })
    await vi.waitFor(() => expect(node.published.length).toBeGreaterThan(15_000), 20_000)
    peer.socket.resume()
    expect(await peer.closed).toEqual({ code: 1013, reason: 'too slow: answers were not read' })
    expect(endpoint.name).toBe('rpc')
  })

  it('cuts a connection that gives no sign of life', async () => {
    const { url } = await open({ heartbeatMs: 20 })
    const silent = new WebSocket(url, { autoPong: false })
    const [code] = await once(silent, 'close')
    expect(code).toBe(1006)
  })

  it('finishes the calls under way when it stops, and refuses new ones', async () => {
    const { node, endpoint, client, url } = await open()
    const gate = Promise.withResolvers<void>()
    node.gate = gate.promise
    const peer = await client('token-alpha')
    const answer = peer.call('w3b_publish', event)
    await vi.waitFor(() => expect(node.published.length).toBe(1))
    const stopped = endpoint.stop()
    expect((await peer.call('w3b_publish', event)).error).toMatchObject({ code: -32053, data: { key: 'NodeStopping' } })
    gate.resolve()
    expect((await answer).result).toMatchObject({ publisherKey: 'alpha' })
    expect((await peer.closed).code).toBe(1001)
    await stopped
    await endpoint.stop()
    const late = new WebSocket(url)
    late.on('error', () => {})
    const [, response] = await once(late, 'unexpected-response')
    expect(response.statusCode).toBe(503)
    late.terminate()
  })
})

describe('subscriptions', () => {
  it('send log lines that are committed from now on, in order', async () => {
    const { node, client } = await open()
    node.log('before')
    const peer = await client('token-owner')
    const { result } = await peer.call('w3b_subscribe', { topic: 'logs', project: 'aid_1_demo' })
    for (let i = 0; i < 120; i++) node.log(`line ${i}`)
    await vi.waitFor(() => expect(peer.notifications.length).toBe(120))
    expect(peer.notifications.map((one) => one.result?.msg)).toEqual(Array.from({ length: 120 }, (_, i) => `line ${i}`))
    expect(new Set(peer.notifications.map((one) => one.subscription))).toEqual(new Set([result]))
  })

  it('send a device its own receipts, and an account all', async () => {
    const { client } = await open()
    const [alpha, beta, owner] = [await client('token-alpha'), await client('token-beta'), await client('token-owner')]
    await alpha.call('w3b_subscribe', ['receipts'])
    await owner.call('w3b_subscribe', ['receipts', 'aid_1_demo'])
    await beta.call('w3b_publish', { ...event, eventId: 'of-beta' })
    await alpha.call('w3b_publish', { ...event, eventId: 'of-alpha' })
    await vi.waitFor(() => expect(owner.notifications.length).toBe(2))
    await vi.waitFor(() => expect(alpha.notifications.length).toBe(1))
    expect(alpha.notifications[0]?.result).toMatchObject({ eventID: 'of-alpha', status: 'ok', height: '2' })
    expect(owner.notifications.map((one) => one.result?.eventID)).toEqual(['of-beta', 'of-alpha'])
  })

  it('tell of the project, until it is removed', async () => {
    const { node, client } = await open()
    const peer = await client('token-owner')
    await peer.call('w3b_subscribe', { topic: 'project', project: '101' })
    node.emit({ type: 'committed', height: 7n, messages: 1, logs: 0, effects: 0 })
    node.emit({ type: 'effect', id: new Uint8Array([1]), state: 'CONFIRMED' })
    node.emit({ type: 'definition', definition: node.definition() })
    node.emit({ type: 'removed' })
    await vi.waitFor(() => expect(peer.notifications.length).toBe(4))
    expect(peer.notifications.map((one) => one.result ?? one.error?.data.key)).toEqual([
      { type: 'committed', height: '7', messages: 1, logs: 0, effects: 0 },
      { type: 'effect', id: '0x01', state: 'CONFIRMED' },
      { type: 'definition', project: expect.objectContaining({ state: 'active', projectID: '101' }) },
      'ProjectNotFound',
    ])
    expect(node.observers.size).toBe(0)
  })

  it('are sent after the answer that names them, also within a batch', async () => {
    const { node, client } = await open()
    const peer = await client('token-owner')
    const gate = Promise.withResolvers<void>()
    node.gate = gate.promise
    const subscribe = { jsonrpc: '2.0', id: 1, method: 'w3b_subscribe', params: { topic: 'project', project: '101' } }
    const publish = { jsonrpc: '2.0', id: 2, method: 'w3b_publish', params: { ...event, token: 'token-alpha' } }
    peer.socket.send(JSON.stringify([subscribe, publish]))
    await vi.waitFor(() => expect(node.observers.size).toBe(1))
    gate.resolve()
    await vi.waitFor(() => expect(peer.received.length).toBe(2))
    expect(Array.isArray(peer.received[0])).toBe(true)
    expect(peer.notifications[0]?.result).toMatchObject({ type: 'committed' })
  })

  it('end when told so, when the token is revoked, and with the connection', async () => {
    const { node, client } = await open()
    const peer = await client('token-owner')
    const { result } = await peer.call('w3b_subscribe', ['logs', '101'])
    expect((await peer.call('w3b_unsubscribe', [result])).result).toBe(true)
    expect((await peer.call('w3b_unsubscribe', [result])).result).toBe(false)
    expect(node.observers.size).toBe(0)
    await peer.call('w3b_subscribe', ['logs', '101'])
    node.owner.valid = false
    node.log('secret')
    await vi.waitFor(() => expect(peer.notifications[0]?.error?.data.key).toBe('InvalidToken'))
    expect(node.observers.size).toBe(0)
    peer.send('w3b_nodeInfo')
    expect(await peer.closed).toEqual({ code: 1008, reason: 'the token was revoked' })
    const other = await client('token-stranger')
    await other.call('w3b_subscribe', ['logs', '102'])
    other.socket.terminate()
    await vi.waitFor(() => expect(node.observers.size).toBe(0))
  })

  const refusals: [name: string, token: string | undefined, params: unknown, key: string][] = [
    ['without a token', undefined, ['logs', '101'], 'InvalidToken'],
    ['to another account', 'token-stranger', ['logs', '101'], 'NoProjectPermission'],
    ['of logs to a device', 'token-alpha', ['logs'], 'NoProjectPermission'],
    ['of the project to a device', 'token-alpha', ['project'], 'NoProjectPermission'],
    ['to an unknown topic', 'token-owner', ['blocks', '101'], 'badRequest'],
    ['to a key without the group', 'key-project-only', ['logs', '101'], 'AccessKeyPermissionDenied'],
  ]
  for (const [name, token, params, key] of refusals) {
    it(`are refused ${name}`, async () => {
      const { node, client } = await open()
      expect((await (await client(token)).call('w3b_subscribe', params)).error?.data.key).toBe(key)
      expect(node.observers.size).toBe(0)
    })
  }

  it('are limited for each connection, also when asked for at once', async () => {
    const { node, client } = await open({ subscriptions: 3 })
    const peer = await client('token-owner')
    const answers = await Promise.all(Array.from({ length: 5 }, () => peer.call('w3b_subscribe', ['logs', '101'])))
    expect(answers.filter(({ error }) => error?.data.key === 'Forbidden').length).toBe(2)
    expect(node.observers.size).toBe(3)
  })
})
