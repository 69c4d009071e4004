import { decodeFunctionData } from 'viem'
import { describe, expect, it } from 'vitest'
import { type ContractFunction, encodeFunctionCall, readFunction } from './contract-function.ts'

function read(signature: string): ContractFunction {
  const found = readFunction(signature)
  if ('problem' in found) throw new Error(found.problem)
  return found
}

function roundTrip(signature: string, ...args: string[]): readonly unknown[] | undefined {
  const called = read(signature)
  return decodeFunctionData({ abi: [called.abi], data: encodeFunctionCall(called, args) as `0x${string}` }).args
}

const address = `0x${'11'.repeat(20)}`

describe('calls of contract functions', () => {
  it('take arguments as text', () => {
    expect(read('mint(address to, uint256 amount)')).toMatchObject({ name: 'mint', parameters: ['address', 'uint256'] })
    expect(roundTrip('function mint(address to, uint256 amount)', address, '1000')).toEqual([address, 1000n])
    expect(roundTrip('f(int8 a, bool b, bytes c, string d)', '-3', 'true', '0xabcd', 'é')).toEqual([
      -3,
      true,
      '0xabcd',
      'é',
    ])
    expect(roundTrip('f(uint256[] a)', '[1, "0x10"]')).toEqual([[1n, 16n]])
    expect(roundTrip('f((uint8 x, string[2] y) a)', '{"x":7,"y":["a","b"]}')).toEqual([{ x: 7, y: ['a', 'b'] }])
  })

  it('refuse arguments of another type, in words', () => {
    const wrong =
      (signature: string, ...args: string[]) =>
      () =>
        encodeFunctionCall(read(signature), args)
    expect(wrong('f(uint8 a)', '256')).toThrow(/256/)
    expect(wrong('f(uint8 a)', '1.5')).toThrow('"1.5" is no uint8')
    expect(wrong('f(bool a)', 'yes')).toThrow('"yes" is no bool')
    expect(wrong('f(address a)', '0x12')).toThrow(/0x12/)
    expect(wrong('f(uint8[] a)', '{}')).toThrow('wanted a list for uint8[]')
    expect(wrong('f(uint8[] a)', '[')).toThrow('no JSON for uint8[]')
    expect(wrong('f((uint8 x) a)', 'null')).toThrow('wanted an object')
    expect(wrong('f(uint8 a)')).toThrow('"" is no uint8')
  })

  it('refuse what is no function', () => {
    for (const text of ['', 'mint', 'event Minted(address to)', 'f(nothing a)'])
      expect(readFunction(text)).toHaveProperty('problem')
  })
})
