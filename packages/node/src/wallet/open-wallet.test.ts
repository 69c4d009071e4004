import { verify } from 'node:crypto'
import { mkdtemp, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { fromBase58, fromHex, keccakTree, toHex } from '@w3bstream/protocol'
import secp256k1 from 'secp256k1'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlDatabase, openControl } from '../database/control/control.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { openWallet } from './open-wallet.ts'
import { ed25519PublicKey } from './private-key.ts'

const accountId = '11'
const digest = keccakTree(new TextEncoder().encode('a batch'))
/** The first account of every development chain; its address is known to everyone. */
const knownKey = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
const knownAddress = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

let directory: string
let control: ControlDatabase

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wallet-'))
  control = openControl(':memory:')
  control.prepare('INSERT INTO account VALUES (?, ?, ?, ?, 0, 0)').run(accountId, 'ADMIN', 'ENABLED', 'INIT')
})
afterEach(async () => {
  control.close()
  await rm(directory, { recursive: true })
})

const open = (passphrase?: string) => openWallet({ directory, passphrase }, { control, logger: silentLogger })

/** The address that made a signature r ‖ s ‖ v. */
function recover(signature: Uint8Array, hash: Uint8Array): string {
  const point = secp256k1.ecdsaRecover(signature.slice(0, 64), signature[64]! - 27, hash, false)
  return toHex(keccakTree(point.subarray(1)).subarray(12))
}

describe('the node’s own keys', () => {
  it('signs as the address it shows, the same after a restart', async () => {
    const first = await open()
    expect(recover(first.signAsNode(digest), digest)).toBe(first.nodeAddress)
    const second = await open()
    expect(second.nodeAddress).toBe(first.nodeAddress)
    expect(second.signAsNode(digest)).toEqual(first.signAsNode(digest))
  })

  it('derives the same bytes after a restart, others for another purpose, body or split of the two', async () => {
    const first = await open()
    const derived = first.derive('token', Uint8Array.of(1, 2))
    expect(derived).toHaveLength(32)
    expect((await open()).derive('token', Uint8Array.of(1, 2))).toEqual(derived)
    expect(first.derive('token', Uint8Array.of(1, 3))).not.toEqual(derived)
    expect(first.derive('other', Uint8Array.of(1, 2))).not.toEqual(derived)
    expect(first.derive('toke', Uint8Array.from([...'n'].map((c) => c.charCodeAt(0)).concat(1, 2)))).not.toEqual(
      derived,
    )
  })

  it('refuses a digest that is not 32 bytes', async () => {
    const wallet = await open()
    expect(() => wallet.signAsNode(new Uint8Array(31))).toThrow(RangeError)
  })
})

