import { type Anvil, startAnvil } from '@w3bstream/contracts/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'

const chainId = 31337
const recipient = '0x1111111111111111111111111111111111111111'

/** Transactions of applets while the chain or the node fails. */
describe('transactions', () => {
  let anvil: Anvil
  let port = 0
  let node: NodeProcess
  let admin: Management
  let operator = ''
  let event: ReturnType<typeof sender>
  /** What the recipient should have by now, wei. */
  let owed = 0n

  beforeAll(async () => {
    port = (await freePorts(1))[0]!
    anvil = await startAnvil({ port, chainId })
    const chains = JSON.stringify([{ chainID: chainId, name: 'local', endpoint: anvil.url, confirmations: 1 }])
    node = await NodeProcess.start({ env: { W3BSTREAM_CHAINS: chains } })
    admin = await Management.login(node)
    operator = (await admin.send('GET', '/account/operatoraddr')).text
    await anvil.rpc('anvil_setBalance', operator, '0x8ac7230489e80000')
    await admin.project('chain')
    await admin.applet('chain', guest('rust_tx'), [{ eventType: 'SEND', handler: 'send' }])
    event = sender(node, admin.channel('chain'), await admin.device('chain', 'd1'))
  }, 90_000)
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await anvil?.stop()
  })

  const send = async (wei: number) => {
    const { json } = await event(`${chainId} ${recipient} ${wei} 0x`, { eventType: 'SEND' })
    if (!json.results) throw new Error(JSON.stringify(json))
    if (json.results[0]!.code === 0) owed += BigInt(wei)
    return { ...json.results[0]!, messageID: json.messageID }
  }
  const balance = async () => BigInt((await anvil.rpc('eth_getBalance', recipient, 'latest')) as string)
  const nonce = async () => Number(await anvil.rpc('eth_getTransactionCount', operator, 'latest'))
  const settled = () =>
    until(
      'all transactions are confirmed',
      async () => {
        const rows = await admin.outbox('chain')
        return rows.length > 0 && rows.every(({ state }) => state === 'CONFIRMED')
      },
      40_000,
    )
  /** Takes the chain away, with its state kept for its return. */
  const stopChain = async () => {
    const state = await anvil.rpc('anvil_dumpState')
    await anvil.stop()
    return async () => {
      anvil = await startAnvil({ port, chainId })
      await anvil.rpc('anvil_loadState', state)
    }
  }

  it('are sent, confirmed and listed in the receipt', async () => {
    const { code, messageID } = await send(1)
    expect(code).toBe(0)
    await settled()
    expect(await balance()).toBe(owed)
    const file = await admin.receiptFile('chain', messageID)
    expect(file.transactions).toMatchObject([{ chainId: `${chainId}`, state: 'CONFIRMED' }])
    const [line] = await admin.logs('chain')
    expect(line!.msg).toBe(`sent ${file.transactions![0]!.hash}`)
  })

  it('of the same time get nonces without a gap', async () => {
    const before = await nonce()
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => send(100 + i)))
    expect(results.map(({ code }) => code)).toEqual(Array(10).fill(0))
    await settled()
    expect(await balance()).toBe(owed)
    expect(await nonce()).toBe(before + 10)
  })

  it('are refused with −1 while the chain is away, and take no nonce', async () => {
    const back = await stopChain()
    expect((await send(1000)).code).toBe(-1)
    await back()
    const before = await nonce()
    expect((await send(1001)).code).toBe(0)
    await settled()
    expect(await nonce()).toBe(before + 1)
    expect(await balance()).toBe(owed)
  })

  it('stay in the outbox when the chain goes away after the call, and go out when it is back', async () => {
    await anvil.rpc('evm_setAutomine', false)
    const { code, messageID } = await send(2000)
    expect(code).toBe(0)
    const back = await stopChain()
    const pending = await admin.receiptFile('chain', messageID)
    expect(pending.transactions).toMatchObject([{ state: expect.stringMatching(/^(INIT|PENDING)$/) }])
    await back()
    await settled()
    expect(await balance()).toBe(owed)
  })

  it('are sent once after kill -9, whenever it comes', async () => {
    for (let round = 0; round < 3; round++) {
      const before = await nonce()
      const results = await Promise.all(Array.from({ length: 5 }, (_, i) => send(3000 + 10 * round + i)))
      await node.kill9()
      await node.start()
      await settled()
      expect(await balance()).toBe(owed)
      expect(await nonce()).toBe(before + results.length)
    }
  }, 90_000)

  it('of a handler that was rolled back are not sent, and their nonce is used by the next', async () => {
    await admin.change('chain', { op: 'settings.put', settings: { limits: { wallClockMs: 500 } } })
    await admin.applet('chain', guest('loop'), [{ eventType: 'SPIN', handler: 'spin' }], 'loop')
    const before = await nonce()
    const [sent, spun, later] = await Promise.all([send(4000), event('', { eventType: 'SPIN' }), send(4001)])
    expect([sent.code, later.code]).toEqual([0, 0])
    expect(spun.json.results).toMatchObject([{ code: -1, error: 'wait timeout' }])
    await settled()
    expect(await balance()).toBe(owed)
    expect(await nonce()).toBe(before + 2)
  })
})
