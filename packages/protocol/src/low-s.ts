import type { KeyType } from './device-key.ts'

/** Orders of the groups of the two ECDSA curves (SEC 2, 2.4.1 and 2.4.2). */
const orders: Readonly<Record<Exclude<KeyType, 'ed25519'>, bigint>> = {
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
}

/**
 * Whether s of an ECDSA signature r ‖ s is in the lower half. Both s and n − s are valid in ECDSA; accepting one of them
 * leaves an envelope with a single encoding, so nobody can make a second message id out of a signed message.
 */
export function isLowS(type: KeyType, signature: Uint8Array): boolean {
  return type === 'ed25519' || sOf(signature) <= orders[type] / 2n
}

/** The same signature with s in the lower half: hardware gives either. */
export function toLowS(type: KeyType, signature: Uint8Array): Uint8Array {
  if (type === 'ed25519' || isLowS(type, signature)) return signature
  const lower = signature.slice()
  const s = orders[type] - sOf(signature)
  const view = new DataView(lower.buffer, 32)
  for (let i = 0; i < 4; i++) view.setBigUint64(24 - 8 * i, BigInt.asUintN(64, s >> BigInt(64 * i)))
  return lower
}

function sOf(signature: Uint8Array): bigint {
  const view = new DataView(signature.buffer, signature.byteOffset + 32, 32)
  return [0, 8, 16, 24].reduce((value, offset) => (value << 64n) | view.getBigUint64(offset), 0n)
}
