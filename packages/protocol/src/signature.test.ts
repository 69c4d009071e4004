import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 as portableSha256 } from './bytes/sha256.ts'
import { concatBytes, createSigner, type DeviceKey, decodeDeviceKey, equalBytes, keyTypes, sha256 } from './index.ts'
import { verifySignature as node } from './signature.node.ts'
import { verifySignature as portable } from './signature.ts'

const preimage = new TextEncoder().encode('what is signed')
const { Point } = ed25519
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')

function both(key: DeviceKey, signature: Uint8Array, bytes = preimage): boolean {
  const answers = [node(key, signature, bytes), portable(key, signature, bytes)]
  expect(answers[0]).toBe(answers[1])
  return answers[0]!
}

/** A signature by the formula, with a point of small order mixed into the key and into R. */
function ed25519With(keyTorsion: bigint, nonceTorsion: bigint): { key: DeviceKey; signature: Uint8Array } {
  const a = 12345678901234567890n
  const r = 98765432109876543210n
  const publicKey = Point.BASE.multiply(a).add(torsion.multiplyUnsafe(keyTorsion)).toBytes()
  const R = Point.BASE.multiply(r).add(torsion.multiplyUnsafe(nonceTorsion)).toBytes()
  const k = littleEndian(sha512(concatBytes(R, publicKey, sha256(preimage)))) % Point.Fn.ORDER
  const s = Point.Fn.toBytes(Point.Fn.create(r + k * a))
  return { key: { type: 'ed25519', publicKey }, signature: concatBytes(R, s) }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

describe('the two builds of verification', () => {
  for (const type of keyTypes) {
    it(`agree on good and on damaged signatures: ${type}`, async () => {
      const signer = createSigner(type, new Uint8Array(32).fill(11))
      const key = decodeDeviceKey(signer.device)
      const signature = await signer.sign(sha256(preimage), preimage)
      expect(both(key, signature)).toBe(true)
      expect(both(key, signature, new Uint8Array([1]))).toBe(false)
      fc.assert(
        fc.property(fc.nat({ max: 63 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const damaged = signature.slice()
          damaged[at]! ^= change
          expect(both(key, damaged)).toBe(false)
        }),
        { numRuns: 40 },
      )
    })

    it(`agree on any bytes as key and signature: ${type}`, () => {
      const size = type === 'ed25519' ? 32 : 33
      const bytes = fc.uint8Array({ minLength: size, maxLength: size })
      fc.assert(
        fc.property(
          bytes,
          fc.uint8Array({ minLength: 64, maxLength: 64 }),
          fc.boolean(),
          (publicKey, signature, odd) => {
            if (type !== 'ed25519') publicKey[0] = odd ? 3 : 2
            both({ type, publicKey }, signature)
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  it('agree on keys and nonces with a part of small order', () => {
    const verdicts = new Set<boolean>()
    for (let i = 0n; i < 8n; i++) {
      for (let j = 0n; j < 8n; j++) {
        const { key, signature } = ed25519With(i, j)
        verdicts.add(both(key, signature))
      }
    }
    expect(verdicts).toEqual(new Set([true, false]))
  })

  it('agree that s must be below the order of the group', () => {
    const { key, signature } = ed25519With(0n, 0n)
    expect(both(key, signature)).toBe(true)
    const s = littleEndian(signature.subarray(32)) + Point.Fn.ORDER
    const larger = signature.slice()
    for (let i = 0; i < 32; i++) larger[32 + i] = Number((s >> BigInt(8 * i)) & 255n)
    expect(both(key, larger)).toBe(false)
  })

  it('hash alike', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        expect(equalBytes(sha256(...parts), portableSha256(...parts))).toBe(true)
      }),
    )
  })
})

describe('keys of devices', () => {
  it('of small order are refused, all eight of them', () => {
    for (let i = 0n; i < 8n; i++) {
      const publicKey = torsion.multiplyUnsafe(i).toBytes()
      expect(() => decodeDeviceKey(concatBytes(Uint8Array.of(0xed, 1), publicKey))).toThrow(/large order/)
    }
  })
})
