import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { openControl } from '../database/control/control.ts'
import { MemoryWallet } from '../endpoint/http/testing/memory-wallet.ts'
import { newWallet, type SiweFields, signLogin } from '../endpoint/http/testing/siwe.ts'
import { silentLogger } from '../telemetry/logger.ts'
import type { Accounts, AccountsOptions } from './account.ts'
import { createAccounts } from './accounts.ts'
import { signJwt } from './jwt.ts'

const signKey = randomBytes(32)
const address = '10.0.0.1'
const minuteMs = 60_000

function open(options: Partial<AccountsOptions> = {}, control = openControl(':memory:'), wallet = new MemoryWallet()) {
  const clock = { ms: Date.now() }
  const accounts = createAccounts({ control, wallet, signKey, logger: silentLogger, now: () => clock.ms }, options)
  return { accounts, wallet, control, clock }
}

const byPassword = (accounts: Accounts, password: string, username = 'admin') =>
  accounts.loginByPassword({ username, password, address })

describe('the administrator', () => {
  it('gets a random password at the first start, and only then', async () => {
    const { accounts, control } = open()
    const first = await accounts.ensureAdmin({})
    if (!first.created || !first.password) throw new Error('no password was made')
    expect(first.password.length).toBeGreaterThanOrEqual(20)
    expect(await accounts.ensureAdmin({})).toEqual({ created: false, passwordChanged: false })
    await expect(byPassword(accounts, first.password)).resolves.toMatchObject({ role: 'ADMIN' })
    const { hash } = control.prepare('SELECT hash FROM account_password').get() as { hash: string }
    expect(hash).toMatch(/^scrypt\$/)
    expect(hash).not.toContain(first.password)
  })

  it('takes a given password, at later starts too', async () => {
    const { accounts } = open()
    expect(await accounts.ensureAdmin({ password: 'first password' })).toEqual({ created: true })
    expect(await accounts.ensureAdmin({ password: 'first password' })).toEqual({
      created: false,
      passwordChanged: false,
    })
    expect(await accounts.ensureAdmin({ password: 'other password' })).toEqual({
      created: false,
      passwordChanged: true,
    })
    await expect(byPassword(accounts, 'first password')).rejects.toMatchObject({ code: 'InvalidPassword' })
    await expect(byPassword(accounts, 'other password')).resolves.toBeDefined()
  })
})

describe('login by password', () => {
  it('refuses unknown names, long passwords, and those who guess', async () => {
    const { accounts, clock } = open({ attempts: { perAccount: 3, perAddress: 100, windowMs: minuteMs } })
    await accounts.ensureAdmin({ password: 'a good password' })
    await expect(byPassword(accounts, 'x', 'nobody')).rejects.toMatchObject({ code: 'AccountIdentityNotFound' })
    await expect(byPassword(accounts, 'x'.repeat(100_000))).rejects.toMatchObject({ code: 'InvalidPassword' })
    await expect(byPassword(accounts, 'wrong')).rejects.toMatchObject({ code: 'InvalidPassword' })
    await expect(byPassword(accounts, 'wrong')).rejects.toMatchObject({ code: 'InvalidPassword' })
    await expect(byPassword(accounts, 'a good password')).rejects.toMatchObject({ code: 'TooManyAttempts' })
    const elsewhere = { username: 'admin', password: 'a good password', address: '10.0.0.2' }
    await expect(accounts.loginByPassword(elsewhere)).resolves.toBeDefined()
    clock.ms += minuteMs
    await expect(byPassword(accounts, 'a good password')).resolves.toBeDefined()
  })

  it('ends a lock when its time is over, however often it was tried meanwhile', async () => {
    const { accounts, clock } = open({ attempts: { perAccount: 2, perAddress: 100, windowMs: minuteMs } })
    await accounts.ensureAdmin({ password: 'a good password' })
    for (let n = 0; n < 2; n++) await expect(byPassword(accounts, 'wrong')).rejects.toThrow()
    for (const password of ['a good password', 'wrong', 'a good password']) {
      clock.ms += minuteMs / 4
      await expect(byPassword(accounts, password)).rejects.toMatchObject({ code: 'TooManyAttempts' })
    }
    clock.ms += minuteMs / 4
    await expect(byPassword(accounts, 'a good password')).resolves.toBeDefined()
    // A login that succeeded forgets what failed before it.
    await expect(byPassword(accounts, 'wrong')).rejects.toMatchObject({ code: 'InvalidPassword' })
    await expect(byPassword(accounts, 'a good password')).resolves.toBeDefined()
    await expect(byPassword(accounts, 'wrong')).rejects.toMatchObject({ code: 'InvalidPassword' })
  })

  it('changes a password', async () => {
    const { accounts } = open()
    await accounts.ensureAdmin({ password: 'a good password' })
    const { accountId } = await byPassword(accounts, 'a good password')
    const change = (oldPassword: string, password: string) =>
      accounts.changePassword({ accountId, oldPassword, password, address })
    await expect(change('wrong', 'another password')).rejects.toMatchObject({ code: 'InvalidOldPassword' })
    await expect(change('a good password', 'short')).rejects.toMatchObject({ code: 'InvalidNewPassword' })
    await expect(change('a good password', 'a good password')).rejects.toMatchObject({ code: 'InvalidNewPassword' })
    await change('a good password', 'another password')
    await expect(byPassword(accounts, 'another password')).resolves.toBeDefined()
  })
})

