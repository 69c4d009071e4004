import { keccak_256 } from '@noble/hashes/sha3.js'
import { sha256 } from '#sha256'
import { equalBytes } from './bytes/hex.ts'

/**
 * Binary Merkle tree of RFC 9162 section 2.1.1: leaves hashed behind 0x00, nodes behind 0x01, an uneven tree split at
 * the largest power of two. The second function is used where contracts check the path.
 */
export type HashFunction = (...parts: Uint8Array[]) => Uint8Array

export const sha256Tree: HashFunction = sha256
export const keccakTree: HashFunction = (...parts) => {
  const hash = keccak_256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** A leaf's hash. */
export function leafHash(content: Uint8Array, hash: HashFunction = sha256): Uint8Array {
  return hash(leafPrefix, content)
}

/** The root over leaf hashes; of no leaves, the hash of nothing. */
export function merkleRoot(leaves: readonly Uint8Array[], hash: HashFunction = sha256): Uint8Array {
  if (leaves.length === 0) return hash(new Uint8Array(0))
  // Level by level, an odd last node moving up unchanged, gives the same tree as the recursive definition.
  let level = leaves
  while (level.length > 1) {
    const next: Uint8Array[] = new Array((level.length + 1) >> 1)
    for (let i = 0; i + 1 < level.length; i += 2) next[i >> 1] = hash(nodePrefix, level[i]!, level[i + 1]!)
    if (level.length % 2 === 1) next[next.length - 1] = level[level.length - 1]!
    level = next
  }
  return level[0]!
}

/** The siblings from the leaf at `index` to the root, bottom first. */
export function merklePath(leaves: readonly Uint8Array[], index: number, hash: HashFunction = sha256): Uint8Array[] {
  if (index < 0 || index >= leaves.length) throw new RangeError(`leaf ${index} of ${leaves.length}`)
  const path: Uint8Array[] = []
  let level = leaves
  let at = index
  while (level.length > 1) {
    const sibling = level[at ^ 1]
    if (sibling) path.push(sibling)
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1]
      next.push(right ? hash(nodePrefix, level[i]!, right) : level[i]!)
    }
    level = next
    at >>= 1
  }
  return path
}

/** Whether `path` leads from `leaf`, number `index` of `size`, to `root`. RFC 9162 section 2.1.3.2. */
export function verifyMerklePath(
  proof: { leaf: Uint8Array; index: number; size: number; path: readonly Uint8Array[]; root: Uint8Array },
  hash: HashFunction = sha256,
): boolean {
  let { leaf: node, index: at } = proof
  if (at < 0 || at >= proof.size) return false
  let last = proof.size - 1
  for (const sibling of proof.path) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      node = hash(nodePrefix, sibling, node)
      while (at % 2 === 0 && at !== 0) {
        at >>= 1
        last >>= 1
      }
    } else node = hash(nodePrefix, node, sibling)
    at >>= 1
    last >>= 1
  }
  return last === 0 && equalBytes(node, proof.root)
}
