import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anvil, deploy, devAccounts, startAnvil } from '@w3bstream/contracts/testing'
import { fromHex, type Hex, rewardTokenAbi, sfidFromBytes, toHex } from '@w3bstream/protocol'
import { decodeFunctionResult, encodeFunctionData, parseTransaction, recoverTransactionAddress } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ControlDatabase, openControl } from '../database/control/control.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { openWallet } from '../wallet/open-wallet.ts'
import type { Wallet } from '../wallet/wallet.ts'
import type { TransactionRequest } from './chain.ts'
import { encodeLocal } from './chain.ts'
import { parseChains } from './chain-table.ts'
import { type ChainsOptions, openChains } from './open-chains.ts'
import { decodeLocal } from './outbox.ts'

const accountId = '11'
const project = toHex(new Uint8Array(32).fill(3))
const [operator, other] = devAccounts

let anvil: Anvil
let legacy: Anvil
let silent: Server
let silentPort: number
let token: Hex
let directory: string
let control: ControlDatabase
let wallet: Wallet & { close(): void }

beforeAll(async () => {
  ;[anvil, legacy] = await Promise.all([
    startAnvil(),
    startAnvil({ chainId: 1337, flags: ['--hardfork', 'berlin', '--gas-price', '7'] }),
  ])
  token = await deploy(anvil, operator.privateKey, 'RewardToken', ['Weather', 'WTR', operator.address])
  // Takes connections and never answers.
  silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  silentPort = (silent.address() as { port: number }).port
})
afterAll(async () => {
  await Promise.all([anvil.stop(), legacy.stop()])
  silent.close()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chains-'))
  control = openControl(':memory:')
  control.prepare('INSERT INTO account VALUES (?, ?, ?, ?, 0, 0)').run(accountId, 'ADMIN', 'ENABLED', 'INIT')
  wallet = await openWallet({ directory }, { control, logger: silentLogger })
  const privateKey = fromHex(operator.privateKey)
  await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA', privateKey })
  return async () => {
    wallet.close()
    await rm(directory, { recursive: true })
  }
})

function open(options: Partial<ChainsOptions> = {}) {
  const chains = parseChains(
    JSON.stringify([
      { chainID: 31337, name: 'anvil', endpoint: anvil.url },
      { chainID: 1337, name: 'legacy', endpoint: legacy.url },
      { chainID: 2, name: 'misnumbered', endpoint: anvil.url },
      { chainID: 3, name: 'refusing', endpoint: 'http://127.0.0.1:1' },
      { chainID: 4, name: 'silent', endpoint: `http://127.0.0.1:${silentPort}` },
    ]),
  )
  return openChains({ chains, callTimeoutMs: 2000, ...options }, { control, wallet, logger: silentLogger })
}

function request(change: Partial<TransactionRequest> = {}): TransactionRequest {
  const data = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'mint', args: [other.address, 5n] })
  const base = { project, accountId, chainId: 31337n, chainName: '', to: token, value: 0n, data, operatorName: '' }
  return { ...base, ...change }
}

