/**
 * Chains: reading at a call's behest, signing transactions before a commit, and sending them after it. Nothing is broadcast
 * before the batch that asked for it is on disk.
 */
import type { Hex, ProjectKey, Sfid } from '@w3bstream/protocol'
import type { OutboxRow } from '../database/database.ts'

/** A network of the chain table. */
export interface ChainConfig {
  /** Zero for chains that have none (Solana). */
  readonly chainID: number
  readonly name: string
  readonly endpoint: string
  /** Blocks, its own included, after which a transaction counts as final. @default 1 */
  readonly confirmations?: number
  readonly aaBundlerEndpoint?: string
  readonly aaPaymasterEndpoint?: string
  readonly aaEntryPointContractAddress?: string
  readonly aaAccountFactoryContractAddress?: string
}

export interface TransactionRequest {
  readonly project: ProjectKey
  readonly accountId: Sfid
  /** Zero: by name. */
  readonly chainId: bigint
  readonly chainName: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  /** Empty: the operator bound to the project, else the account's `default`. */
  readonly operatorName: string
}

/** A signed transaction that was not sent. */
export interface SignedTransaction {
  readonly chainId: bigint
  readonly chainName: string
  readonly hash: Hex
  readonly raw: Hex
  readonly nonce: number
  readonly from: Hex
  readonly to: Hex
  readonly value: bigint
  readonly data: Hex
  /** Name of the operator that signed. */
  readonly operator: string
  readonly operatorId: Sfid
}

/** What became of a transaction in the end. */
export interface TransactionOutcome {
  readonly state: 'CONFIRMED' | 'FAILED'
  readonly hash: Hex
  /** Absent when it never came into a block. */
  readonly blockNumber?: bigint
  /** Why it failed. */
  readonly detail?: string
}

/** A signed transaction as JSON, wei as decimal text: the local part of an outbox row, and an answer in the witness. */
export function encodeLocal(transaction: SignedTransaction): string {
  return JSON.stringify(transaction, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
}

/** Of that part only the hash may be shown: a signed transaction could be sent by its reader. */
export function localHash(local: string): string | undefined {
  if (local === '') return undefined
  const { hash } = JSON.parse(local) as { hash?: unknown }
  return typeof hash === 'string' ? hash : undefined
}

/** Sends what committed batches ask for, and follows it until it is final. */
export interface Dispatcher {
  /**
   * Takes rows of an outbox: after each commit, and before the start all that are pending. Rows of other kinds are passed
   * over. Never fails and never waits: what does not fit into memory is read from the outbox again when there is room.
   */
  enqueue(project: ProjectKey, rows: readonly OutboxRow[]): void
  /** Follows nothing of this project any longer; it is being removed. */
  forget(project: ProjectKey): Promise<void>
}

export interface Chains {
  list(): readonly ChainConfig[]
  /** Estimates, takes a nonce of the account, signs. @throws ChainError when it cannot be estimated, the chain or operator is unknown, or the chain does not answer */
  sign(request: TransactionRequest): Promise<SignedTransaction>
  /** Gives back the nonce of a transaction whose handler was rolled back: it is used next. */
  release(transaction: Pick<SignedTransaction, 'chainId' | 'from' | 'nonce'>): void
  /** @throws ChainError */
  call(request: { chainId: bigint; to: string; data: string }): Promise<Uint8Array>
  /** A transaction as the chain's client shows it, for `/system/read_tx`. @throws ChainError */
  readTransaction(request: { chainName: string; hash: string }): Promise<unknown>
}
