/**
 * Accounts: who may manage projects, and how they show it. A password (the administrator), a wallet (everybody else), and
 * access keys with scopes. Secrets are kept as hashes only; a token's owner, role and state are checked at each use.
 */
import type { Sfid } from '@w3bstream/protocol'
import type { AccountIdentity, Service } from '../endpoint/endpoint.ts'
import type { AccessKeys } from './access-key.ts'
import type { Resources } from './resource.ts'
import type { UploadedFiles } from './uploaded-file.ts'

export type AccountRole = 'ADMIN' | 'DEVELOPER'
export type AccountState = 'ENABLED' | 'DISABLED'

export interface Account {
  readonly accountId: Sfid
  readonly role: AccountRole
  readonly state: AccountState
  /** `INIT`: made at the node's first start; `SUBMIT`: came by itself or was registered. */
  readonly source: 'INIT' | 'SUBMIT'
  readonly createdMs: number
  readonly updatedMs: number
}

export interface AccountsOptions {
  readonly jwt: {
    /** @default 'w3bstream' */
    readonly issuer: string
    /** Life of a login, milliseconds. @default 3_600_000 (an hour) */
    readonly lifeMs: number
  }
  readonly siwe: {
    /**
     * Who may ask for a login: host names, with a port to allow only that one. The name is that of the page in which the
     * wallet signs, so it cannot be taken from the request. @default the names of this machine itself
     */
    readonly domains: readonly string[]
    /** Chains that the message may name. Empty: any. @default [] */
    readonly chainIds: readonly number[]
    /** How old a message without expiration time may be, and an issued nonce, milliseconds. @default 600_000 (10 minutes) */
    readonly freshMs: number
  }
  /** Addresses that may log in by wallet. Empty: everyone. @default [] */
  readonly whiteList: readonly string[]
  readonly attempts: {
    /** Failed logins of one account from one address, within the window. @default 10 */
    readonly perAccount: number
    /** Failed logins from one address, within the window. @default 100 */
    readonly perAddress: number
    /** @default 300_000 (5 minutes) */
    readonly windowMs: number
  }
}

export const defaultAccountsOptions: AccountsOptions = {
  jwt: { issuer: 'w3bstream', lifeMs: 3_600_000 },
  siwe: { domains: ['localhost', '127.0.0.1', '[::1]'], chainIds: [], freshMs: 600_000 },
  whiteList: [],
  attempts: { perAccount: 10, perAddress: 100, windowMs: 300_000 },
}

/** What a login answers. */
export interface Login {
  readonly accountId: Sfid
  readonly role: AccountRole
  readonly token: string
  readonly expiresMs: number
  readonly issuer: string
}

/** What became of the administrator's account at a start. */
export type AdminOutcome =
  | { readonly created: false; readonly passwordChanged: boolean }
  /** `password` only when it was made up here: to be shown once, it is not kept. */
  | { readonly created: true; readonly password?: string }

export interface Accounts extends Service {
  readonly keys: AccessKeys
  readonly resources: Resources
  readonly files: UploadedFiles
  /** Makes the account `admin` at the first start; a given password is set at each start. */
  ensureAdmin(options: { password?: string }): Promise<AdminOutcome>
  /** @throws ApiError AccountIdentityNotFound, InvalidPassword, DisabledAccount, TooManyAttempts */
  loginByPassword(login: { username: string; password: string; address: string }): Promise<Login>
  /**
   * Login by EIP-4361 message; an unknown wallet gets an account.
   * @throws ApiError InvalidEthLoginMessage, InvalidEthLoginSignature, WhiteListForbidden, DisabledAccount, TooManyAttempts
   */
  loginByWallet(login: { message: string; signature: string; address: string }): Promise<Login>
  /** A nonce for a login message. Nothing is kept until it is used. */
  issueNonce(): { nonce: string; expiresMs: number }
  /** @throws ApiError InvalidOldPassword, InvalidNewPassword, AccountPasswordNotFound, TooManyAttempts */
  changePassword(change: { accountId: Sfid; oldPassword: string; password: string; address: string }): Promise<void>
  /** A further account with a name, and its password, which is not kept. @throws ApiError AccountIdentityConflict */
  register(account: { username: string; role: AccountRole }): Promise<{ account: Account; password: string }>
  account(accountId: Sfid): Account | undefined
  /** Takes effect on tokens in use. @throws ApiError AccountNotFound */
  setState(accountId: Sfid, state: AccountState): void
  /** What stands before the names of an account's projects: `eth_<address>_` or `aid_<account>_`. */
  projectPrefix(accountId: Sfid): string
  /**
   * Whose token this is; `undefined` when it is well-formed and no account's (a device's, perhaps).
   * @throws ApiError InvalidToken, InvalidAccessKey, AccessKeyExpired, DisabledAccount, InvalidAuthAccountID
   */
  authenticateAccount(token: string): AccountIdentity | undefined
}
