import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hashTypedData } from 'viem'
import { describe, expect, it } from 'vitest'
import { toHex } from './bytes/hex.ts'
import {
  type Commit,
  type CommitSignature,
  commitDigest,
  decodeCertificate,
  encodeCertificate,
  recoverSigner,
  verifyCertificate,
} from './commit.ts'

const word = (byte: number) => new Uint8Array(32).fill(byte)
const commit: Commit = {
  project: word(1),
  epoch: 3n,
  height: 77n,
  batch: word(2),
  receipts: word(3),
  effects: word(4),
  facts: word(5),
  state: word(6),
}

function sign(seed: number, of = commit): CommitSignature {
  const key = word(seed)
  const member = keccak_256(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12)
  const recovered = secp256k1.sign(commitDigest(of), key, { format: 'recovered', prehash: false })
  return { member, signature: Uint8Array.of(...recovered.subarray(1), recovered[0]! + 27) }
}
const ascending = (list: CommitSignature[]) => list.sort((a, b) => (toHex(a.member) < toHex(b.member) ? -1 : 1))

describe('commit', () => {
  it('has the digest that EIP-712 gives it', () => {
    const field = (name: string, type: string) => ({ name, type })
    const digest = hashTypedData({
      domain: { name: 'W3bstream', version: '1' },
      primaryType: 'Commit',
      types: {
        Commit: [
          field('project', 'bytes32'),
          field('epoch', 'uint64'),
          field('height', 'uint64'),
          ...['batch', 'receipts', 'effects', 'facts', 'state'].map((name) => field(name, 'bytes32')),
        ],
      },
      message: {
        ...(Object.fromEntries(
          Object.entries(commit).map(([k, v]) => [k, v instanceof Uint8Array ? toHex(v) : v]),
        ) as Record<string, never>),
      },
    })
    expect(toHex(commitDigest(commit))).toBe(digest)
  })

  it('is certified by a quorum of different members', () => {
    const signatures = ascending([sign(11), sign(12), sign(13)])
    const members = signatures.map((s) => s.member)
    expect(verifyCertificate({ commit, signatures }, members, 3)).toBe(true)
    expect(verifyCertificate({ commit, signatures }, members, 4)).toBe(false)
    expect(verifyCertificate({ commit, signatures: [signatures[0]!, signatures[0]!] }, members, 2)).toBe(false)
    expect(verifyCertificate({ commit, signatures }, members.slice(1), 1)).toBe(false)
  })

  it('is not certified when any part was altered', () => {
    const signatures = [sign(11)]
    const members = [signatures[0]!.member]
    for (const part of ['project', 'batch', 'receipts', 'effects', 'facts', 'state'] as const)
      expect(verifyCertificate({ commit: { ...commit, [part]: word(9) }, signatures }, members, 1)).toBe(false)
    expect(verifyCertificate({ commit: { ...commit, height: 78n }, signatures }, members, 1)).toBe(false)
    expect(verifyCertificate({ commit: { ...commit, epoch: 4n }, signatures }, members, 1)).toBe(false)
  })

  it('knows only one form of a signature', () => {
    const { member, signature } = sign(11)
    expect(recoverSigner(commitDigest(commit), signature)).toEqual(member)
    const order = secp256k1.Point.Fn.ORDER
    const s = BigInt(toHex(signature.subarray(32, 64)))
    const high = (order - s).toString(16).padStart(64, '0')
    const mirrored = Uint8Array.of(...signature.subarray(0, 32), ...Buffer.from(high, 'hex'), 55 - signature[64]!)
    expect(recoverSigner(commitDigest(commit), mirrored)).toBeUndefined()
    expect(recoverSigner(commitDigest(commit), signature.subarray(0, 64))).toBeUndefined()
    expect(recoverSigner(commitDigest(commit), Uint8Array.of(...new Uint8Array(64), 27))).toBeUndefined()
  })

  it('is read back from its certificate’s bytes', () => {
    const certificate = { commit, signatures: [sign(11), sign(12)] }
    expect(decodeCertificate(encodeCertificate(certificate))).toEqual(certificate)
    expect(() => decodeCertificate(encodeCertificate(certificate).subarray(0, -1))).toThrow(
      expect.objectContaining({ code: 'CODEC_TRUNCATED' }),
    )
  })
})
