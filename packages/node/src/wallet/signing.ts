import { sign } from 'node:crypto'
import secp256k1 from 'secp256k1'
import { ed25519PrivateKey } from './private-key.ts'
import type { OperatorKeyType } from './wallet.ts'

/** secp256k1: r ‖ s ‖ v with low s and v 27 or 28. Ed25519: the 64 bytes of RFC 8032 over the digest as message. */
export function signDigest(secret: Uint8Array, type: OperatorKeyType, digest: Uint8Array): Uint8Array {
  if (digest.length !== 32) throw new RangeError(`digest: wanted 32 bytes, got ${digest.length}`)
  if (type === 'ED25519') return new Uint8Array(sign(null, digest, ed25519PrivateKey(secret)))
  const { signature, recid } = secp256k1.ecdsaSign(digest, secret)
  const joined = new Uint8Array(65)
  joined.set(signature)
  joined[64] = 27 + recid
  return joined
}
