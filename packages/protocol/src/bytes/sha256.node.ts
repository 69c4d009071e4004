import { createHash, hash } from 'node:crypto'

/** Short inputs of several parts are joined here: one call of the hash is cheaper than one per part. */
const scratch = new Uint8Array(4096)

/**
 * SHA-256 of the concatenation of `parts`; the build for Node.js.
 * A digest returned as text and copied is three times faster than a digest returned as a new Buffer, whose backing store
 * costs more than the hashing of a short message.
 */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const out = Buffer.allocUnsafe(32)
  out.write(parts.length === 1 ? hash('sha256', parts[0]!, 'binary') : joined(parts), 0, 32, 'binary')
  return out
}

function joined(parts: Uint8Array[]): string {
  let length = 0
  for (const part of parts) {
    if (length + part.length > scratch.length) return streamed(parts)
    scratch.set(part, length)
    length += part.length
  }
  return hash('sha256', scratch.subarray(0, length), 'binary')
}

function streamed(parts: Uint8Array[]): string {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest('binary')
}
