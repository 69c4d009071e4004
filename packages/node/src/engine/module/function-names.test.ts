import { describe, expect, it } from 'vitest'
import { readFunctionNames } from './function-names.ts'

/** A module of nothing but custom sections. */
function custom(...sections: number[][]): Uint8Array {
  const framed = sections.flatMap((content) => [0, content.length, ...content])
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...framed])
}
const nameSection = (...content: number[]) => [4, ...Buffer.from('name'), ...content]

describe('function names', () => {
  it('are those of the name section, whatever stands before it', () => {
    const moduleName = [0, 2, 1, 65]
    const functions = [1, 7, 2, 0, 1, 97, 5, 1, 98]
    const other = [2, 104, 105, 9]
    expect(readFunctionNames(custom(other, nameSection(...moduleName, ...functions)))).toEqual(
      new Map([
        [0, 'a'],
        [5, 'b'],
      ]),
    )
  })

  it.each([
    ['none', custom()],
    ['a section cut short', custom(nameSection(1, 7, 2, 0, 1))],
    ['a length beyond the file', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 99])],
    ['names that are not UTF-8', custom(nameSection(1, 4, 1, 0, 1, 0xff))],
    ['no function names', custom(nameSection(0, 2, 1, 65))],
  ])('are missing with %s', (_, module) => {
    expect(readFunctionNames(module)).toEqual(new Map())
  })
})
