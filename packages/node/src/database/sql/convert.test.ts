import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numberText, roundDecimal, toBytes, toDouble, toInteger } from './convert.ts'
import { formatTimestamp, parseTimestamp, truncateTimestamp } from './time.ts'

const micros = fc.bigInt({ min: parseTimestamp('0001-01-01'), max: parseTimestamp('9999-12-31T23:59:59.999999Z') })

describe('conversions', () => {
  it('gives every timestamp back', () => {
    fc.assert(
      fc.property(micros, (value) => {
        expect(parseTimestamp(formatTimestamp(value))).toBe(value)
      }),
    )
  })

  it('writes timestamps so that the text sorts as the time does, to the second', () => {
    fc.assert(
      fc.property(micros, micros, (a, b) => {
        const [x, y] = [a, b].map((value) => formatTimestamp(value).slice(0, 19)) as [string, string]
        if (a < b) expect(x <= y).toBe(true)
      }),
    )
  })

  it('truncates downwards', () => {
    const fields = fc.constantFrom('year', 'month', 'day', 'hour', 'minute', 'second')
    fc.assert(
      fc.property(fields, micros, (field, value) => {
        const cut = truncateTimestamp(field, value)
        expect(cut <= value && truncateTimestamp(field, cut) === cut).toBe(true)
      }),
    )
  })

  it.each([
    '',
    'today',
    '2024',
    '2024-13-01',
    '2023-02-29',
    '2024-01-01T24:00:00',
    '2024-01-01T10:00:00+1',
    '0000-01-01',
  ])('refuses the timestamp %j', (text) => {
    expect(() => parseTimestamp(text)).toThrow(expect.objectContaining({ code: 'SQL_FAILED' }))
  })

  it('gives numbers back from their text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(toDouble(numberText(value)) + 0).toBe(value + 0)
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(toInteger(numberText(value), 'bigint')).toBe(value)
      }),
    )
  })

  it('rounds decimals half away from zero', () => {
    expect([1.005, 2.675, -2.5, 0.1, 1e300].map((value) => roundDecimal(value, 2))).toEqual([
      1.01, 2.68, -2.5, 0.1, 1e300,
    ])
    expect(roundDecimal(-2.5, 0)).toBe(-3)
    expect(roundDecimal(1234, -2)).toBe(1200)
  })

  it.each(['1.5', 'x', '', '0x10', '99999999999999999999'])('refuses the integer %j', (text) => {
    expect(() => toInteger(text, 'bigint')).toThrow(expect.objectContaining({ code: 'SQL_FAILED' }))
  })

  it('reads bytes in hexadecimal or as text', () => {
    expect(toBytes('\\x00Ff')).toEqual(Uint8Array.of(0, 255))
    expect(toBytes('ab')).toEqual(Uint8Array.of(97, 98))
    expect(() => toBytes('\\x0')).toThrow(expect.objectContaining({ code: 'SQL_FAILED' }))
  })
})