describe('sign', () => {
  it('signs what was asked for, sends nothing, and survives the outbox', async () => {
    const before = await anvil.rpc('eth_blockNumber')
    const signed = await open().sign(request())
    const parsed = parseTransaction(signed.raw)
    expect(parsed).toMatchObject({ type: 'eip1559', chainId: 31337, to: token, data: request().data })
    expect(parsed.maxFeePerGas).toBeGreaterThan(parsed.maxPriorityFeePerGas!)
    expect(await recoverTransactionAddress({ serializedTransaction: signed.raw as `0x02${string}` })).toBe(
      operator.address,
    )
    expect(decodeLocal(encodeLocal(signed))).toEqual(signed)
    expect(await anvil.rpc('eth_blockNumber')).toBe(before)
  })

  it('gives concurrent calls consecutive nonces, from the chain’s count on', async () => {
    const chains = open()
    const signed = await Promise.all([1, 2, 3, 4].map(() => chains.sign(request())))
    const first = Number(await anvil.rpc('eth_getTransactionCount', operator.address, 'latest'))
    expect(signed.map(({ nonce }) => nonce).sort((a, b) => a - b)).toEqual([0, 1, 2, 3].map((i) => first + i))
    expect(new Set(signed.map(({ hash }) => hash)).size).toBe(4)
  })

  it('uses a released nonce next', async () => {
    const chains = open()
    const [first, second] = [await chains.sign(request()), await chains.sign(request())]
    chains.release(first)
    expect((await chains.sign(request())).nonce).toBe(first.nonce)
    expect((await chains.sign(request())).nonce).toBe(second.nonce + 1)
  })

  it('takes no nonce when the chain would revert, and says why', async () => {
    const chains = open()
    const { nonce } = await chains.sign(request())
    const data = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'mint', args: [`0x${'00'.repeat(20)}`, 1n] })
    await expect(chains.sign(request({ data }))).rejects.toMatchObject({ code: 'TX_ESTIMATE_FAILED' })
    const poor = await wallet.createOperator({ accountId, name: 'poor', type: 'ECDSA' })
    const transfer = request({ operatorName: poor.name, to: other.address, data: '', value: 10n ** 18n })
    await expect(chains.sign(transfer)).rejects.toMatchObject({ code: 'TX_ESTIMATE_FAILED' })
    expect((await chains.sign(request())).nonce).toBe(nonce + 1)
  })

  it('gives the nonce back when the wallet does not sign', async () => {
    let broken = true
    const failing: Pick<Wallet, 'operators' | 'boundOperator' | 'signAsOperator'> = {
      operators: (id) => wallet.operators(id),
      boundOperator: (id) => wallet.boundOperator(id),
      signAsOperator: (id, digest) =>
        broken ? Promise.reject(new Error('locked')) : wallet.signAsOperator(id, digest),
    }
    const chains = openChains({ chains: open().list() }, { control, wallet: failing, logger: silentLogger })
    await expect(chains.sign(request())).rejects.toThrow('locked')
    broken = false
    const count = Number(await anvil.rpc('eth_getTransactionCount', operator.address, 'latest'))
    expect((await chains.sign(request())).nonce).toBe(count)
  })

  it('signs as the named operator, else as the project’s, else as the default one', async () => {
    const chains = open()
    const privateKey = fromHex(other.privateKey)
    const second = await wallet.createOperator({ accountId, name: 'second', type: 'ECDSA', privateKey })
    const transfer = request({ to: other.address, data: '' })
    expect((await chains.sign(transfer)).from).toBe(operator.address.toLowerCase())
    await wallet.bindOperator(sfidFromBytes(fromHex(project)), second.operatorId)
    expect(await chains.sign(transfer)).toMatchObject({ from: other.address.toLowerCase(), operator: 'second' })
    expect((await chains.sign({ ...transfer, operatorName: 'default' })).from).toBe(operator.address.toLowerCase())
  })

  it('offers a plain gas price where blocks have no base fee', async () => {
    const signed = await open().sign(request({ chainId: 0n, chainName: 'legacy', to: other.address, data: '0x' }))
    expect(parseTransaction(signed.raw)).toMatchObject({ type: 'legacy', chainId: 1337, gasPrice: 7n, gas: 21000n })
    expect(await legacy.rpc('eth_sendRawTransaction', signed.raw)).toBe(signed.hash)
  })

  it('offers no more than the cap, and nothing when that is below the base fee', async () => {
    const capped = await open({ maxFeePerGas: 1_500_000_000n }).sign(request())
    expect(parseTransaction(capped.raw).maxFeePerGas).toBe(1_500_000_000n)
    await expect(open({ maxFeePerGas: 1n }).sign(request())).rejects.toMatchObject({ code: 'TX_FEE_CAP' })
  })

  it.each([
    ['an unknown chain', { chainId: 99n }, 'CHAIN_NOT_FOUND'],
    ['an unknown name', { chainId: 0n, chainName: 'nowhere' }, 'CHAIN_NOT_FOUND'],
    ['a chain of another kind', { chainId: 0n, chainName: 'solana-devnet' }, 'CHAIN_UNSUPPORTED'],
    ['an endpoint of another chain', { chainId: 2n }, 'CHAIN_MISMATCH'],
    ['an endpoint that refuses', { chainId: 3n }, 'CHAIN_UNREACHABLE'],
    ['an endpoint that never answers', { chainId: 4n }, 'CHAIN_UNREACHABLE'],
    ['an unknown operator', { operatorName: 'nobody' }, 'TX_OPERATOR_UNKNOWN'],
    ['no recipient', { to: '' }, 'TX_INVALID'],
    ['a short recipient', { to: '0x1234' }, 'TX_INVALID'],
    ['odd data', { data: '0x123' }, 'TX_INVALID'],
    ['data that is no hexadecimal', { data: 'zz' }, 'TX_INVALID'],
    ['too much data', { data: '00'.repeat(128 * 1024 + 1) }, 'TX_INVALID'],
    ['a negative value', { value: -1n }, 'TX_INVALID'],
    ['a value above 256 bits', { value: 1n << 256n }, 'TX_INVALID'],
  ] as const)('refuses %s', async (_, change, code) => {
    await expect(open({ callTimeoutMs: 700 }).sign(request(change))).rejects.toMatchObject({ code })
  })

  it('refuses an operator whose key does not fit the chain', async () => {
    await wallet.createOperator({ accountId, name: 'sol', type: 'ED25519' })
    await expect(open().sign(request({ operatorName: 'sol' }))).rejects.toMatchObject({ code: 'TX_OPERATOR_TYPE' })
  })

  it('takes data without prefix and addresses in any case', async () => {
    const { data } = request()
    const signed = await open().sign(request({ data: data.slice(2).toUpperCase(), to: token.toUpperCase() }))
    expect(signed).toMatchObject({ data, to: token.toLowerCase() })
  })

  it('does not tell the endpoint, whose path may be a key', async () => {
    const chains = parseChains(JSON.stringify([{ chainID: 5, name: 'x', endpoint: 'http://127.0.0.1:1/secret-key' }]))
    const opened = openChains({ chains }, { control, wallet, logger: silentLogger })
    const error = await opened.sign(request({ chainId: 5n })).catch((caught: unknown) => caught)
    expect(`${error} ${JSON.stringify(error)} ${(error as Error).cause}`).not.toContain('secret-key')
  })
})

