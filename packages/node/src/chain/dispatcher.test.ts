import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anvil, clientOf, deploy, devAccounts, startAnvil } from '@w3bstream/contracts/testing'
import { fromHex, type Hex, keccakTree, rewardTokenAbi, toHex } from '@w3bstream/protocol'
import { encodeFunctionData, keccak256 } from 'viem'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ControlDatabase, openControl } from '../database/control/control.ts'
import type { OutboxRow } from '../database/database.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { openWallet } from '../wallet/open-wallet.ts'
import type { Wallet } from '../wallet/wallet.ts'
import type { SignedTransaction, TransactionOutcome, TransactionRequest } from './chain.ts'
import { encodeLocal } from './chain.ts'
import { parseChains } from './chain-table.ts'
import { createDispatcher, type DispatcherOptions } from './dispatcher.ts'
import { openChains } from './open-chains.ts'

const accountId = '11'
const project = toHex(new Uint8Array(32).fill(3))
const [operator, other, outsider] = devAccounts
const quick: Partial<DispatcherOptions> = {
  pollIntervalMs: 20,
  resendMs: 300,
  graceMs: 200,
  retry: { minMs: 20, maxMs: 100 },
}

/** An outbox in memory, as a project's store shows it, with what was told of the ends. */
class Project {
  readonly rows = new Map<string, OutboxRow>()
  readonly ends = new Map<string, TransactionOutcome>()
  /** Every state that was written, in order. */
  readonly history: string[] = []
  reads = 0

  add(transaction: SignedTransaction, change: Partial<OutboxRow> = {}): OutboxRow {
    const index = this.rows.size
    const id = keccakTree(new TextEncoder().encode(`effect ${index}`))
    const row: OutboxRow = {
      height: 1n,
      index,
      messageIndex: 0,
      id,
      kind: 'transaction',
      body: new Uint8Array(),
      local: encodeLocal(transaction),
      state: 'INIT',
      attempts: 0,
      detail: '',
      updatedMs: 0,
      ...change,
    }
    this.rows.set(toHex(id), row)
    return row
  }

  row(of: OutboxRow): OutboxRow {
    return this.rows.get(toHex(of.id))!
  }

  outboxPending(): readonly OutboxRow[] {
    this.reads++
    return [...this.rows.values()].filter((row) => row.state !== 'CONFIRMED' && row.state !== 'FAILED')
  }

  outboxUpdate(changes: readonly ({ id: Uint8Array } & Partial<OutboxRow>)[]): void {
    for (const change of changes) {
      const row = this.rows.get(toHex(change.id))!
      if (change.state && change.state !== row.state) this.history.push(change.state)
      this.rows.set(toHex(change.id), { ...row, ...change })
    }
  }
}

let anvil: Anvil
let directory: string
let control: ControlDatabase
let wallet: Wallet & { close(): void }
let store: Project
let metrics: Metrics
const running: { stop(): Promise<void> }[] = []

async function setUp(flags: readonly string[] = []): Promise<void> {
  anvil = await startAnvil({ flags })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dispatcher-'))
  control = openControl(':memory:')
  control.prepare('INSERT INTO account VALUES (?, ?, ?, ?, 0, 0)').run(accountId, 'ADMIN', 'ENABLED', 'INIT')
  wallet = await openWallet({ directory }, { control, logger: silentLogger })
  const privateKey = fromHex(operator.privateKey)
  await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA', privateKey })
  store = new Project()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()))
  await anvil.stop()
  wallet.close()
  await rm(directory, { recursive: true })
})

/** The node's chain side, as after a start of the process. */
function open(options: Partial<DispatcherOptions> & { confirmations?: number; onSettled?: () => void } = {}) {
  const { confirmations, onSettled, ...rest } = options
  const chain = { chainID: 31337, name: 'anvil', endpoint: anvil.url, confirmations }
  const chains = openChains(
    { chains: parseChains(JSON.stringify([chain])), callTimeoutMs: 2000 },
    { control, wallet, logger: silentLogger },
  )
  metrics = createMetrics()
  const dispatcher = createDispatcher(
    { ...quick, ...rest },
    {
      chains,
      outboxOf: async () => store,
      projectName: () => 'eth_0x_weather',
      onSettled: async (_, id, outcome) => {
        onSettled?.()
        store.ends.set(toHex(id), outcome)
      },
      logger: silentLogger,
      metrics,
    },
  )
  running.push(dispatcher)
  return { chains, dispatcher }
}

