import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { DeviceKey, KeyType } from './device-key.ts'

const curves: Readonly<Record<KeyType, { Point: { fromBytes(bytes: Uint8Array): unknown } }>> = {
  ed25519,
  secp256k1,
  p256,
}

/**
 * Whether a key that passed `decodeDeviceKey` is a point of its curve. Under one that is not, no signature verifies; to be
 * asked when a device is registered, since it costs as much as half a verification.
 */
export function isCurvePoint({ type, publicKey }: DeviceKey): boolean {
  try {
    curves[type].Point.fromBytes(publicKey)
    return true
  } catch {
    return false
  }
}
