/**
 * The wallet keeps keys: the node's own and the accounts' operators. They rest in encrypted files, are never logged, and
 * leave only when an owner asks for an export.
 */
import type { Hex, Sfid } from '@w3bstream/protocol'

export type OperatorKeyType = 'ECDSA' | 'ED25519'

/** An account's key on chains, without the key. */
export interface Operator {
  readonly operatorId: Sfid
  readonly accountId: Sfid
  readonly name: string
  readonly type: OperatorKeyType
  /** Checksum address, or base58 for ED25519. */
  readonly address: string
  readonly createdMs: number
  readonly updatedMs: number
}

export interface Wallet {
  /** Address of the node's own secp256k1 key, under which it signs commits. */
  readonly nodeAddress: Hex
  /** Signs a 32-byte digest with the node's key: r ‖ s ‖ v, 65 bytes, v 27 or 28. */
  signAsNode(digest: Uint8Array): Uint8Array
  /** HMAC-SHA-256 under a secret of this node; what tokens derive from. */
  derive(purpose: string, body: Uint8Array): Uint8Array
  /** @param privateKey generated when omitted. @throws WalletError OPERATOR_EXISTS, KEY_INVALID */
  createOperator(operator: {
    accountId: Sfid
    name: string
    type: OperatorKeyType
    privateKey?: Uint8Array
  }): Promise<Operator>
  operators(accountId: Sfid): readonly Operator[]
  operator(operatorId: Sfid): Operator | undefined
  /** @throws WalletError OPERATOR_NOT_FOUND */
  removeOperator(operatorId: Sfid): Promise<void>
  bindOperator(projectId: Sfid, operatorId: Sfid): Promise<void>
  unbindOperator(projectId: Sfid): Promise<void>
  boundOperator(projectId: Sfid): Operator | undefined
  /** Signs a digest with an operator's key; secp256k1 as r ‖ s ‖ v. Runs the key's use past the operator's limits. */
  signAsOperator(operatorId: Sfid, digest: Uint8Array): Promise<Uint8Array>
}
