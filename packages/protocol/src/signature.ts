import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { sha256 } from '#sha256'
import { concatBytes, equalBytes } from './bytes/hex.ts'
import type { DeviceKey } from './device-key.ts'

/**
 * Whether `signature` (64 bytes) was made under `key` over the SHA-256 of `preimage`; the portable build, for browsers.
 * It accepts exactly what the build for Node.js accepts. `key` has passed `decodeDeviceKey`, ECDSA signatures `isLowS`.
 */
export function verifySignature(key: DeviceKey, signature: Uint8Array, preimage: Uint8Array): boolean {
  try {
    if (key.type === 'ed25519') return verifyEd25519(key.publicKey, signature, sha256(preimage))
    const curve = key.type === 'p256' ? p256 : secp256k1
    return curve.verify(signature, sha256(preimage), key.publicKey, { prehash: false, lowS: false, format: 'compact' })
  } catch {
    // The library throws for numbers out of range and for keys that are no point of the curve.
    return false
  }
}

/**
 * RFC 8032, 5.1.7, without the cofactor and comparing R as bytes, as OpenSSL does. The library's own `verify` multiplies
 * by the cofactor and so accepts signatures that OpenSSL refuses.
 */
function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  const { Point } = ed25519
  const R = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Point.Fn.ORDER) return false
  const k = littleEndian(sha512(concatBytes(R, publicKey, message))) % Point.Fn.ORDER
  const kA = Point.fromBytes(publicKey).multiplyUnsafe(k)
  return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(kA).toBytes(), R)
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte)
  return value
}
