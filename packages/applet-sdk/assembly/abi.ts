/** Calls of Solidity functions, and their results, as the contract ABI encodes them. */
import { fromHex, fromText, toHex, toText } from './bytes'
import { keccak256 } from './keccak'
import * as uint256 from './uint256'

const WORD = 32

/** The first four bytes of a call. @param signature for example `mint(address,uint256)`, without spaces or names */
export function selector(signature: string): string {
  return toHex(keccak256(fromText(signature)).subarray(0, 4))
}

/**
 * Builds a call's data, argument by argument, each checked against the signature:
 * `new abi.Call('mint(address,uint256)').address(owner).uint('1000').toHex()`.
 */
export class Call {
  private types: string[]
  private heads: Uint8Array[] = []
  /** For dynamic arguments what follows the heads; empty for the others. */
  private tails: Uint8Array[] = []

  constructor(private readonly signature: string) {
    const open = signature.indexOf('(')
    if (open < 1 || !signature.endsWith(')')) throw new Error('not a function signature: ' + signature)
    const inside = signature.substring(open + 1, signature.length - 1)
    this.types = inside.length == 0 ? [] : inside.split(',')
  }

  /** @param value 20 bytes in hexadecimal, with or without `0x` */
  address(value: string): Call {
    const bytes = fromHex(value)
    if (bytes.length != 20) throw new Error('not an address: ' + value)
    return this.add('address', padLeft(bytes))
  }

  /** @param value decimal digits */
  uint(value: string): Call {
    return this.add('uint', uint256.fromDecimal(value))
  }

  u64(value: u64): Call {
    return this.uint(value.toString())
  }

  bool(value: bool): Call {
    return this.add('bool', uint256.fromDecimal(value ? '1' : '0'))
  }

  /** @param value exactly 32 bytes */
  bytes32(value: Uint8Array): Call {
    if (value.length != WORD) throw new Error('bytes32 needs 32 bytes')
    return this.add('bytes32', value)
  }

  text(value: string): Call {
    return this.add('string', new Uint8Array(WORD), dynamic(fromText(value)))
  }

  bytes(value: Uint8Array): Call {
    return this.add('bytes', new Uint8Array(WORD), dynamic(value))
  }

  private add(family: string, head: Uint8Array, tail: Uint8Array = new Uint8Array(0)): Call {
    const index = this.heads.length
    const expected = index < this.types.length ? this.types[index] : 'no argument'
    const fits = family == 'uint' ? expected.startsWith('uint') && !expected.endsWith(']') : expected == family
    if (!fits) throw new Error(this.signature + ' wants ' + expected + ' at place ' + index.toString() + ', not ' + family)
    this.heads.push(head)
    this.tails.push(tail)
    return this
  }

  /** The data of the call, with `0x`. Ends the call of the handler when arguments are missing. */
  toHex(): string {
    if (this.heads.length != this.types.length) throw new Error(this.signature + ': arguments are missing')
    let heads = ''
    let tails = ''
    let offset = this.heads.length * WORD
    for (let i = 0; i < this.heads.length; i++) {
      const tail = this.tails[i]
      heads += toHex(tail.length == 0 ? this.heads[i] : uint256.fromDecimal(offset.toString()))
      tails += toHex(tail)
      offset += tail.length
    }
    return '0x' + selector(this.signature) + heads + tails
  }
}

function padLeft(bytes: Uint8Array): Uint8Array {
  const word = new Uint8Array(WORD)
  word.set(bytes, WORD - bytes.length)
  return word
}

/** Length, then the bytes filled up to whole words. */
function dynamic(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(WORD + ((bytes.length + WORD - 1) / WORD) * WORD)
  out.set(uint256.fromDecimal(bytes.length.toString()))
  out.set(bytes, WORD)
  return out
}

/** The word at this place of a result; a result too short ends the call. */
function word(result: Uint8Array, index: i32): Uint8Array {
  const begin = index * WORD
  if (index < 0 || begin + WORD > result.length) throw new Error('the contract returned less than expected')
  return result.subarray(begin, begin + WORD)
}

/** An unsigned integer as decimal text. */
export function uintAt(result: Uint8Array, index: i32 = 0): string {
  return uint256.toDecimal(word(result, index))
}

/** `0x` and 40 lower-case digits. */
export function addressAt(result: Uint8Array, index: i32 = 0): string {
  return '0x' + toHex(word(result, index).subarray(12))
}

export function boolAt(result: Uint8Array, index: i32 = 0): bool {
  return uintAt(result, index) != '0'
}

/** A `string` result. */
export function textAt(result: Uint8Array, index: i32 = 0): string {
  const begin = smallAt(result, index * WORD)
  const size = smallAt(result, begin)
  if (begin + WORD + size > result.length) throw new Error('the contract returned less than expected')
  return toText(result.subarray(begin + WORD, begin + WORD + size))
}

/** An offset or a length at a byte position: never larger than the result itself. */
function smallAt(result: Uint8Array, at: i32): i32 {
  if (at < 0 || at + WORD > result.length) throw new Error('the contract returned less than expected')
  for (let i = at; i < at + WORD - 4; i++) if (result[i] != 0) throw new Error('offset out of range')
  const value = bswap<u32>(load<u32>(result.dataStart + at + WORD - 4))
  if (value > u32(result.length)) throw new Error('offset out of range')
  return i32(value)
}
