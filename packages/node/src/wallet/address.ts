import { type Hex, keccakTree, toBase58, toHex } from '@w3bstream/protocol'
import secp256k1 from 'secp256k1'
import { ed25519PublicKey } from './private-key.ts'
import type { OperatorKeyType } from './wallet.ts'

/** What a key is known by on chains: a checksum address, or the public key in base58 (Solana). */
export function operatorAddress(secret: Uint8Array, type: OperatorKeyType): string {
  return type === 'ECDSA' ? checksumAddress(ethereumAddress(secret)) : toBase58(ed25519PublicKey(secret))
}

/** Lower-case address: the last 20 bytes of the hash of the public point. */
export function ethereumAddress(secret: Uint8Array): Hex {
  const point = secp256k1.publicKeyCreate(secret, false).subarray(1)
  return toHex(keccakTree(point).subarray(12))
}

/**
 * EIP-55. Computed here and not by viem because the first start makes addresses, and loading viem for that would cost it
 * a third of a second and 30 MB.
 */
export function checksumAddress(address: Hex): Hex {
  const digits = address.slice(2).toLowerCase()
  const hash = toHex(keccakTree(new TextEncoder().encode(digits))).slice(2)
  const mixed = [...digits].map((digit, i) => (Number.parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit))
  return `0x${mixed.join('')}`
}
