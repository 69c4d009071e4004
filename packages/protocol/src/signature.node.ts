import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { concatBytes, fromHex } from './bytes/hex.ts'
import { sha256 } from './bytes/sha256.node.ts'
import type { DeviceKey, KeyType } from './device-key.ts'

/** SubjectPublicKeyInfo up to the key itself (RFC 8410, RFC 5480 with a compressed point). */
const spki: Readonly<Record<KeyType, Uint8Array>> = {
  ed25519: fromHex('302a300506032b6570032100'),
  secp256k1: fromHex('3036301006072a8648ce3d020106052b8104000a032200'),
  p256: fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200'),
}

/** Parsing a key costs as much as half a verification, and devices come again: the latest are kept. */
const keptKeys = 4096
const keys = new Map<string, KeyObject>()

/**
 * Whether `signature` (64 bytes) was made under `key` over the SHA-256 of `preimage`; the build for Node.js.
 * `key` has passed `decodeDeviceKey`, ECDSA signatures `isLowS`.
 */
export function verifySignature(key: DeviceKey, signature: Uint8Array, preimage: Uint8Array): boolean {
  const object = keyObject(key)
  if (!object) return false
  if (key.type === 'ed25519') return verify(null, sha256(preimage), object, signature)
  return verify('sha256', preimage, { key: object, dsaEncoding: 'ieee-p1363' }, signature)
}

function keyObject({ type, publicKey }: DeviceKey): KeyObject | undefined {
  const name = type + Buffer.from(publicKey).toString('latin1')
  const known = keys.get(name)
  if (known) return known
  const object = parseKey(concatBytes(spki[type], publicKey))
  if (!object) return undefined
  if (keys.size >= keptKeys) keys.delete(keys.keys().next().value!)
  keys.set(name, object)
  return object
}

function parseKey(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  } catch {
    // Not a point of the curve.
    return undefined
  }
}
