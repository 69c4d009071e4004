import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SqlResult, SqlType, SqlValue } from '../../database/database.ts'
import { HostFault } from '../engine.ts'
import { parseSqlRequest } from './sql-request.ts'
import { encodeSqlResult } from './sql-result.ts'

const request = (params: string) => `{"statement":"S","params":${params}}`
const parse = (params: string) => parseSqlRequest(request(params)).params

describe('parseSqlRequest', () => {
  it('binds every type', () => {
    const text = `[{"int32":-5},{"int64":9223372036854775807},{"int64":-9223372036854775808},{"float32":0.1},{"float64":1.0},
      {"string":"ä"},{"bool":false},{"bytes":"aGk="},{"time":"2024-02-29T12:00:00.5+02:00"}]`
    expect(parse(text)).toEqual([
      { type: 'int32', value: -5n },
      { type: 'int64', value: 9223372036854775807n },
      { type: 'int64', value: -9223372036854775808n },
      { type: 'float32', value: Math.fround(0.1) },
      { type: 'float64', value: 1 },
      { type: 'string', value: 'ä' },
      { type: 'bool', value: false },
      { type: 'bytes', value: new Uint8Array([104, 105]) },
      { type: 'time', value: '2024-02-29T12:00:00.5+02:00' },
    ])
  })

  it('keeps every 64-bit integer exact, also beside long fractions', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(parse(`[{"int64":${value}},{"float64":0.1234567890123456789}]`)).toEqual([
          { type: 'int64', value },
          { type: 'float64', value: Number('0.1234567890123456789') },
        ])
      }),
    )
  })

  it('accepts base64 with and without padding, a null list, and the first type by precedence', () => {
    expect(parse('[{"bytes":"aGk"},{"bytes":""},{"string":"s","int32":1},{"int32":null,"bool":true}]')).toEqual([
      { type: 'bytes', value: new Uint8Array([104, 105]) },
      { type: 'bytes', value: new Uint8Array(0) },
      { type: 'int32', value: 1n },
      { type: 'bool', value: true },
    ])
    expect(parse('null')).toEqual([])
  })

  it.each([
    '{"int32":2147483648}',
    '{"int32":1.5}',
    '{"int32":"1"}',
    '{"int64":9223372036854775808}',
    '{"int64":1e30}',
    '{"int64":123456789012345678901234567890}',
    '{"float64":"1"}',
    '{"float64":1e999}',
    '{"string":5}',
    '{"bool":1}',
    '{"bytes":"a"}',
    '{"bytes":"a-b_"}',
    '{"bytes":"aGk=="}',
    '{"bytes":"aG=k"}',
    '{"time":"yesterday"}',
    '{"time":"2024-13-01T00:00:00Z"}',
    '{"uint8":5}',
    '{}',
    'null',
    '5',
    '[]',
  ])('refuses the parameter %s', (param) => {
    expect(() => parse(`[${param}]`)).toThrow(HostFault)
  })

  it.each(['', 'null', '[]', '{', '{"statement":"S"}', '{"params":[]}', '{"statement":5,"params":[]}', request('{}')])(
    'refuses the request %s',
    (text) => {
      expect(() => parseSqlRequest(text)).toThrow(HostFault)
    },
  )

  it('answers any text with a request or a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.json().map(request)), (text) => {
        try {
          parseSqlRequest(text)
        } catch (error) {
          expect(error).toBeInstanceOf(HostFault)
        }
      }),
    )
  })
})

describe('encodeSqlResult', () => {
  const result = (columns: [string, SqlType][], ...rows: SqlValue[][]): SqlResult => ({
    columns: columns.map(([name, type]) => ({ name, type })),
    rows,
    changes: 0,
  })

  it('has three shapes', () => {
    expect(encodeSqlResult(result([['a', 'integer']]))).toBe('')
    expect(encodeSqlResult(result([['a', 'integer']], [1n]))).toBe('{"a":1}')
    expect(encodeSqlResult(result([['a', 'integer']], [1n], [2n]))).toBe('[{"a":1},{"a":2}]')
  })

  it('sorts keys, keeps the last of equal names, and escapes them', () => {
    const columns: [string, SqlType][] = [
      ['b', 'text'],
      ['a"', 'text'],
      ['B', 'text'],
      ['b', 'text'],
    ]
    expect(encodeSqlResult(result(columns, ['1', '2', '3', '4']))).toBe('{"B":"3","a\\"":"2","b":"4"}')
  })

  it.each<[SqlType, SqlValue, string]>([
    ['integer', 5, '5'],
    ['bigint', 9223372036854775807n, '9223372036854775807'],
    ['real', 0.25, '0.25'],
    ['real', Number.POSITIVE_INFINITY, 'null'],
    ['real', 3n, '3'],
    ['text', 'ä"\n', '"ä\\"\\n"'],
    ['boolean', true, 'true'],
    ['boolean', 0n, 'false'],
    ['timestamp', '2024-01-01T00:00:00Z', '{"Time":"2024-01-01T00:00:00Z","Valid":true}'],
    ['timestamp', null, '{"Time":"0001-01-01T00:00:00Z","Valid":false}'],
    ['numeric', '12.50', '"12.50"'],
    ['bytes', Uint8Array.of(1, 255), '"\\\\x01ff"'],
    ['json', '{"a":1}', '"{\\"a\\":1}"'],
    ['text', null, 'null'],
    ['null', null, 'null'],
  ])('writes %s %s as %s', (type, value, wanted) => {
    expect(encodeSqlResult(result([['v', type]], [value]))).toBe(`{"v":${wanted}}`)
  })
})
