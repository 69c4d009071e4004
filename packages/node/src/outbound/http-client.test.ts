import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpClient } from './http-client.ts'
import type { OutboundOptions } from './options.ts'
import type { OutboundRequest } from './outbound.ts'

const never = new AbortController().signal
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
    server.close()
  }
})

async function listen<T extends Server>(server: T): Promise<number> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

function serve(handler: Handler): Promise<number> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    handler(request, response, body)
  })
  return listen(server)
}

function client(
  options: Partial<OutboundOptions> = {},
  resolve?: (name: string) => Promise<{ address: string; family: number }[]>,
) {
  return new HttpClient({ privateNetworks: ['127.0.0.0/8'], ...options }, { userAgent: 'w3bstream/test', resolve })
}

function request(url: string, over: Partial<OutboundRequest> = {}): OutboundRequest {
  const body = new Uint8Array(0)
  return { url, method: 'GET', header: {}, body, idempotencyKey: '0xab', allows: () => true, ...over }
}

describe('outbound HTTP', () => {
  it('sends method, headers, body and key, and reads the answer', async () => {
    const port = await serve((asked, response, body) => {
      response.writeHead(201, { 'x-many': ['a', 'b'] })
      response.end(JSON.stringify({ method: asked.method, url: asked.url, headers: asked.headers, body }))
    })
    const sent = request(`http://127.0.0.1:${port}/a?b=c`, {
      method: 'POST',
      header: { 'Content-Type': ['text/plain'], 'X-Own': ['1', '2'] },
      body: Buffer.from('hello'),
    })
    const answer = await client().send(sent, never)
    expect(answer).toMatchObject({ status: 201, statusText: 'Created', header: { 'x-many': ['a', 'b'] } })
    expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({
      method: 'POST',
      url: '/a?b=c',
      body: 'hello',
      headers: {
        host: `127.0.0.1:${port}`,
        'content-type': 'text/plain',
        'x-own': '1, 2',
        'idempotency-key': '0xab',
        'user-agent': 'w3bstream/test',
      },
    })
  })

  it('refuses private addresses by default, whatever they are called', async () => {
    let reached = 0
    const port = await serve((_, response) => response.end(String(++reached)))
    const strict = client({ privateNetworks: [] })
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '[::1]'])
      await expect(strict.send(request(`http://${host}:${port}/`), never), host).rejects.toMatchObject({
        code: 'OUTBOUND_ADDRESS',
      })
    expect(reached).toBe(0)
  })

  it('connects to what was resolved: a name cannot be rebound', async () => {
    let questions = 0
    const port = await serve((_, response) => response.end('inside'))
    const rebinding = client({ privateNetworks: [], connectTimeoutMs: 200 }, async () => {
      questions++
      return [{ address: questions === 1 ? '127.0.0.1' : '203.0.113.1', family: 4 }]
    })
    const url = `http://rebind.example:${port}/`
    await expect(rebinding.send(request(url), never)).rejects.toMatchObject({
      fault: { code: 'OUTBOUND_ADDRESS' },
    })
    expect(questions).toBe(1)
    const mixed = client({}, async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
    expect((await mixed.send(request(url), never)).status).toBe(200)
  })

  it('follows redirects, without credentials to another host, and examines each', async () => {
    const target = await serve((asked, response, body) =>
      response.end(JSON.stringify({ method: asked.method, secret: asked.headers.authorization ?? '', body })),
    )
    const port = await serve((asked, response) => {
      const [, status, location] = asked.url!.split('~')
      response.writeHead(Number(status), { location: decodeURIComponent(location!) }).end()
    })
    const to = (status: number, location: string) =>
      `http://127.0.0.1:${port}/~${status}~${encodeURIComponent(location)}`
    const post = { method: 'POST', body: Buffer.from('x'), header: { Authorization: ['secret'] } }
    const follow = async (url: string) =>
      JSON.parse(Buffer.from((await client().send(request(url, post), never)).body).toString())
    const elsewhere = `http://127.0.0.1:${target}/`
    expect(await follow(to(302, elsewhere))).toEqual({ method: 'GET', secret: '', body: '' })
    expect(await follow(to(307, elsewhere))).toEqual({ method: 'POST', secret: '', body: 'x' })
    await expect(client().send(request(to(302, 'http://10.1.2.3/')), never)).rejects.toMatchObject({
      code: 'OUTBOUND_ADDRESS',
    })
    await expect(client().send(request(to(302, 'file:///etc/passwd')), never)).rejects.toMatchObject({
      code: 'OUTBOUND_REDIRECTS',
    })
    const picky = request(to(302, elsewhere), { allows: (_, wanted) => wanted === port })
    await expect(client().send(picky, never)).rejects.toMatchObject({ code: 'OUTBOUND_HOST' })
  })

  it('follows so many redirects and no more', async () => {
    const port = await serve((_, response) => response.writeHead(302, { location: '/again' }).end())
    const send = client({ redirects: 2 }).send(request(`http://127.0.0.1:${port}/`), never)
    await expect(send).rejects.toMatchObject({ code: 'OUTBOUND_REDIRECTS' })
  })

  it('ends a server that sends byte by byte, or never', async () => {
    const slow = await serve((_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('.'), 5)
      response.on('close', () => clearInterval(drip))
    })
    const silent = await listen(createTcpServer())
    for (const port of [slow, silent])
      await expect(client({ timeoutMs: 60 }).send(request(`http://127.0.0.1:${port}/`), never)).rejects.toMatchObject({
        code: 'OUTBOUND_TIMEOUT',
      })
  })

  it('takes no more than its limits', async () => {
    const large = await serve((_, response) => void response.end(Buffer.alloc(5000)))
    await expect(
      client({ responseBytes: 4999 }).send(request(`http://127.0.0.1:${large}/`), never),
    ).rejects.toMatchObject({ code: 'OUTBOUND_TOO_LARGE' })
    const headers = await serve((_, response) => response.setHeader('x', 'y'.repeat(3000)).end())
    await expect(
      client({ responseHeaderBytes: 2000 }).send(request(`http://127.0.0.1:${headers}/`), never),
    ).rejects.toMatchObject({ code: 'OUTBOUND_BROKEN' })
  })

  it('tells a server that never got the request from one that hung up', async () => {
    const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())))
    await expect(client().send(request(`http://127.0.0.1:${port}/`), never)).rejects.toMatchObject({
      code: 'OUTBOUND_BROKEN',
    })
    await expect(client().send(request('http://127.0.0.1:1/'), never)).rejects.toMatchObject({
      code: 'OUTBOUND_UNREACHABLE',
    })
    const nameless = client({}, async () => [])
    await expect(nameless.send(request('http://nowhere.example/'), never)).rejects.toMatchObject({
      code: 'OUTBOUND_UNREACHABLE',
    })
  })

  it('is no client of nonsense', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('this is not HTTP\r\n\r\n')))
    await expect(client().send(request(`http://127.0.0.1:${port}/`), never)).rejects.toMatchObject({
      code: 'OUTBOUND_BROKEN',
    })
  })

  it('ends with the signal', async () => {
    const stop = new AbortController()
    const port = await serve(() => stop.abort(new Error('stopping')))
    await expect(client().send(request(`http://127.0.0.1:${port}/`), stop.signal)).rejects.toThrow('stopping')
  })
})
