import { fromHex, type Hex, sfidFromBytes, toHex } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Service } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Operator, Wallet } from '../wallet/wallet.ts'
import type { ChainConfig, Chains, SignedTransaction, TransactionRequest } from './chain.ts'
import { ChainClient } from './chain-client.ts'
import { findChain } from './chain-table.ts'
import { type ContractCall, checkCall, checkHash, checkValue } from './contract-call.ts'
import { ChainError } from './errors.ts'
import { FeeOracle, type Fees } from './fees.ts'
import { type ChainAccount, NonceAllocator } from './nonces.ts'

export interface ChainsOptions {
  /** The chain table, from `parseChains`. */
  readonly chains: readonly ChainConfig[]
  /** How long a chain may take for one question of an applet, milliseconds. @default 3000, below the 5 s of a handler */
  readonly callTimeoutMs?: number
  /** The most that a transaction offers per gas, wei. @default none */
  readonly maxFeePerGas?: bigint
  /**
   * Gas above the estimate, per cent. The state may change between the estimate and the block; gas that is not used costs
   * nothing. @default 20
   */
  readonly gasMarginPercent?: number
}

export interface ChainsDeps {
  readonly control: ControlDatabase
  readonly wallet: Pick<Wallet, 'operators' | 'boundOperator' | 'signAsOperator'>
  readonly logger: Logger
}

/** What the dispatcher uses of the chains, besides the contract. */
export interface ChainAccess {
  readonly nonces: NonceAllocator
  /** @throws ChainError CHAIN_NOT_FOUND, CHAIN_UNSUPPORTED */
  client(chain: { chainId: bigint; chainName: string }): ChainClient
  /** Signs a transfer of nothing to itself under a nonce that others wait behind. */
  signFiller(waiting: SignedTransaction, nonce: number): Promise<SignedTransaction>
}

/** Opens the chains; endpoints are asked nothing until something is wanted of them. */
export function openChains(options: ChainsOptions, deps: ChainsDeps): Chains & Service & ChainAccess {
  return new EvmChains(options, deps)
}

class EvmChains implements Chains, Service, ChainAccess {
  readonly name = 'chains'
  readonly nonces: NonceAllocator
  readonly #options: ChainsOptions
  readonly #deps: ChainsDeps
  readonly #open = new Map<string, { client: ChainClient; fees: FeeOracle }>()

  constructor(options: ChainsOptions, deps: ChainsDeps) {
    this.#options = options
    this.#deps = deps
    this.nonces = new NonceAllocator(deps.control, deps.logger.child('chain'))
  }

  async start(): Promise<void> {}

  /** Connections are the HTTP client's, which lets them go when they are idle. */
  async stop(): Promise<void> {
    this.#open.clear()
  }

  list(): readonly ChainConfig[] {
    return this.#options.chains
  }

  client(chain: { chainId: bigint; chainName: string }): ChainClient {
    return this.#chain(chain).client
  }

  async sign(request: TransactionRequest): Promise<SignedTransaction> {
    const chain = this.#chain(request)
    const call = checkCall(request)
    const value = checkValue(request.value)
    const operator = this.#operator(request, chain.client.config)
    const from = operator.address.toLowerCase() as Hex
    const account: ChainAccount = { chainId: BigInt(chain.client.config.chainID), address: from }
    const [gas, fees, balance] = await Promise.all([
      this.#estimate(chain.client, { ...call, from, value }),
      chain.fees.fees(),
      chain.client.use((viem) => viem.getBalance({ address: from })),
      this.nonces.prepare(account, () => pendingCount(chain.client, from)),
    ])
    canPay(chain.client.config, balance, value + gas * (fees.type === 'legacy' ? fees.gasPrice : fees.maxFeePerGas))
    // The nonce comes last: whatever can fail for reasons outside has succeeded by now.
    const nonce = this.nonces.take(account)
    try {
      return await this.#signed(chain.client.config, operator, { ...call, value, gas, fees, nonce })
    } catch (error) {
      this.nonces.release(account, nonce)
      throw error
    }
  }

  release({ chainId, from, nonce }: Pick<SignedTransaction, 'chainId' | 'from' | 'nonce'>): void {
    this.nonces.release({ chainId, address: from }, nonce)
  }

  async call(request: { chainId: bigint; to: string; data: string }): Promise<Uint8Array> {
    const { client } = this.#chain({ chainId: request.chainId, chainName: '' })
    const call = checkCall(request)
    const chain = client.config.name
    const answer = await client.use(
      (viem) => viem.call(call),
      (reason) => ({ code: 'CALL_FAILED', chain, reason }),
    )
    return fromHex(answer.data ?? '0x')
  }

