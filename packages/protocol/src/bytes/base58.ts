import { ProtocolError } from '../error.ts'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Base58 in the alphabet of Bitcoin. Quadratic in the length: for keys and hashes, not for payloads. */
export function toBase58(bytes: Uint8Array): string {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  const digits: number[] = []
  for (const byte of bytes.subarray(zeros)) carry(digits, 256, byte, 58)
  return (
    '1'.repeat(zeros) +
    digits
      .reverse()
      .map((digit) => alphabet[digit]!)
      .join('')
  )
}

/**
 * @param limit the most characters that are accepted
 * @throws ProtocolError CODEC_LIMIT, CODEC_VALUE
 */
export function fromBase58(text: string, limit: number): Uint8Array {
  if (text.length > limit) throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'base58', size: text.length, limit })
  let zeros = 0
  while (text[zeros] === '1') zeros++
  const bytes: number[] = []
  for (const character of text.slice(zeros)) {
    const digit = alphabet.indexOf(character)
    if (digit < 0)
      throw new ProtocolError({ code: 'CODEC_VALUE', field: 'base58', value: character, wanted: 'the base58 alphabet' })
    carry(bytes, 58, digit, 256)
  }
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...bytes.reverse()])
}

/** `number = number · factor + add`, its digits in base `base`, lowest first. */
function carry(number: number[], factor: number, add: number, base: number): void {
  let rest = add
  for (let i = 0; i < number.length; i++) {
    rest += number[i]! * factor
    number[i] = rest % base
    rest = Math.floor(rest / base)
  }
  for (; rest > 0; rest = Math.floor(rest / base)) number.push(rest % base)
}
