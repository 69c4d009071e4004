import { concatBytes, toHex } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { checksumAddress } from './address.ts'
import { WalletError } from './errors.ts'
import { ed25519PublicKey, parsePrivateKey } from './private-key.ts'

const ecdsa = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const seed = new Uint8Array(32).fill(9)
const pair = concatBytes(seed, ed25519PublicKey(seed))

describe('parsePrivateKey', () => {
  it.each([ecdsa, `0x${ecdsa}`, `0X${ecdsa.toUpperCase()}`, ` ${ecdsa}\n`])('takes an ECDSA key as %j', (text) => {
    expect(toHex(parsePrivateKey(text, 'ECDSA'))).toBe(`0x${ecdsa}`)
  })

  it('takes an ED25519 key as seed and public key', () => {
    expect(parsePrivateKey(toHex(pair), 'ED25519')).toEqual(seed)
    expect(parsePrivateKey(toHex(pair).slice(2), 'ED25519')).toEqual(seed)
  })

  const n = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
  it.each([
    ['ECDSA', ''],
    ['ECDSA', ecdsa.slice(1)],
    ['ECDSA', `${ecdsa.slice(1)}g`],
    ['ECDSA', '0'.repeat(64)],
    ['ECDSA', n],
    ['ECDSA', toHex(pair)],
    ['ED25519', ecdsa],
    ['ED25519', toHex(concatBytes(seed, new Uint8Array(32)))],
  ] as const)('refuses for %s the text %j without repeating it', (type, text) => {
    let error: unknown
    try {
      parsePrivateKey(text, type)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(WalletError)
    expect(error).toMatchObject({ code: 'KEY_INVALID' })
    expect((error as WalletError).cause).toBeUndefined()
    if (text) expect(`${error} ${JSON.stringify(error)}`).not.toContain(text)
  })
})

describe('checksumAddress', () => {
  // Examples of EIP-55.
  it.each([
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('writes %s', (address) => {
    expect(checksumAddress(address.toLowerCase() as `0x${string}`)).toBe(address)
  })
})
