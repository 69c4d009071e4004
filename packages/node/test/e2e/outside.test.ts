import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Anvil, startAnvil } from '@w3bstream/contracts/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { sender } from '../support/events.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { callUrl, deployCaller, type Result, results, WebServer } from '../support/outside.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'

const chainId = 31337
const recipient = '0x2222222222222222222222222222222222222222'

/** Applets that call what is outside, on the kit that others wrote, and the events that answer them. */
describe('calls of the outside', () => {
  let anvil: Anvil
  let web: WebServer
  let prover: WebSocketServer
  let node: NodeProcess
  let admin: Management
  let event: ReturnType<typeof sender>
  let seen = 0

  /** The result that came after those that were looked at. */
  async function next(): Promise<Result> {
    const all = await results(admin, 'outside', ++seen)
    return all[seen - 1]!
  }

  beforeAll(async () => {
    const [port] = await freePorts(1)
    anvil = await startAnvil({ port: port!, chainId })
    web = await WebServer.start((request, response) => {
      if (request.url === '/away') response.writeHead(302, { location: 'http://10.255.255.1/' }).end()
      else response.writeHead(200, { 'x-served': 'yes' }).end(`${request.method} ${request.url}`)
    })
    prover = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    prover.on('connection', (socket) => socket.on('message', (text) => socket.send(`proof of ${text}`)))
    await once(prover, 'listening')
    const chains = JSON.stringify([{ chainID: chainId, name: 'local', endpoint: anvil.url, confirmations: 1 }])
    node = await NodeProcess.start({
      env: { W3BSTREAM_CHAINS: chains },
      flags: [
        ...['--outbound-private', '127.0.0.0/8'],
        ...['--zk-prover', `ws://127.0.0.1:${(prover.address() as AddressInfo).port}/proofs`],
      ],
    })
    admin = await Management.login(node)
    await anvil.rpc('anvil_setBalance', (await admin.send('GET', '/account/operatoraddr')).text, '0x8ac7230489e80000')
    await admin.project('outside')
    await admin.change('outside', { op: 'settings.put', settings: { outboundHosts: [web.host] } })
    await deployCaller(admin, 'outside')
    event = sender(node, admin.channel('outside'), await admin.device('outside', 'd1'))
  }, 120_000)
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await anvil?.stop()
    web?.stop()
    prover?.close()
  })

  it('read a transaction, or say why not', async () => {
    const hash = (await anvil.rpc('eth_sendTransaction', {
      from: await firstAccount(),
      to: recipient,
      value: '0x1',
    })) as string
    await event(JSON.stringify({ chain: 'local', hash }), { eventType: 'READ' })
    expect(await next()).toMatchObject({ StatusCode: 200, body: { transaction: { hash, to: recipient } } })
    await event(JSON.stringify({ chain: 'solana-devnet', hash }), { eventType: 'READ' })
    expect(await next()).toMatchObject({
      StatusCode: 500,
      body: { error: expect.stringContaining('CHAIN_UNSUPPORTED') },
    })
  })

  const firstAccount = async () => ((await anvil.rpc('eth_accounts')) as string[])[0]

  it('send a transaction and are told its end', async () => {
    const before = BigInt((await anvil.rpc('eth_getBalance', recipient, 'latest')) as string)
    await event(JSON.stringify({ chain: 'local', to: recipient }), { eventType: 'SEND' })
    const { body, StatusCode, eventID } = await next()
    expect([StatusCode, body]).toEqual([200, { transactionID: expect.stringMatching(/^\d+$/), state: 'CONFIRMED' }])
    expect(eventID).toMatch(/_monitor$/)
    expect(BigInt((await anvil.rpc('eth_getBalance', recipient, 'latest')) as string) - before).toBe(7n)
    const { transactionID } = body as { transactionID: string }
    const answered = (await admin.logs('outside')).map(({ msg }) => msg).find((line) => line.startsWith('{"Status"'))!
    expect(Buffer.from(JSON.parse(answered).Body, 'base64').toString()).toBe(JSON.stringify({ transactionID }))
    await event(JSON.stringify({ chain: 'local', to: 'nobody' }), { eventType: 'SEND' })
    expect((await next()).body).toMatchObject({ state: 'FAILED', error: expect.stringContaining('TX_INVALID') })
  })

  it('ask the prover', async () => {
    await event('secret', { eventType: 'PROVE' })
    const { body } = await next()
    const { receipt } = body as { receipt: string }
    expect(JSON.parse(receipt.slice('proof of '.length))).toEqual({
      private_input: 'secret',
      public_input: 'open',
      receipt_type: 'Stark',
      image_id: '1, 2, 3, 4, 5, 6, 7, 8',
    })
  })

  it('make HTTP requests to the hosts of their project', async () => {
    await callUrl(event, 'POST', `http://${web.host}/a?b`, 'x')
    expect(await next()).toMatchObject({
      Status: '200 OK',
      Header: { Eventtype: ['result'], 'X-Served': ['yes'] },
      body: 'POST /a?b',
    })
    const [effect] = (await admin.outbox('outside')).filter(({ kind }) => kind === 'api')
    expect(effect!.state).toBe('CONFIRMED')
    expect(web.keys).toEqual([effect!.effectID])
    await callUrl(event, 'GET', `http://${web.host}/away`)
    expect(await next()).toMatchObject({ StatusCode: 403, body: { error: expect.stringContaining('OUTBOUND_HOST') } })
  })

  it('are refused at once for other hosts', async () => {
    await callUrl(event, 'GET', `http://localhost:${web.port}/`)
    const [line] = (await admin.logs('outside')).filter(({ msg }) => msg.startsWith('{"Status"'))
    expect(JSON.parse(line!.msg)).toMatchObject({ Status: '403 Forbidden' })
  })

  it('reach nothing private unless the operator says so', async () => {
    await using strict = await NodeProcess.start()
    const owner = await Management.login(strict)
    await owner.project('outside')
    await owner.change('outside', {
      op: 'settings.put',
      settings: { outboundHosts: [web.host, `localhost:${web.port}`] },
    })
    await deployCaller(owner, 'outside')
    const send = sender(strict, owner.channel('outside'), await owner.device('outside', 'd1'))
    const before = web.keys.length
    await callUrl(send, 'GET', `http://${web.host}/`)
    await callUrl(send, 'GET', `http://localhost:${web.port}/`)
    await send('x', { eventType: 'PROVE' })
    const told = (await results(owner, 'outside', 3)).map(({ StatusCode, body }) => [StatusCode, JSON.stringify(body)])
    expect(told.sort()).toEqual([
      [403, expect.stringContaining('OUTBOUND_ADDRESS')],
      [403, expect.stringContaining('OUTBOUND_ADDRESS')],
      [500, expect.stringContaining('PROVER_NONE')],
    ])
    expect(web.keys.length).toBe(before)
  })

  it('collect positions of routes that want them, and what applets measure', async () => {
    await admin.change('outside', { op: 'strategy.create', ...(await positionRoute()) })
    await event('{"lat":1.5,"long":-2}', { eventType: 'POSITION' })
    const line = await until('the series', async () => {
      const text = await (await fetch(`${node.management}/metrics`)).text()
      return text
        .split('\n')
        .find((one) => one.startsWith('w3b_customized_metrics{') && one.includes('name="longitude"'))
    })
    expect(line).toMatch(/publisher="d1",name="longitude"\} -2$/)
    expect((await admin.outbox('outside'))[0]).toMatchObject({
      kind: 'metric',
      metric: { latitude: 1.5, longitude: -2 },
    })
  })

  async function positionRoute(): Promise<object> {
    const { data } = await admin.expect<{ data: { appletID: string }[] }>('GET', '/applet/x/outside/datalist')
    return { appletId: data[0]!.appletID, eventType: 'POSITION', handler: 'handle_result', autoCollectMetric: true }
  }
})
