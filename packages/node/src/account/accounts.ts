import type { Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import { ApiError } from '../endpoint/api-error.ts'
import type { AccountIdentity } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Wallet } from '../wallet/wallet.ts'
import { AccessKeyStore, isAccessKey } from './access-key.ts'
import {
  type Account,
  type AccountRole,
  type AccountState,
  type Accounts,
  type AccountsOptions,
  type AdminOutcome,
  defaultAccountsOptions,
  type Login,
} from './account.ts'
import { AccountStore } from './account-store.ts'
import { LoginAttempts } from './attempts.ts'
import { signJwt, verifyJwt } from './jwt.ts'
import { LoginNonces } from './nonce.ts'
import { hashPassword, passwordLimits, randomPassword, verifyPassword } from './password.ts'
import { ResourceStore } from './resource.ts'
import { verifySiwe } from './siwe.ts'
import { TokenCache, TokenIdentity } from './token-cache.ts'
import { UploadedFileStore } from './uploaded-file.ts'

export interface AccountsDeps {
  readonly control: ControlDatabase
  readonly wallet: Pick<Wallet, 'createOperator' | 'operators'>
  /** Secret of this node under which login tokens are signed. */
  readonly signKey: Uint8Array
  readonly logger: Logger
  /** @default Date.now */
  readonly now?: () => number
}

/** How often the times at which access keys were used are written. */
const flushMs = 5000

export function createAccounts(deps: AccountsDeps, options: Partial<AccountsOptions> = {}): Accounts {
  return new ControlAccounts(deps, { ...defaultAccountsOptions, ...options })
}

class ControlAccounts implements Accounts {
  readonly name = 'accounts'
  readonly keys: AccessKeyStore
  readonly resources: ResourceStore
  readonly files: UploadedFileStore
  readonly #deps: AccountsDeps
  readonly #options: AccountsOptions
  readonly #now: () => number
  readonly #store: AccountStore
  readonly #attempts: LoginAttempts
  readonly #nonces: LoginNonces
  readonly #tokens = new TokenCache()
  readonly #whiteList: ReadonlySet<string>
  #flushing: NodeJS.Timeout | undefined

