import { describe, expect, it } from 'vitest'
import { createSigner, decodeDeviceKey, encodeDeviceKey, isCurvePoint, keyTypes } from './index.ts'

describe('points', () => {
  it.each(keyTypes)('of %s are told from other bytes', (type) => {
    const key = decodeDeviceKey(createSigner(type, new Uint8Array(32).fill(7)).device)
    expect(isCurvePoint(key)).toBe(true)
    // About half of all coordinates belong to no point.
    const others = Array.from({ length: 40 }, (_, i) => {
      const publicKey = key.publicKey.slice()
      publicKey[publicKey.length >> 1] = i
      return decodeDeviceKey(encodeDeviceKey({ type, publicKey }))
    })
    expect(new Set(others.map(isCurvePoint))).toEqual(new Set([true, false]))
  })
})