  async readTransaction(request: { chainName: string; hash: string }): Promise<unknown> {
    const { client } = this.#chain({ chainId: 0n, chainName: request.chainName })
    const hash = checkHash(request.hash)
    const found = await client.use((viem) => viem.request({ method: 'eth_getTransactionByHash', params: [hash] }))
    if (!found) throw new ChainError({ code: 'TX_NOT_FOUND', chain: client.config.name, hash })
    return found
  }

  async signFiller(waiting: SignedTransaction, nonce: number): Promise<SignedTransaction> {
    const chain = this.#chain(waiting)
    const { from, operator: name, operatorId } = waiting
    const call = { to: from, data: '0x', value: 0n } as const
    const [gas, fees] = await Promise.all([this.#estimate(chain.client, { ...call, from }), chain.fees.fees()])
    return this.#signed(chain.client.config, { name, operatorId, address: from }, { ...call, gas, fees, nonce })
  }

  #chain(named: { chainId: bigint; chainName: string }): { client: ChainClient; fees: FeeOracle } {
    const config = findChain(this.#options.chains, named)
    if (config.chainID === 0)
      throw new ChainError({ code: 'CHAIN_UNSUPPORTED', chain: config.name, wanted: 'an EVM chain' })
    const known = this.#open.get(config.name)
    if (known) return known
    const client = new ChainClient(config, this.#options.callTimeoutMs ?? 3000)
    const opened = { client, fees: new FeeOracle(client, this.#options.maxFeePerGas) }
    this.#open.set(config.name, opened)
    return opened
  }

  /** The one that is named, else the one bound to the project, else the account's `default`. */
  #operator({ project, accountId, operatorName }: TransactionRequest, config: ChainConfig): Operator {
    const projectId = sfidFromBytes(fromHex(project, 32))
    const bound = operatorName === '' ? this.#deps.wallet.boundOperator(projectId) : undefined
    const name = operatorName || 'default'
    const operator = bound ?? this.#deps.wallet.operators(accountId).find((candidate) => candidate.name === name)
    if (!operator) throw new ChainError({ code: 'TX_OPERATOR_UNKNOWN', operator: name })
    if (operator.type !== 'ECDSA')
      throw new ChainError({ code: 'TX_OPERATOR_TYPE', operator: operator.name, chain: config.name, wanted: 'ECDSA' })
    return operator
  }

  async #estimate(client: ChainClient, call: ContractCall & { from: Hex; value: bigint }): Promise<bigint> {
    const chain = client.config.name
    const { from: account, to, data, value } = call
    const gas = await client.use(
      (viem) => viem.estimateGas({ account, to, data, value }),
      (reason) => ({ code: 'TX_ESTIMATE_FAILED', chain, reason }),
    )
    // A plain transfer costs the same whatever the state is.
    return gas === 21_000n ? gas : (gas * BigInt(100 + (this.#options.gasMarginPercent ?? 20))) / 100n
  }

  async #signed(
    config: ChainConfig,
    operator: Pick<Operator, 'name' | 'operatorId' | 'address'>,
    fields: ContractCall & { value: bigint; gas: bigint; fees: Fees; nonce: number },
  ): Promise<SignedTransaction> {
    const { keccak256, serializeTransaction } = await import('viem')
    const { fees, ...rest } = fields
    const transaction = { ...rest, ...fees, chainId: config.chainID }
    const digest = fromHex(keccak256(serializeTransaction(transaction)))
    const signature = await this.#deps.wallet.signAsOperator(operator.operatorId, digest)
    const raw = serializeTransaction(transaction, {
      r: toHex(signature.subarray(0, 32)),
      s: toHex(signature.subarray(32, 64)),
      v: BigInt(signature[64]!),
      yParity: signature[64]! - 27,
    })
    const { to, value, data, nonce } = fields
    return {
      chainId: BigInt(config.chainID),
      chainName: config.name,
      hash: keccak256(raw),
      raw,
      nonce,
      from: operator.address.toLowerCase() as Hex,
      to,
      value,
      data,
      operator: operator.name,
      operatorId: operator.operatorId,
    }
  }
}

/** An estimate does not look at what the gas costs; a transaction that cannot be paid for would hold up those after it. */
function canPay(config: ChainConfig, balance: bigint, wanted: bigint): void {
  if (balance >= wanted) return
  const reason = `the account holds ${balance} wei and may need ${wanted}`
  throw new ChainError({ code: 'TX_ESTIMATE_FAILED', chain: config.name, reason })
}

function pendingCount(client: ChainClient, address: Hex): Promise<number> {
  return client.use((viem) => viem.getTransactionCount({ address, blockTag: 'pending' }))
}
