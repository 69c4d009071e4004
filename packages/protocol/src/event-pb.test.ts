import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './bytes/hex.ts'
import { ProtocolError } from './error.ts'
import { decodeEvent, encodeEvent } from './event-pb.ts'

const vector = '0x0a0b0a01411a015420012a0165120170'

describe('protobuf event', () => {
  it('writes and reads the published vector', () => {
    const event = { eventType: 'A', token: 'T', pubTime: 1, eventId: 'e', payload: new TextEncoder().encode('p') }
    expect(toHex(encodeEvent(event))).toBe(vector)
    expect(decodeEvent(fromHex(vector))).toEqual({ ...event, pubId: '', payload: fromHex('70') })
  })

  it('gives back what was written', () => {
    const text = fc.string({ unit: 'grapheme' })
    const event = fc.record({
      eventType: text,
      pubId: text,
      token: text,
      pubTime: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      eventId: text,
      payload: fc.uint8Array(),
    })
    fc.assert(
      fc.property(event, (value) => {
        expect(decodeEvent(encodeEvent(value))).toEqual(value)
      }),
    )
  })

  it('skips unknown fields and takes the last of repeated ones', () => {
    const twice = fromHex(`${vector}120171`)
    expect(new TextDecoder().decode(decodeEvent(twice).payload)).toBe('q')
    expect(decodeEvent(fromHex(`${vector}1a0178`)).token).toBe('T')
  })

  it('keeps a nested message in field 2 as bytes', () => {
    expect(toHex(decodeEvent(fromHex('0x0a031a015412020801')).payload)).toBe('0x0801')
  })

  it('refuses every truncation that cuts a field', () => {
    const bytes = fromHex(vector)
    for (let end = 1; end < bytes.length; end++) {
      if (end === 13) continue // exactly the header field
      expect(() => decodeEvent(bytes.subarray(0, end)), `${end}`).toThrow(ProtocolError)
    }
  })

  it.each([
    ['wrong wire type', '0x0801'],
    ['field number zero', '0x0200'],
    ['text that is not UTF-8', '0x0a041a02c328'],
    ['a group', '0x1b'],
    ['an endless number', '0x0a0d20ffffffffffffffffffffffff'],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeEvent(fromHex(hex))).toThrow(ProtocolError)
  })

  it('throws nothing but protocol errors on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeEvent(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
    )
  })
})
