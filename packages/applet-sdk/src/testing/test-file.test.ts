import { describe, expect, it } from 'vitest'
import { AppletSdkError } from '../errors.ts'
import { parseTestFile } from './test-file.ts'

function mistakes(value: unknown): readonly string[] {
  try {
    parseTestFile('x.test.json', typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    if (error instanceof AppletSdkError && error.code === 'TEST_FILE_INVALID') return error.details
    throw error
  }
  return []
}

describe('parseTestFile', () => {
  it('takes a test with everything', () => {
    const test = {
      description: 'd',
      env: { A: 'b' },
      database: { schemas: [{ tables: [{ name: 't', cols: [{ name: 'a', constrains: { datatype: 'TEXT' } }] }] }] },
      reads: [{ chainId: 1, to: '0x00', data: '0x', returns: '00' }],
      answers: [{ path: '/system/hello', statusCode: 200, body: '' }],
      refuseTransactions: false,
      events: [
        {
          handler: 'start',
          payload: { any: [1] },
          topic: 't',
          device: 'd',
          signed: true,
          expect: {
            code: 0,
            logs: ['*'],
            kv: {
              a: null,
              b: 'text',
              c: { i32: 1 },
              d: { i64: '9223372036854775807' },
              e: { f64: 0.5 },
              f: { bool: true },
              g: { hex: '0x00' },
            },
            transactions: [{ chainId: 1, value: '0' }],
            mqtt: [{ topic: 't', payload: {} }],
            metrics: [{}],
            apiCalls: ['/system/hello'],
            rows: [{ query: 'SELECT 1', are: [{ a: 1 }] }],
          },
        },
      ],
    }
    expect(mistakes(test)).toEqual([])
  })

  it('names every mistake with its place', () => {
    const test = {
      descripton: 'typo',
      env: { A: 1 },
      reads: [{ to: '0xzz' }],
      events: [
        { handler: 1, payloadHex: 'abc', expect: { code: 0.5, kv: { a: { i32: 1, f64: 2 }, b: { i64: 'x' } } } },
        {},
      ],
    }
    expect(mistakes(test).map((line) => line.split(':')[0])).toEqual([
      'test.descripton',
      'test.env.A',
      'test.reads[0].to',
      'test.events[0].handler',
      'test.events[0].payloadHex',
      'test.events[0].expect.code',
      'test.events[0].expect.kv.a',
      'test.events[0].expect.kv.b.i64',
      'test.events[1].handler',
    ])
  })

  it.each(['', '{', 'null', '[]', '{}', '{"events":{}}', '{"events":[],"__proto__":1}'])('refuses %j', (source) => {
    expect(mistakes(source)).not.toEqual([])
  })
})
