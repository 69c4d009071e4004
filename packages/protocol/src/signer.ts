import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { encodeDeviceKey, type KeyType } from './device-key.ts'
import { ProtocolError } from './error.ts'

/** Holds a device's key, or speaks to the chip that does. */
export interface Signer {
  /** The public key with its multicodec prefix. */
  readonly device: Uint8Array
  /**
   * Signs: 64 bytes, r ‖ s for ECDSA (either s). `digest` is the SHA-256 of `preimage`: ed25519 signs the digest as its
   * message, ECDSA takes it as the hash. Libraries that insist on hashing for themselves (WebCrypto) sign `preimage` by
   * ECDSA with SHA-256, which is the same.
   */
  sign(digest: Uint8Array, preimage: Uint8Array): Uint8Array | Promise<Uint8Array>
}

const curves = { ed25519, secp256k1, p256 }

/**
 * A signer with the key in memory.
 * @param secretKey 32 bytes
 * @throws ProtocolError CODEC_VALUE
 */
export function createSigner(type: KeyType, secretKey: Uint8Array): Signer {
  if (secretKey.length !== 32 || !curves[type].utils.isValidSecretKey(secretKey))
    // Never the key itself: errors are logged.
    throw new ProtocolError({ code: 'CODEC_VALUE', field: 'secretKey', value: 'bytes', wanted: `32 bytes for ${type}` })
  const key = secretKey.slice()
  return {
    device: encodeDeviceKey({ type, publicKey: curves[type].getPublicKey(key) }),
    sign: (digest) =>
      type === 'ed25519' ? ed25519.sign(digest, key) : curves[type].sign(digest, key, { prehash: false, lowS: true }),
  }
}
