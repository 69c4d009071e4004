import { W3bstreamError } from '@w3bstream/protocol'
import type { OperatorKeyType } from './wallet.ts'

/** What the wallet refuses or finds wrong. No fault ever carries a key, a part of one, or a passphrase. */
export type WalletFault =
  | { code: 'OPERATOR_EXISTS'; name: string }
  | { code: 'OPERATOR_NOT_FOUND'; operatorId: string }
  /** The operator signs for projects and so cannot be removed. */
  | { code: 'OPERATOR_BOUND'; operatorId: string; projects: readonly string[] }
  /** The project has an operator already. */
  | { code: 'PROJECT_BOUND'; projectId: string; operatorId: string }
  | { code: 'KEY_INVALID'; type: OperatorKeyType; wanted: string }
  /** `missing`: the keystore wants a passphrase and none was given; `mismatch`: another one was given. */
  | { code: 'PASSPHRASE_WRONG'; file: string; reason: 'missing' | 'mismatch' }
  | { code: 'KEYSTORE_CORRUPT'; file: string; detail: string }

export class WalletError extends W3bstreamError<WalletFault> {}