  constructor(deps: AccountsDeps, options: AccountsOptions) {
    this.#deps = deps
    this.#options = options
    this.#now = deps.now ?? Date.now
    this.#store = new AccountStore(deps.control, this.#now)
    this.keys = new AccessKeyStore(deps.control, this.#now, (accountId) => this.#tokens.revoke(accountId))
    this.resources = new ResourceStore(deps.control, this.#now)
    this.files = new UploadedFileStore(deps.control, this.#now)
    this.#attempts = new LoginAttempts(options.attempts, this.#now)
    this.#nonces = new LoginNonces(deps.control, deps.signKey, options.siwe.freshMs)
    this.#whiteList = new Set(options.whiteList.map((address) => address.toLowerCase()))
  }

  async start(): Promise<void> {
    this.#flushing ??= setInterval(() => this.#flush(), flushMs).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#flushing)
    this.#flushing = undefined
    this.#flush()
  }

  async ensureAdmin({ password }: { password?: string }): Promise<AdminOutcome> {
    const admin = this.#store.byIdentity('USERNAME', 'admin')
    if (!admin) {
      const chosen = password ?? randomPassword()
      await this.#create('admin', 'ADMIN', 'INIT', chosen)
      return password === undefined ? { created: true, password: chosen } : { created: true }
    }
    const hash = this.#store.passwordHash(admin.accountId)
    if (password === undefined || (hash && (await verifyPassword(password, hash))))
      return { created: false, passwordChanged: false }
    this.#store.setPassword(admin.accountId, await hashPassword(password))
    return { created: false, passwordChanged: true }
  }

  async loginByPassword(login: { username: string; password: string; address: string }): Promise<Login> {
    const { username, password, address } = login
    this.#attempts.check(username, address)
    const account = this.#store.byIdentity('USERNAME', username)
    const hash = account && this.#store.passwordHash(account.accountId)
    if (!account || !hash) {
      this.#attempts.failed(username, address)
      throw new ApiError('AccountIdentityNotFound')
    }
    await this.#checkPassword(username, password, hash, address, 'InvalidPassword')
    return this.#login(account)
  }

  async loginByWallet(login: { message: string; signature: string; address: string }): Promise<Login> {
    this.#attempts.check('wallet', login.address)
    try {
      const now = this.#now()
      const { address, nonce, expiresMs } = await verifySiwe(login.message, login.signature, this.#options.siwe, now)
      if (this.#whiteList.size > 0 && !this.#whiteList.has(address)) throw new ApiError('WhiteListForbidden', address)
      this.#nonces.use(nonce, expiresMs, now)
      return this.#login(await this.#ofWallet(address))
    } catch (error) {
      this.#attempts.failed('wallet', login.address)
      throw error
    }
  }

  issueNonce(): { nonce: string; expiresMs: number } {
    return this.#nonces.issue(this.#now())
  }

  async changePassword(change: {
    accountId: Sfid
    oldPassword: string
    password: string
    address: string
  }): Promise<void> {
    const { accountId, oldPassword, password, address } = change
    const hash = this.#store.passwordHash(accountId)
    if (!hash) throw new ApiError('AccountPasswordNotFound')
    this.#attempts.check(accountId, address)
    await this.#checkPassword(accountId, oldPassword, hash, address, 'InvalidOldPassword')
    const { minLength, maxLength } = passwordLimits
    if (password.length < minLength || password.length > maxLength || password === oldPassword)
      throw new ApiError('InvalidNewPassword', `a new password, of ${minLength} to ${maxLength} characters`)
    this.#store.setPassword(accountId, await hashPassword(password))
  }

  async register({ username, role }: { username: string; role: AccountRole }) {
    const password = randomPassword()
    return { account: await this.#create(username, role, 'SUBMIT', password), password }
  }

  account(accountId: Sfid): Account | undefined {
    return this.#store.byId(accountId)
  }

  setState(accountId: Sfid, state: AccountState): void {
    this.#store.setState(accountId, state)
    this.#tokens.revoke(accountId)
  }

  projectPrefix(accountId: Sfid): string {
    const address = this.#store.identity(accountId, 'ETHADDRESS')
    return address ? `eth_${address}_` : `aid_${accountId}_`
  }

  authenticateAccount(token: string): AccountIdentity | undefined {
    const known = this.#tokens.get(token)
    const identity = known ?? this.#verify(token)
    if (identity?.key) this.keys.used(identity.key)
    if (identity && !known) this.#tokens.set(token, identity)
    return identity
  }

  #verify(token: string): TokenIdentity | undefined {
    return token.startsWith('w3b') ? this.#verifyAccessKey(token) : this.#verifyLogin(token)
  }

  #verifyAccessKey(token: string): TokenIdentity | undefined {
    const key = this.keys.find(token)
    if (!key) {
      if (isAccessKey(token)) return undefined
      throw new ApiError('InvalidAccessKey')
    }
    const expiresMs = key.expiresMs ?? Number.POSITIVE_INFINITY
    if (expiresMs <= this.#now()) throw new ApiError('AccessKeyExpired', key.name)
    const { accountId, role } = this.#enabled(key.accountId)
    return new TokenIdentity({ accountId, role, key, expiresMs }, this.#now)
  }

  /** A token without expiry is a device's of old, whoever signed it. */
  #verifyLogin(token: string): TokenIdentity | undefined {
    const { Payload, exp } = verifyJwt(token, this.#deps.signKey, this.#now())
    if (exp === undefined) return undefined
    const { accountId, role } = this.#enabled(Payload)
    return new TokenIdentity({ accountId, role, expiresMs: exp * 1000 }, this.#now)
  }

  #enabled(accountId: Sfid): Account {
    const account = this.#store.byId(accountId)
    if (!account) throw new ApiError('InvalidAuthAccountID', accountId)
    if (account.state !== 'ENABLED') throw new ApiError('DisabledAccount')
    return account
  }

  async #checkPassword(
    who: string,
    password: string,
    hash: string,
    address: string,
    refusal: 'InvalidPassword' | 'InvalidOldPassword',
  ): Promise<void> {
    if (password.length > passwordLimits.maxLength || !(await verifyPassword(password, hash))) {
      this.#attempts.failed(who, address)
      throw new ApiError(refusal)
    }
    this.#attempts.succeeded(who, address)
  }

  #login(account: Account): Login {
    const { accountId, role } = this.#enabled(account.accountId)
    const { issuer, lifeMs } = this.#options.jwt
    const exp = Math.floor((this.#now() + lifeMs) / 1000)
    const token = signJwt({ Payload: accountId, iss: issuer, exp }, this.#deps.signKey)
    return { accountId, role, token, expiresMs: exp * 1000, issuer }
  }

  async #create(username: string, role: AccountRole, source: Account['source'], password: string): Promise<Account> {
    const passwordHash = await hashPassword(password)
    const account = this.#store.create({ role, source, identity: { type: 'USERNAME', id: username }, passwordHash })
    await this.#equip(account.accountId)
    return account
  }

  /** The account of a wallet; made at its first login. */
  async #ofWallet(address: string): Promise<Account> {
    const identity = { type: 'ETHADDRESS', id: address } as const
    const account =
      this.#store.byIdentity('ETHADDRESS', address) ??
      this.#store.create({ role: 'DEVELOPER', source: 'SUBMIT', identity })
    await this.#equip(account.accountId)
    return account
  }

  /** Gives an account its operator; at a later login, if the first one was cut short. */
  async #equip(accountId: Sfid): Promise<void> {
    const { wallet } = this.#deps
    if (wallet.operators(accountId).some(({ name }) => name === 'default')) return
    await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA' }).catch((error: unknown) => {
      // Two first logins at once: the other one made it.
      if ((error as { code?: unknown }).code !== 'OPERATOR_EXISTS') throw error
    })
  }

  #flush(): void {
    try {
      this.keys.flush()
    } catch (error) {
      this.#deps.logger.warn('times at which access keys were used could not be written', {}, error)
    }
  }
}
