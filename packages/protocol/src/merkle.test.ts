import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from './bytes/hex.ts'
import { keccakTree, leafHash, merklePath, merkleRoot, sha256Tree, verifyMerklePath } from './merkle.ts'

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)))

/** The recursive definition of RFC 9162 section 2.1.1, for comparison. */
function recursiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256Tree(Uint8Array.of(1), recursiveRoot(leaves.slice(0, split)), recursiveRoot(leaves.slice(split)))
}

describe('merkle tree', () => {
  it('gives the root of RFC 9162’s example trees', () => {
    // Inputs of the Certificate Transparency test data: "", 00, 10, 2021.
    const inputs = [[], [0x00], [0x10], [0x20, 0x21]].map((bytes) => leafHash(Uint8Array.from(bytes)))
    expect(toHex(merkleRoot([]))).toBe('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(toHex(merkleRoot(inputs.slice(0, 1)))).toBe(
      '0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
    expect(toHex(merkleRoot(inputs.slice(0, 2)))).toBe(
      '0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    )
    expect(toHex(merkleRoot(inputs.slice(0, 3)))).toBe(
      '0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    )
    expect(toHex(merkleRoot(inputs))).toBe('0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7')
  })

  it('agrees with the recursive definition at every size', () => {
    for (let size = 1; size <= 70; size++) expect(merkleRoot(leavesOf(size))).toEqual(recursiveRoot(leavesOf(size)))
  })

  it('proves every leaf, with both hash functions', () => {
    for (const hash of [sha256Tree, keccakTree])
      for (const size of [1, 2, 3, 5, 8, 13, 33]) {
        const leaves = leavesOf(size)
        const root = merkleRoot(leaves, hash)
        leaves.forEach((leaf, index) => {
          const path = merklePath(leaves, index, hash)
          expect(verifyMerklePath({ leaf, index, size, path, root }, hash)).toBe(true)
        })
      }
  })

  it('refuses another leaf, place, size, root, and a path that is longer, shorter or altered', () => {
    const place = fc
      .integer({ min: 2, max: 64 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(size - 1)))
    fc.assert(
      fc.property(place, ([size, index, other]) => {
        const leaves = leavesOf(size)
        const root = merkleRoot(leaves)
        const path = merklePath(leaves, index)
        const proof = { leaf: leaves[index]!, index, size, path, root }
        if (other !== index) {
          expect(verifyMerklePath({ ...proof, leaf: leaves[other]! })).toBe(false)
          expect(verifyMerklePath({ ...proof, index: other })).toBe(false)
        }
        expect(verifyMerklePath({ ...proof, index: size })).toBe(false)
        expect(verifyMerklePath({ ...proof, root: leaves[0]! })).toBe(false)
        expect(verifyMerklePath({ ...proof, path: path.slice(1) })).toBe(false)
        expect(verifyMerklePath({ ...proof, path: [...path, root] })).toBe(false)
        expect(verifyMerklePath({ ...proof, path: [root, ...path.slice(1)] })).toBe(false)
      }),
    )
  })
})
