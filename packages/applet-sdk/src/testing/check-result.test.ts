import { describe, expect, it } from 'vitest'
import type { AppletOutcome } from '../engine-contract.ts'
import { SimulatedHost, type SimulatedHostOptions } from '../simulation/simulated-host.ts'
import { openSqliteDatabase } from '../simulation/sqlite-database.ts'
import { checkResult } from './check-result.ts'
import type { Expectation } from './test-file.ts'

const deps = { fault: (reason: string, message: string) => Object.assign(new Error(message), { reason }) }
const returned: AppletOutcome = { type: 'returned', code: 0, fuel: 0n }
const failed: AppletOutcome = { type: 'failed', error: 'TRAP', message: 'unreachable', fuel: 0n }
const hash = /0x[0-9a-f]{64}/

/** What differs after `act` did something to a host. */
function check(
  expected: Expectation,
  act: (host: SimulatedHost) => void = () => undefined,
  outcome: AppletOutcome = returned,
  options: SimulatedHostOptions = {},
): string[] {
  const host = new SimulatedHost(options, deps)
  host.begin()
  act(host)
  return checkResult(expected, { outcome, ...host.effects }, host)
}

describe('checkResult', () => {
  it('wants a handler that neither fails nor refuses, unless told', () => {
    expect(check({})).toEqual([])
    expect(check({}, undefined, failed)).toHaveLength(1)
    expect(check({ code: 0 }, undefined, failed)).toHaveLength(1)
    expect(check({}, undefined, { type: 'returned', code: -1, fuel: 0n })).toHaveLength(1)
    expect(check({ code: -1 }, undefined, { type: 'returned', code: -1, fuel: 0n })).toEqual([])
    expect(check({ code: 1 })).toEqual(['code: expected 1, is 0'])
    expect(check({ error: 'TRAP' }, undefined, failed)).toEqual([])
    expect(check({ error: 'EXIT' }, undefined, failed)).toHaveLength(1)
    expect(check({ error: 'TRAP' })).toHaveLength(1)
  })

  it('compares the lines of the applet, in order and all of them', () => {
    const log = (host: SimulatedHost) => {
      host.log(4, 'wasmCode', 'a (1) b')
      host.log(4, 'wasmExportFunc', 'of the host')
      host.log(2, 'wasmCode', 'second')
    }
    expect(check({ logs: ['a (*) b', 'second'] }, log)).toEqual([])
    expect(check({ logs: ['*', '*'] }, log)).toEqual([])
    expect(check({ logs: ['a (1) b'] }, log)).toEqual(['logs[1]: expected nothing, is "second"'])
    expect(check({ logs: ['second', 'a (1) b'] }, log)).toHaveLength(2)
    expect(check({ logs: ['a .1. b', 'second'] }, log)).toHaveLength(1)
  })

  it('compares values as the kits keep them', () => {
    const put = (host: SimulatedHost) => {
      host.kvPut('i', Uint8Array.of(255, 255, 255, 255))
      host.kvPut('big', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127))
      host.kvPut('t', Buffer.from('text'))
    }
    const right = { i: { i32: -1 }, big: { i64: '9223372036854775807' }, t: 'text', none: null }
    expect(check({ kv: right }, put)).toEqual([])
    expect(check({ kv: { i: { i32: 1 }, t: null, none: 'x' } }, put)).toEqual([
      'kv i: expected {"i32":1}, is 0xffffffff',
      'kv t: expected nothing, is "text"',
      'kv none: expected "x", is nothing',
    ])
  })

  it('compares the fields of transactions that are given', () => {
    const send = (host: SimulatedHost) => {
      const sent = { chainId: 5n, chainName: '', to: '0xAA', value: 7n, data: '0x01FF', operatorName: '' }
      expect(host.sendTransaction(sent)).toMatch(hash)
    }
    expect(check({ transactions: [{ to: 'aa', data: '0x01ff' }] }, send)).toEqual([])
    expect(check({ transactions: [{ value: '8' }] }, send)).toHaveLength(1)
    expect(check({ transactions: [] }, send)).toHaveLength(1)
    expect(check({ transactions: [{}, {}] }, send)).toHaveLength(1)
  })

  it('compares messages, metrics and requests', () => {
    const act = (host: SimulatedHost) => {
      host.publishMqtt('a/b', Buffer.from('{"x":1}'))
      host.submitMetrics('{"m": 2}')
      host.apiCall(Buffer.from('{"Url":"w3bstream://w3bstream.com/system/hello"}'))
    }
    const right = { mqtt: [{ topic: 'a/b', payload: { x: 1 } }], metrics: [{ m: 2 }], apiCalls: ['/system/hello'] }
    expect(check(right, act)).toEqual([])
    expect(check({ mqtt: [{ topic: 'a/b', payload: '{"x":1}' }] }, act)).toEqual([])
    expect(check({ mqtt: [{ topic: 'a/b' }] }, act)).toEqual([])
    expect(check({ mqtt: [{ topic: 'a/c' }], metrics: [], apiCalls: ['/other'] }, act)).toHaveLength(3)
  })

  it('runs the queries of a test', () => {
    const database = openSqliteDatabase({}, deps)
    const rows = (are: Record<string, unknown>[], query = 'SELECT 1 AS one') =>
      check({ rows: [{ query, are }] }, undefined, returned, { database })
    expect(rows([{ one: 1 }])).toEqual([])
    expect(rows([{ one: 2 }])).toHaveLength(1)
    expect(rows([], 'SELECT * FROM absent')).toEqual([expect.stringContaining('no such table')])
    expect(check({ rows: [{ query: 'SELECT 1', are: [] }] })).toEqual([expect.stringContaining('no database')])
  })
})
