import type { ServerResponse } from 'node:http'
import { type Anvil, startAnvil } from '@w3bstream/contracts/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { callUrl, deployCaller, results, WebServer } from '../support/outside.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'

/** Requests of applets while the node is killed. */
describe('requests to the web', () => {
  let held: ServerResponse[] = []
  let hold = false
  let web: WebServer
  let node: NodeProcess
  let admin: Management
  let event: ReturnType<typeof sender>

  beforeAll(async () => {
    web = await WebServer.start((_, response) => {
      if (hold) held.push(response)
      else response.end('done')
    })
    node = await NodeProcess.start({ flags: ['--outbound-private', '127.0.0.0/8'] })
    admin = await Management.login(node)
    await admin.project('outside')
    await admin.change('outside', { op: 'settings.put', settings: { outboundHosts: [web.host] } })
    await deployCaller(admin, 'outside')
    event = sender(node, admin.channel('outside'), await admin.device('outside', 'd1'))
  }, 120_000)
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    web?.stop()
  })

  const settled = () =>
    until('all effects are settled', async () => {
      const rows = await admin.outbox('outside')
      return rows.length > 0 && rows.every(({ state }) => state === 'CONFIRMED')
    })
  /** Ids of the answers that entered the history and were executed. */
  const answers = async () => (await admin.receipts('outside')).filter(({ kind }) => kind === 'answer')

  it('are made again under the same key when the node dies before the answer, which comes once', async () => {
    hold = true
    await callUrl(event, 'POST', `http://${web.host}/`, 'x')
    await until('the request has come', () => held.length > 0)
    await node.kill9()
    hold = false
    await node.start()
    await results(admin, 'outside', 1)
    expect(web.keys).toEqual([web.keys[0], web.keys[0]])
    await settled()
    expect(await answers()).toMatchObject([{ status: 'ok', eventType: 'result' }])
    held = []
  })

  it('are answered once each, whenever the node dies', async () => {
    const calls = 30
    const before = (await answers()).length
    for (let round = 0; round < 3; round++) {
      const made = web.keys.length
      for (let i = 0; i < calls / 3; i++) await callUrl(event, 'POST', `http://${web.host}/${round}/${i}`)
      await until('some requests have come', () => web.keys.length > made + round * 3)
      await node.kill9()
      await node.start()
    }
    await results(admin, 'outside', before + calls)
    await settled()
    // One more start: nothing that was answered is taken up again.
    const made = web.keys.length
    await node.kill9()
    await node.start()
    expect(await answers()).toHaveLength(before + calls)
    expect((await answers()).every(({ status }) => status === 'ok')).toBe(true)
    expect(web.keys).toHaveLength(made)
    expect(new Set(web.keys).size).toBe(before + calls)
  }, 120_000)
})

/** Ends of transactions while the node is killed. */
describe('/system/send_tx', () => {
  const chainId = 31337
  let anvil: Anvil
  let node: NodeProcess
  let admin: Management
  let event: ReturnType<typeof sender>

  beforeAll(async () => {
    const [port] = await freePorts(1)
    anvil = await startAnvil({ port: port!, chainId })
    const chains = JSON.stringify([{ chainID: chainId, name: 'local', endpoint: anvil.url, confirmations: 1 }])
    node = await NodeProcess.start({ env: { W3BSTREAM_CHAINS: chains } })
    admin = await Management.login(node)
    await anvil.rpc('anvil_setBalance', (await admin.send('GET', '/account/operatoraddr')).text, '0x8ac7230489e80000')
    await admin.project('send')
    await deployCaller(admin, 'send')
    event = sender(node, admin.channel('send'), await admin.device('send', 'd1'))
  }, 120_000)
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await anvil?.stop()
  })

  it('tells each end once, whenever the node dies', async () => {
    const sends = 12
    await anvil.rpc('evm_setAutomine', false)
    for (let round = 0; round < 3; round++) {
      const to = '0x3333333333333333333333333333333333333333'
      const payload = JSON.stringify({ chain: 'local', to })
      for (let i = 0; i < sends / 3; i++) await event(payload, { eventType: 'SEND' })
      await node.kill9()
      await node.start()
      const before = (await admin.outbox('send')).filter(({ state }) => state === 'CONFIRMED').length
      await until('all are with the chain', async () => {
        const rows = (await admin.outbox('send')).filter(({ kind }) => kind === 'transaction')
        return rows.every(({ state }) => state !== 'INIT')
      })
      await anvil.rpc('evm_mine')
      await until('some ends are known', async () => {
        const rows = await admin.outbox('send')
        return rows.filter(({ state }) => state === 'CONFIRMED').length > before
      })
      await node.kill9()
      await node.start()
    }
    const told = await results(admin, 'send', sends)
    await until('all effects are settled', async () =>
      (await admin.outbox('send')).every(({ state }) => state === 'CONFIRMED'),
    )
    expect(await results(admin, 'send', sends)).toHaveLength(sends)
    const ids = told.map(({ body }) => (body as { transactionID: string }).transactionID)
    expect(new Set(ids).size).toBe(sends)
    expect(told.every(({ body }) => (body as { state: string }).state === 'CONFIRMED')).toBe(true)
  }, 120_000)
})