describe('login tokens', () => {
  let world: ReturnType<typeof open>
  let token = ''
  let accountId = ''
  beforeEach(async () => {
    world = open()
    ;({ token, accountId } = await world.accounts.loginByWallet({ ...(await signLogin(newWallet())), address }))
  })
  const use = (text: string) => world.accounts.authenticateAccount(text)
  const code = (text: string) => {
    try {
      use(text)
      return 'accepted'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  it('may do everything until they expire', () => {
    const identity = use(token)
    expect(identity).toMatchObject({ type: 'account', accountId, role: 'DEVELOPER', valid: true })
    expect(identity?.permits('Project', 'READ_WRITE')).toBe(true)
    world.clock.ms += 61 * minuteMs
    expect(identity?.valid).toBe(false)
    expect(code(token)).toBe('InvalidToken')
  })

  it('are refused when anything of them was changed', () => {
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A'
      expect(code(token.slice(0, i) + other + token.slice(i + 1))).not.toBe('accepted')
    }
  })

  it.each([
    ['none', { alg: 'none' }],
    ['HS512', { alg: 'HS512' }],
    ['another', { alg: 'RS256' }],
  ])('are refused with algorithm %s', (_name, head) => {
    const [, claims, signature] = token.split('.')
    const header = Buffer.from(JSON.stringify(head)).toString('base64url')
    expect(code(`${header}.${claims}.${signature}`)).toBe('InvalidToken')
    expect(code(`${header}.${claims}.`)).toBe('InvalidToken')
  })

  it.each(['', 'x', 'a.b', 'a.b.c.d', '...', 'e30.e30.e30', `${'a'.repeat(5000)}.b.c`, 'é.ü.ß'])(
    'are refused as %j',
    (text) => {
      expect(code(text)).toBe('InvalidToken')
    },
  )

  it('of another node, another account, or without account are refused', () => {
    const exp = Math.floor(world.clock.ms / 1000) + 60
    expect(code(signJwt({ Payload: accountId, exp }, randomBytes(32)))).toBe('InvalidToken')
    expect(code(signJwt({ Payload: '123', exp }, signKey))).toBe('InvalidAuthAccountID')
    expect(code(signJwt({ Payload: '', exp }, signKey))).toBe('InvalidClaim')
  })

  it('without expiry are those of devices, not of accounts', () => {
    expect(use(signJwt({ Payload: accountId }, signKey))).toBeUndefined()
  })

  it('end when the account is disabled, and work again when it is enabled', async () => {
    const identity = use(token)
    world.accounts.setState(accountId, 'DISABLED')
    expect(identity?.valid).toBe(false)
    expect(code(token)).toBe('DisabledAccount')
    world.accounts.setState(accountId, 'ENABLED')
    expect(use(token)?.valid).toBe(true)
  })
})

describe('login by wallet', () => {
  const login = async (accounts: Accounts, fields: Partial<SiweFields> = {}, wallet = newWallet()) =>
    accounts.loginByWallet({ ...(await signLogin(wallet, fields)), address })

  it('makes an account, once, with an operator', async () => {
    const { accounts, wallet: keys } = open()
    const wallet = newWallet()
    const first = await login(accounts, {}, wallet)
    const second = await login(accounts, {}, wallet)
    expect(first).toMatchObject({ role: 'DEVELOPER', accountId: second.accountId })
    expect(accounts.projectPrefix(first.accountId)).toBe(`eth_${wallet.address.toLowerCase()}_`)
    expect(keys.operators(first.accountId)).toMatchObject([{ name: 'default', type: 'ECDSA' }])
  })

  it('never takes a nonce twice, over a restart neither', async () => {
    const { accounts, control } = open()
    const signed = { ...(await signLogin(newWallet(), { nonce: 'onlyOnce12345' })), address }
    await accounts.loginByWallet(signed)
    await expect(accounts.loginByWallet(signed)).rejects.toMatchObject({ code: 'InvalidEthLoginMessage' })
    const restarted = open({}, control).accounts
    await expect(restarted.loginByWallet(signed)).rejects.toMatchObject({ code: 'InvalidEthLoginMessage' })
    await expect(login(restarted, { nonce: 'onlyOnce12345' })).rejects.toMatchObject({ code: 'InvalidEthLoginMessage' })
  })

  it('takes one of two that come at once', async () => {
    const { accounts } = open()
    const signed = { ...(await signLogin(newWallet())), address }
    const results = await Promise.allSettled([accounts.loginByWallet(signed), accounts.loginByWallet(signed)])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('takes a nonce of the node while it is fresh', async () => {
    const { accounts, clock } = open()
    await expect(login(accounts, { nonce: accounts.issueNonce().nonce })).resolves.toBeDefined()
    const { nonce, expiresMs } = accounts.issueNonce()
    clock.ms = expiresMs + 1000
    const fields = { nonce, issuedAt: new Date(clock.ms), expirationTime: new Date(clock.ms + minuteMs) }
    await expect(login(accounts, fields)).rejects.toMatchObject({ code: 'InvalidEthLoginMessage' })
  })

  const now = Date.now()
  const at = (minutes: number) => new Date(now + minutes * minuteMs)
  it.each<[string, Partial<SiweFields>]>([
    ['another domain', { domain: 'evil.example' }],
    ['a domain that only begins alike', { domain: 'localhost.evil.example' }],
    ['another chain', { chainId: 1 }],
    ['an expiry that has passed', { expirationTime: at(-1) }],
    ['a time that has not come', { notBefore: at(5) }],
    ['an old message without expiry', { issuedAt: at(-20) }],
    ['a message of the future', { issuedAt: at(20) }],
  ])('refuses %s', async (_name, fields) => {
    const { accounts } = open({ siwe: { domains: ['localhost'], chainIds: [4690], freshMs: 10 * minuteMs } })
    await expect(login(accounts, fields)).rejects.toMatchObject({ code: 'InvalidEthLoginMessage' })
  })

  it('refuses texts that are no login message', async () => {
    const { accounts } = open()
    const { message, signature } = await signLogin(newWallet())
    const broken = [
      '',
      'hello',
      message.replace('Version: 1', 'Version: 2'),
      message.replace(/Nonce: .*/, 'Nonce: short'),
      message.replace(/Issued At: .*/, 'Issued At: yesterday'),
      message.replace(/Chain ID: .*/, 'Chain ID: one'),
      message.replace(/URI: .*\n/, ''),
      'x'.repeat(100_000),
    ]
    for (const text of broken)
      await expect(accounts.loginByWallet({ message: text, signature, address: text })).rejects.toMatchObject({
        code: 'InvalidEthLoginMessage',
      })
  })

  it('refuses signatures of others, tampered and malformed ones, and does not use up the nonce', async () => {
    const { accounts } = open()
    const wallet = newWallet()
    const { message, signature } = await signLogin(wallet)
    const foreign = await newWallet().signMessage({ message })
    for (const wrong of [foreign, `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`, '0x', 'zz', signature.slice(0, -2)])
      await expect(accounts.loginByWallet({ message, signature: wrong, address: wrong })).rejects.toMatchObject({
        code: 'InvalidEthLoginSignature',
      })
    await expect(accounts.loginByWallet({ message, signature, address })).resolves.toBeDefined()
  })

  it('keeps out who is not on the list', async () => {
    const friend = newWallet()
    const { accounts } = open({ whiteList: [friend.address] })
    await expect(login(accounts)).rejects.toMatchObject({ code: 'WhiteListForbidden' })
    await expect(login(accounts, {}, friend)).resolves.toBeDefined()
  })
})

describe('access keys', () => {
  const create = (world: ReturnType<typeof open>, accountId: string, expirationDays = 0) =>
    world.accounts.keys.create(accountId, 'k', { expirationDays, privileges: [{ name: 'Event', perm: 'READONLY' }] })
  const account = async (world: ReturnType<typeof open>) =>
    (await world.accounts.loginByWallet({ ...(await signLogin(newWallet())), address })).accountId

  it('may do what they were given, and are kept as a hash only', async () => {
    const world = open()
    const { token, key } = create(world, await account(world))
    expect(Buffer.from(token.slice(4), 'base64url').toString()).toMatch(/^1_\d{10}_[\x21-\x7e]{12}$/)
    const identity = world.accounts.authenticateAccount(token)
    expect(identity).toMatchObject({ accessKey: 'k', accountId: key.accountId })
    expect(identity?.permits('Event', 'READONLY')).toBe(true)
    expect(identity?.permits('Event', 'READ_WRITE')).toBe(false)
    expect(identity?.permits('Project', 'READONLY')).toBe(false)
    expect(identity?.permits('constructor', 'READONLY')).toBe(false)
    expect(JSON.stringify(world.control.prepare('SELECT * FROM access_key').all())).not.toContain(token)
  })

  it('are compared whole', async () => {
    const world = open()
    const { token } = create(world, await account(world))
    const [, seconds, random] = Buffer.from(token.slice(4), 'base64url')
      .toString()
      .split(/_(\d+)_/)
    const later = `w3b_${Buffer.from(`1_${Number(seconds) + 60}_${random}`).toString('base64url')}`
    expect(world.accounts.authenticateAccount(later)).toBeUndefined()
  })

  it('expire, change and end, also where they are in use', async () => {
    const world = open()
    const accountId = await account(world)
    const { token } = create(world, accountId, 1)
    const identity = world.accounts.authenticateAccount(token)
    world.accounts.keys.update(accountId, 'k', { privileges: [{ name: 'Event', perm: 'READ_WRITE' }] })
    expect(identity?.valid).toBe(false)
    expect(world.accounts.authenticateAccount(token)?.permits('Event', 'READ_WRITE')).toBe(true)
    world.clock.ms += 2 * 86_400_000
    expect(() => world.accounts.authenticateAccount(token)).toThrow(
      expect.objectContaining({ code: 'AccessKeyExpired' }),
    )
    world.accounts.keys.remove(accountId, 'k')
    expect(world.accounts.authenticateAccount(token)).toBeUndefined()
    expect(() => world.accounts.keys.get(accountId, 'k')).toThrow(
      expect.objectContaining({ code: 'AccessKeyNotFound' }),
    )
  })

  it('note their last use, which reaches the disk', async () => {
    const world = open()
    const accountId = await account(world)
    const { token } = create(world, accountId)
    world.accounts.authenticateAccount(token)
    expect(world.accounts.keys.get(accountId, 'k').lastUsedMs).toBe(world.clock.ms)
    await world.accounts.stop()
    expect(open({}, world.control).accounts.keys.get(accountId, 'k').lastUsedMs).toBe(world.clock.ms)
  })

  it.each(['w3b', 'w3bx', 'w3b-'])('are refused as %j', (text) => {
    expect(() => open().accounts.authenticateAccount(text)).toThrow(
      expect.objectContaining({ code: 'InvalidAccessKey' }),
    )
  })
})
