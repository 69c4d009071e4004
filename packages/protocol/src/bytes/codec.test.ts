import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader, Writer } from './codec.ts'

const code = (fault: string) => expect.objectContaining({ code: fault })

describe('codec', () => {
  it('reads back what was written', () => {
    const parts = fc.record({
      small: fc.nat(255),
      uint: fc.maxSafeNat(),
      u64: fc.bigInt(0n, 2n ** 64n - 1n),
      i32: fc.integer(),
      bytes: fc.uint8Array({ maxLength: 300 }),
      text: fc.string({ unit: 'binary', maxLength: 200 }).filter((text) => text.isWellFormed()),
    })
    fc.assert(
      fc.property(parts, ({ small, uint, u64, i32, bytes, text }) => {
        const encoded = new Writer(1).u8(small).uint(uint).u64(u64).i32(i32).bytes(bytes).text(text).finish()
        const reader = new Reader(encoded)
        expect([reader.u8(), reader.uint(), reader.u64(), reader.i32()]).toEqual([small, uint, u64, i32])
        expect(reader.bytes('bytes', 300)).toEqual(bytes)
        expect(reader.text('text', 2000)).toBe(text)
        reader.end()
      }),
    )
  })

  it('has one encoding for a number', () => {
    expect(() => new Reader(Uint8Array.of(0x80, 0x00)).uint()).toThrow(code('CODEC_VALUE'))
    expect(() => new Reader(new Uint8Array(9).fill(0xff)).uint()).toThrow(code('CODEC_VALUE'))
    expect(() => new Writer().uint(-1)).toThrow(code('CODEC_VALUE'))
    expect(() => new Writer().uint(2 ** 53)).toThrow(code('CODEC_VALUE'))
  })

  it('refuses what is cut off, too long, left over or not UTF-8', () => {
    const text = new Writer().text('hello').finish()
    for (let cut = 0; cut < text.length; cut++)
      expect(() => new Reader(text.subarray(0, cut)).text('t', 10)).toThrow(code('CODEC_TRUNCATED'))
    expect(() => new Reader(text).text('t', 4)).toThrow(code('CODEC_LIMIT'))
    expect(() => new Reader(text).end()).toThrow(code('CODEC_TRAILING'))
    expect(() => new Reader(Uint8Array.of(2, 0xc3, 0x28)).text('t', 10)).toThrow(code('CODEC_VALUE'))
  })
})