describe('call', () => {
  it('returns what the contract returned', async () => {
    const data = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'symbol' })
    const bytes = await open().call({ chainId: 31337n, to: token, data: data.slice(2) })
    expect(decodeFunctionResult({ abi: rewardTokenAbi, functionName: 'symbol', data: toHex(bytes) })).toBe('WTR')
  })

  it('returns nothing from an address without code, and the reason of a revert', async () => {
    expect(await open().call({ chainId: 31337n, to: other.address, data: '' })).toHaveLength(0)
    await expect(open().call({ chainId: 31337n, to: token, data: '0x12345678' })).rejects.toMatchObject({
      code: 'CALL_FAILED',
    })
  })
})

describe('readTransaction', () => {
  it('shows a transaction as the chain does', async () => {
    const signed = await open().sign(request())
    await anvil.rpc('eth_sendRawTransaction', signed.raw)
    expect(await open().readTransaction({ chainName: 'anvil', hash: signed.hash })).toMatchObject({
      hash: signed.hash,
      input: signed.data,
      nonce: `0x${signed.nonce.toString(16)}`,
    })
  })

  it('refuses what is no hash and says when there is none', async () => {
    const hash = `0x${'ab'.repeat(32)}`
    await expect(open().readTransaction({ chainName: 'anvil', hash })).rejects.toMatchObject({ code: 'TX_NOT_FOUND' })
    await expect(open().readTransaction({ chainName: 'anvil', hash: 'x' })).rejects.toMatchObject({
      code: 'TX_INVALID',
    })
  })
})