describe('operators', () => {
  it('shows a known key under its checksum address and signs with it, after a restart too', async () => {
    const wallet = await open()
    const operator = await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA', privateKey: knownKey })
    expect(operator.address).toBe(knownAddress)
    const again = await open()
    expect(again.operators(accountId)).toEqual([operator])
    expect(again.operator(operator.operatorId)).toEqual(operator)
    const signature = await again.signAsOperator(operator.operatorId, digest)
    expect(recover(signature, digest)).toBe(knownAddress.toLowerCase())
  })

  it('signs with an ED25519 key under its base58 address', async () => {
    const wallet = await open()
    const seed = new Uint8Array(32).fill(7)
    const privateKey = Uint8Array.from([...seed, ...ed25519PublicKey(seed)])
    const operator = await wallet.createOperator({ accountId, name: 'sol', type: 'ED25519', privateKey })
    const publicKey = fromBase58(operator.address, 64)
    expect(publicKey).toEqual(ed25519PublicKey(seed))
    const signature = await (await open()).signAsOperator(operator.operatorId, digest)
    const spki = Buffer.concat([fromHex('302a300506032b6570032100'), publicKey])
    expect(verify(null, digest, { key: spki, format: 'der', type: 'spki' }, signature)).toBe(true)
  })

  it.each(['ECDSA', 'ED25519'] as const)('makes an %s key when none is given', async (type) => {
    const wallet = await open()
    const { operatorId, address } = await wallet.createOperator({ accountId, name: 'made', type })
    expect(address.length).toBeGreaterThan(31)
    await expect(wallet.signAsOperator(operatorId, digest)).resolves.toHaveLength(type === 'ECDSA' ? 65 : 64)
  })

  it('refuses a second one of the same name, and then keeps no second key', async () => {
    const wallet = await open()
    await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA' })
    const files = await readdir(join(directory, 'keystore'))
    const both = [1, 2].map(() => wallet.createOperator({ accountId, name: 'racing', type: 'ECDSA' }))
    expect((await Promise.allSettled(both)).map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(wallet.createOperator({ accountId, name: 'default', type: 'ECDSA' })).rejects.toMatchObject({
      code: 'OPERATOR_EXISTS',
    })
    expect(await readdir(join(directory, 'keystore'))).toHaveLength(files.length + 1)
  })

  it.each([
    ['zero', new Uint8Array(32)],
    ['above the order', new Uint8Array(32).fill(255)],
    ['too short', new Uint8Array(31).fill(1)],
  ])('refuses an ECDSA key that is %s', async (_, privateKey) => {
    const wallet = await open()
    const request = { accountId, name: 'bad', type: 'ECDSA', privateKey } as const
    await expect(wallet.createOperator(request)).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(wallet.operators(accountId)).toEqual([])
  })

  it('refuses to remove a bound one, and removes row and key of a free one', async () => {
    const wallet = await open()
    const { operatorId } = await wallet.createOperator({ accountId, name: 'a', type: 'ECDSA' })
    await wallet.bindOperator('77', operatorId)
    expect(wallet.boundOperator('77')?.operatorId).toBe(operatorId)
    await expect(wallet.bindOperator('77', operatorId)).rejects.toMatchObject({ code: 'PROJECT_BOUND' })
    await expect(wallet.removeOperator(operatorId)).rejects.toMatchObject({
      fault: { code: 'OPERATOR_BOUND', projects: ['77'] },
    })
    await wallet.unbindOperator('77')
    await wallet.removeOperator(operatorId)
    expect(wallet.operator(operatorId)).toBeUndefined()
    expect(await readdir(join(directory, 'keystore'))).not.toContain(`operator-${operatorId}.json`)
    await expect(wallet.signAsOperator(operatorId, digest)).rejects.toMatchObject({ code: 'OPERATOR_NOT_FOUND' })
    await expect(wallet.bindOperator('77', operatorId)).rejects.toMatchObject({ code: 'OPERATOR_NOT_FOUND' })
    await expect(wallet.removeOperator(operatorId)).rejects.toMatchObject({ code: 'OPERATOR_NOT_FOUND' })
  })
})

describe('the keystore', () => {
  const mode = async (path: string) => (await stat(join(directory, path))).mode & 0o777

  it('is readable by its owner only and holds no key in clear', async () => {
    const wallet = await open()
    const { operatorId } = await wallet.createOperator({
      accountId,
      name: 'default',
      type: 'ECDSA',
      privateKey: knownKey,
    })
    expect(await mode('keystore')).toBe(0o700)
    expect(await mode('keystore.key')).toBe(0o600)
    for (const file of await readdir(join(directory, 'keystore'))) expect(await mode(`keystore/${file}`)).toBe(0o600)
    const text = await readFile(join(directory, 'keystore', `operator-${operatorId}.json`), 'utf8')
    expect(text).toContain(knownAddress)
    expect(text.toLowerCase()).not.toContain(toHex(knownKey).slice(2))
  })

  it('shows no key when it is printed', async () => {
    const wallet = await open()
    await wallet.createOperator({ accountId, name: 'default', type: 'ECDSA', privateKey: knownKey })
    expect(JSON.stringify(wallet)).toBe(JSON.stringify({ nodeAddress: wallet.nodeAddress }))
    expect(inspect(wallet, { depth: 9, showHidden: true })).toBe(`Wallet(${wallet.nodeAddress})`)
  })

  it('refuses a wrong passphrase, and the lack of one', async () => {
    await open('correct horse')
    await expect(open('correct hors')).rejects.toMatchObject({
      fault: { code: 'PASSPHRASE_WRONG', reason: 'mismatch' },
    })
    await expect(open()).rejects.toMatchObject({ fault: { code: 'PASSPHRASE_WRONG', reason: 'missing' } })
    expect(await readdir(directory)).toEqual(['keystore'])
  })

  it('moves from its key file under a passphrase that is given later', async () => {
    const before = await open()
    expect((await open('now with one')).nodeAddress).toBe(before.nodeAddress)
    expect(await readdir(directory)).toEqual(['keystore'])
    expect((await open('now with one')).nodeAddress).toBe(before.nodeAddress)
    await expect(open()).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG' })
  })

  it('says that the key file is missing or is another one', async () => {
    await open()
    await writeFile(join(directory, 'keystore.key'), 'ab'.repeat(32))
    await expect(open()).rejects.toMatchObject({ fault: { code: 'PASSPHRASE_WRONG', reason: 'mismatch' } })
    await writeFile(join(directory, 'keystore.key'), 'not a key')
    await expect(open()).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
    await unlink(join(directory, 'keystore.key'))
    await expect(open()).rejects.toMatchObject({ fault: { code: 'PASSPHRASE_WRONG', reason: 'missing' } })
  })

  it('makes no new master key while there are keys under the old one', async () => {
    await open()
    await unlink(join(directory, 'keystore', 'master.json'))
    await expect(open()).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
  })

  const tamper = async (file: string, change: (text: string) => string) => {
    const path = join(directory, 'keystore', file)
    await writeFile(path, change(await readFile(path, 'utf8')))
  }
  const flip = (field: string) => (text: string) =>
    text.replace(new RegExp(`("${field}": "0x)(.)`, 'g'), (_, head, digit) => head + (digit === '0' ? '1' : '0'))

  it.each([
    ['cut', (text: string) => text.slice(0, 40)],
    ['empty', () => ''],
    ['of a later version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['with an unknown field', (text: string) => text.replace('"version": 1', '"version": 1, "x": 1')],
    ['too long', (text: string) => text + ' '.repeat(20_000)],
    ['of another cipher text', flip('message')],
    ['of another tag', flip('tag')],
    ['of another address', (text: string) => text.replace(/"address": "0x..../, '"address": "0x0000')],
  ])('refuses a key file that is %s', async (_, change) => {
    await open()
    await tamper('node.json', change)
    await expect(open()).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
  })

  it('refuses a master key whose cost would take all memory', async () => {
    await open()
    await tamper('master.json', (text) => text.replace('"n": 1024', '"n": 1073741824'))
    await expect(open()).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
  })

  it('tells a damaged master key from a wrong passphrase', async () => {
    await open()
    await tamper('master.json', flip('tag'))
    await expect(open()).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
  })

  it('refuses an operator’s key in the place of another’s', async () => {
    const wallet = await open()
    const a = await wallet.createOperator({ accountId, name: 'a', type: 'ECDSA' })
    const b = await wallet.createOperator({ accountId, name: 'b', type: 'ECDSA' })
    const path = (id: string) => join(directory, 'keystore', `operator-${id}.json`)
    await rename(path(a.operatorId), path(b.operatorId))
    const again = await open()
    await expect(again.signAsOperator(b.operatorId, digest)).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
    await expect(again.signAsOperator(a.operatorId, digest)).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' })
  })
})
