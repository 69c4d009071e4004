import { describe, expect, it } from 'vitest'
import { HostFault } from '../engine.ts'
import { parseContractCall, parseTransaction } from './chain-request.ts'

describe('parseTransaction', () => {
  it('accepts what the kits write', () => {
    const pretty = '\n  {\n\t"to": "0xAb",\n "value": "12",\n "data": "40c10f19"\n}'
    expect(parseTransaction(4690, pretty, false)).toEqual({
      chainId: 4690n,
      chainName: '',
      to: '0xAb',
      value: 12n,
      data: '0x40c10f19',
      operatorName: '',
    })
    expect(parseTransaction(-1, '{"to":"a","value":"0"}', true)).toMatchObject({
      chainId: 4294967295n,
      data: '0x',
      operatorName: '',
    })
  })

  it.each([
    '',
    '[]',
    'null',
    '{"value":"0"}',
    '{"to":"0x01"}',
    '{"to":"0x01","value":""}',
    '{"to":"0x01","value":"-1"}',
    '{"to":"0x01","value":"1.5"}',
    '{"to":"0x01","value":"0x10"}',
    `{"to":"0x01","value":"${2n ** 256n}"}`,
    '{"to":"0x01","value":"0","data":"0xabc"}',
    '{"to":"0x01","value":"0","data":"zz"}',
    '{"to":{},"value":"0"}',
  ])('refuses %s', (text) => {
    expect(() => parseTransaction(1, text, false)).toThrow(HostFault)
  })

  it('needs no value to call a contract, but an address', () => {
    expect(parseContractCall(1, '{"to":"x","data":"0XAB"}')).toEqual({ chainId: 1n, to: 'x', data: '0xab' })
    expect(() => parseContractCall(1, '{"data":"0x"}')).toThrow(HostFault)
  })
})
