import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Applet } from '../project/definition.ts'
import { canaryOf } from './canary.ts'

const start = (percent: number, startHeight = '7'): NonNullable<Applet['canary']> => ({
  version: 2,
  percent,
  startHeight,
  resourceId: '1',
  codeHash: 'cd'.repeat(32),
  md5: '',
  fileName: '',
})
const takes = (percent: number, publisherId: string, messageId = new Uint8Array(32), startHeight?: string) =>
  canaryOf('5', start(percent, startHeight), 'route').takes({ publisherId, messageId })
const devices = Array.from({ length: 10_000 }, (_, i) => String(1_000_000 + i))

describe('the share of a canary', () => {
  it('is near what was asked for', () => {
    for (const percent of [1, 10, 50, 90]) {
      const share = devices.filter((device) => takes(percent, device)).length / devices.length
      // Five standard deviations of a fair draw.
      expect(Math.abs(share - percent / 100)).toBeLessThan(0.025)
    }
    expect(devices.some((device) => takes(0, device))).toBe(false)
    expect(devices.every((device) => takes(100, device))).toBe(true)
  })

  it('only adds devices when it grows', () => {
    const share = fc.integer({ min: 0, max: 100 })
    fc.assert(
      fc.property(share, share, fc.bigInt({ min: 1n, max: 2n ** 63n }), (a, b, device) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)]
        return !takes(few, String(device)) || takes(many, String(device))
      }),
    )
  })

  it('does not depend on the message of a device, and on nothing else of a message that none sent', () => {
    const messages = devices.slice(0, 200).map((_, i) => new Uint8Array(32).fill(i))
    expect(new Set(messages.map((id) => takes(50, '77', id))).size).toBe(1)
    const sides = messages.map((id) => takes(50, '', id))
    expect(new Set(sides).size).toBe(2)
    expect(messages.map((id) => takes(50, '', id))).toEqual(sides)
  })

  it('is drawn anew for another canary', () => {
    const first = devices.filter((device) => takes(50, device))
    const both = first.filter((device) => takes(50, device, undefined, '8'))
    expect(both.length).toBeGreaterThan(0)
    expect(both.length).toBeLessThan(first.length)
  })
})
