import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { equalBytes, fromHex } from '@w3bstream/protocol'
import secp256k1 from 'secp256k1'
import { WalletError } from './errors.ts'
import type { OperatorKeyType } from './wallet.ts'

const wanted: Readonly<Record<OperatorKeyType, string>> = {
  ECDSA: '32 bytes as hexadecimal, a number from 1 to n - 1 of secp256k1',
  ED25519: '64 bytes as hexadecimal, the seed followed by its public key',
}

/**
 * A private key as people paste it: hexadecimal, with or without `0x`; for ED25519 the 64 bytes of seed and public key.
 * @throws WalletError KEY_INVALID, which does not repeat the text
 */
export function parsePrivateKey(text: string, type: OperatorKeyType): Uint8Array {
  return checkPrivateKey(decode(text.trim(), type), type)
}

function decode(text: string, type: OperatorKeyType): Uint8Array {
  try {
    return fromHex(text, type === 'ECDSA' ? 32 : 64)
  } catch {
    // The cause quotes the text, which may be all but one digit of a key: it is left out.
    throw invalid(type)
  }
}

/**
 * The 32 secret bytes of a key: the number of an ECDSA key, the seed of an ED25519 key.
 * @param key 32 bytes, or for ED25519 also 64 (seed and public key, which must fit)
 * @throws WalletError KEY_INVALID
 */
export function checkPrivateKey(key: Uint8Array, type: OperatorKeyType): Uint8Array {
  if (type === 'ECDSA') {
    if (key.length !== 32 || !secp256k1.privateKeyVerify(key)) throw invalid(type)
    return key.slice()
  }
  if (key.length !== 32 && key.length !== 64) throw invalid(type)
  const seed = key.slice(0, 32)
  if (key.length === 64 && !equalBytes(ed25519PublicKey(seed), key.subarray(32))) throw invalid(type)
  return seed
}

function invalid(type: OperatorKeyType): WalletError {
  return new WalletError({ code: 'KEY_INVALID', type, wanted: wanted[type] })
}

/** PrivateKeyInfo of an Ed25519 seed up to the seed itself (RFC 8410, section 7). */
const pkcs8Prefix = fromHex('302e020100300506032b657004220420')

export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
}

export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  const der = createPublicKey(ed25519PrivateKey(seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(-32))
}