function transfer(change: Partial<TransactionRequest> = {}): TransactionRequest {
  const base = { project, accountId, chainId: 31337n, chainName: '', to: other.address, data: '', operatorName: '' }
  return { ...base, value: 1n, ...change }
}

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 })
const ended = (row: OutboxRow) => until(() => expect(['CONFIRMED', 'FAILED']).toContain(store.row(row).state))
const endOf = (row: OutboxRow) => store.ends.get(toHex(row.id))

describe('the dispatcher', () => {
  it('sends in the order of nonces, tells the end of each, and counts sends', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await Promise.all([1, 2, 3].map(() => chains.sign(transfer())))
    const rows = signed.toReversed().map((transaction) => store.add(transaction))
    dispatcher.enqueue(project, rows)
    for (const row of rows) await ended(row)
    for (const [i, row] of rows.entries())
      expect(endOf(row)).toEqual({
        state: 'CONFIRMED',
        hash: signed.toReversed()[i]!.hash,
        blockNumber: expect.any(BigInt),
      })
    expect(await metrics.getSingleMetric('w3b_blockchain_tx_metrics')?.get()).toMatchObject({
      values: [{ value: 3, labels: { project: 'eth_0x_weather', chainID: '31337' } }],
    })
    dispatcher.enqueue(project, rows)
    expect(Number(await anvil.rpc('eth_getTransactionCount', operator.address, 'latest'))).toBe(3)
  })

  it('goes on after a restart with what the outbox holds, and reuses what was never committed', async () => {
    await setUp()
    const before = open()
    const [lost, kept] = [await before.chains.sign(transfer()), await before.chains.sign(transfer({ value: 2n }))]
    const row = store.add(kept)
    const after = open()
    after.dispatcher.enqueue(project, store.outboxPending())
    await after.dispatcher.start()
    const replacing = await after.chains.sign(transfer({ value: 3n }))
    expect(replacing.nonce).toBe(lost.nonce)
    const second = store.add(replacing)
    after.dispatcher.enqueue(project, [second])
    await ended(row)
    await ended(second)
    expect([endOf(row)?.state, endOf(second)?.state]).toEqual(['CONFIRMED', 'CONFIRMED'])
    expect((await after.chains.sign(transfer())).nonce).toBe(kept.nonce + 1)
  })

  it('finds the receipt of what was sent and confirmed before the process ended', async () => {
    await setUp()
    const signed = await open().chains.sign(transfer())
    await anvil.rpc('eth_sendRawTransaction', signed.raw)
    const row = store.add(signed, { state: 'PENDING' })
    const { dispatcher } = open()
    dispatcher.enqueue(project, [row])
    await dispatcher.start()
    await ended(row)
    expect(endOf(row)).toMatchObject({ state: 'CONFIRMED', hash: signed.hash })
  })

  it('keeps trying while the chain is away, says so, and sends when it is back', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    await anvil.stop()
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).attempts).toBeGreaterThan(2))
    expect(store.row(row)).toMatchObject({ state: 'INIT', detail: expect.stringContaining('CHAIN_UNREACHABLE') })
    anvil = await startAnvil({ port: anvil.port })
    await ended(row)
    expect(store.row(row)).toMatchObject({ state: 'CONFIRMED', detail: '' })
  })

  it('takes "already known" for sent', async () => {
    await setUp(['--no-mining'])
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await chains.sign(transfer())
    await anvil.rpc('eth_sendRawTransaction', signed.raw)
    const row = store.add(signed)
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).state).toBe('PENDING'))
    await anvil.rpc('evm_mine')
    await ended(row)
    expect(endOf(row)?.state).toBe('CONFIRMED')
  })

  it('sends again what the chain dropped', async () => {
    await setUp(['--no-mining'])
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await chains.sign(transfer())
    const row = store.add(signed)
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).state).toBe('PENDING'))
    expect(await anvil.rpc('anvil_dropTransaction', signed.hash)).toBe(signed.hash)
    await until(async () =>
      expect(await anvil.rpc('eth_getTransactionByHash', signed.hash)).toMatchObject({ hash: signed.hash }),
    )
    await anvil.rpc('evm_mine')
    await ended(row)
    expect(endOf(row)?.state).toBe('CONFIRMED')
  })

  it('waits for the confirmations that the chain is configured with', async () => {
    await setUp()
    const { chains, dispatcher } = open({ confirmations: 3 })
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row)).toMatchObject({ state: 'IN_BLOCK', detail: '1 of 3 confirmations' }))
    await anvil.rpc('anvil_mine', '0x2')
    await ended(row)
    expect(store.history).toEqual(['PENDING', 'IN_BLOCK', 'CONFIRMED'])
  })

  it('sends again what a reorganisation took out of its block', async () => {
    await setUp()
    const { chains, dispatcher } = open({ confirmations: 3 })
    await dispatcher.start()
    await anvil.rpc('anvil_mine', '0x3')
    const snapshot = await anvil.rpc('evm_snapshot')
    const row = store.add(await chains.sign(transfer()))
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).state).toBe('IN_BLOCK'))
    await anvil.rpc('evm_revert', snapshot)
    await until(() => expect(store.history.filter((state) => state === 'IN_BLOCK')).toHaveLength(2))
    await anvil.rpc('anvil_mine', '0x2')
    await ended(row)
    expect(store.history).toEqual(['PENDING', 'IN_BLOCK', 'PENDING', 'IN_BLOCK', 'CONFIRMED'])
  })

  it('reports a transaction that reverted in its block', async () => {
    await setUp()
    const token = await deploy(anvil, operator.privateKey, 'RewardToken', ['T', 'T', operator.address])
    const { chains, dispatcher } = open()
    await dispatcher.start()
    // Both estimates see the claim unpaid; the second then finds it paid to somebody else.
    const claim = keccak256('0x01')
    const pay = (to: Hex) =>
      encodeFunctionData({ abi: rewardTokenAbi, functionName: 'mintOnce', args: [claim, to, 1n] })
    const call = { to: token, value: 0n }
    const good = store.add(await chains.sign(transfer({ ...call, data: pay(other.address) })))
    const bad = store.add(await chains.sign(transfer({ ...call, data: pay(outsider.address) })))
    dispatcher.enqueue(project, [good, bad])
    await ended(good)
    await ended(bad)
    expect(endOf(good)?.state).toBe('CONFIRMED')
    expect(endOf(bad)).toMatchObject({ state: 'FAILED', detail: 'reverted', blockNumber: expect.any(BigInt) })
  })

  it('reports a transaction whose nonce somebody else used, and goes on behind it', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    await clientOf(anvil, operator.privateKey).sendTransaction({ to: outsider.address, value: 5n })
    dispatcher.enqueue(project, [row])
    await ended(row)
    expect(endOf(row)).toMatchObject({ state: 'FAILED', detail: 'nonce 0 was used by another transaction' })
    const next = store.add(await chains.sign(transfer()))
    dispatcher.enqueue(project, [next])
    await ended(next)
    expect(endOf(next)?.state).toBe('CONFIRMED')
  })

  it('waits for an account that cannot pay until it can', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    await anvil.rpc('anvil_setBalance', operator.address, '0x0')
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).detail).toMatch(/insufficient funds/i))
    expect(store.row(row).state).toBe('INIT')
    await anvil.rpc('anvil_setBalance', operator.address, '0xde0b6b3a7640000')
    await ended(row)
    expect(endOf(row)?.state).toBe('CONFIRMED')
  })

  it('gives up what the chain will never take, and uses its nonce for the next', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await chains.sign(transfer())
    const row = store.add(signed)
    await anvil.rpc('evm_setBlockGasLimit', '0x5000')
    dispatcher.enqueue(project, [row])
    await ended(row)
    expect(endOf(row)).toEqual({ state: 'FAILED', hash: signed.hash, detail: expect.stringContaining('gas') })
    await anvil.rpc('evm_setBlockGasLimit', '0x1c9c380')
    const next = store.add(await chains.sign(transfer()))
    dispatcher.enqueue(project, [next])
    await ended(next)
    expect(endOf(next)?.state).toBe('CONFIRMED')
    expect((await chains.sign(transfer())).nonce).toBe(signed.nonce + 1)
  })

  it('closes a gap that nobody else closes', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const [first, second] = [await chains.sign(transfer()), await chains.sign(transfer())]
    chains.release(first)
    const row = store.add(second)
    dispatcher.enqueue(project, [row])
    await ended(row)
    expect(endOf(row)?.state).toBe('CONFIRMED')
    expect((await chains.sign(transfer())).nonce).toBe(2)
  })

  it('follows a bounded number of transactions and reads the others from the outbox later', async () => {
    await setUp()
    const { chains, dispatcher } = open({ maxInFlight: 2 })
    const signed = await Promise.all(Array.from({ length: 9 }, () => chains.sign(transfer())))
    const rows = signed.toReversed().map((transaction) => store.add(transaction))
    dispatcher.enqueue(project, rows)
    await dispatcher.start()
    for (const row of rows) await ended(row)
    expect([...store.ends.values()].every((end) => end.state === 'CONFIRMED')).toBe(true)
    expect(store.reads).toBeGreaterThan(0)
  })

  it('tells an end again when it could not be handed on', async () => {
    await setUp()
    let calls = 0
    const { chains, dispatcher } = open({
      onSettled: () => {
        if (++calls === 1) throw new Error('busy')
      },
    })
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    dispatcher.enqueue(project, [row])
    await ended(row)
    expect(calls).toBe(2)
  })

  it('ends a damaged row as failed and passes over rows of other kinds', async () => {
    await setUp()
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await chains.sign(transfer())
    const damaged = store.add(signed, { local: encodeLocal({ ...signed, raw: '0x02' }) })
    const mqtt = store.add(signed, { kind: 'mqtt', local: '' })
    dispatcher.enqueue(project, [damaged, mqtt])
    await ended(damaged)
    expect(endOf(damaged)).toMatchObject({ state: 'FAILED', detail: expect.stringContaining('OUTBOX_CORRUPT') })
    expect(store.row(mqtt).state).toBe('INIT')
  })

  it('forgets a project, whose unsent nonces are free again', async () => {
    await setUp(['--no-mining'])
    const { chains, dispatcher } = open()
    const signed = await chains.sign(transfer())
    const row = store.add(signed)
    dispatcher.enqueue(project, [row])
    await dispatcher.forget(project)
    await dispatcher.start()
    const late = await chains.sign(transfer())
    expect(late.nonce).toBe(signed.nonce)
    dispatcher.enqueue(project, [store.add(late)])
    expect((await chains.sign(transfer())).nonce).toBe(signed.nonce)
    expect(store.row(row).state).toBe('INIT')
  })

  it('forgets a project that was sent for, and does not use its nonce again before the row tells', async () => {
    await setUp(['--no-mining'])
    const { chains, dispatcher } = open()
    await dispatcher.start()
    const signed = await chains.sign(transfer())
    const row = store.add(signed)
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).state).toBe('PENDING'))
    store.rows.set(toHex(row.id), row)
    await dispatcher.forget(project)
    expect((await chains.sign(transfer())).nonce).toBe(signed.nonce + 1)
  })

  it('forgets a project whose store is gone', async () => {
    await setUp()
    const { dispatcher } = open()
    store.outboxPending = () => {
      throw new Error('no such store')
    }
    await expect(dispatcher.forget(project)).resolves.toBeUndefined()
  })

  it('stops while the chain is away', async () => {
    await setUp()
    const { chains, dispatcher } = open({ retry: { minMs: 60_000, maxMs: 60_000 } })
    await dispatcher.start()
    const row = store.add(await chains.sign(transfer()))
    await anvil.stop()
    dispatcher.enqueue(project, [row])
    await until(() => expect(store.row(row).attempts).toBe(1))
    await dispatcher.stop()
    await dispatcher.stop()
    expect(store.row(row).state).toBe('INIT')
  })
})
