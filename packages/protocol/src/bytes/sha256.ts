import { sha256 as digest } from '@noble/hashes/sha2.js'

/** SHA-256 of the concatenation of `parts`; the portable build, for browsers. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = digest.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}
