import { ProtocolError } from '../error.ts'

/** Lower-case hexadecimal text with the prefix `0x`. */
export type Hex = `0x${string}`

const digits = '0123456789abcdef'

/** Bytes as lower-case hexadecimal with prefix. */
export function toHex(bytes: Uint8Array): Hex {
  let text = '0x'
  for (const byte of bytes) text += digits[byte >> 4]! + digits[byte & 15]!
  return text as Hex
}

/**
 * Hexadecimal text, with or without `0x`, as bytes.
 * @param length the number of bytes wanted; any when omitted
 * @throws ProtocolError HEX_INVALID
 */
export function fromHex(text: string, length?: number): Uint8Array {
  const body = text.startsWith('0x') || text.startsWith('0X') ? text.slice(2) : text
  if (body.length % 2 !== 0 || /[^0-9a-fA-F]/.test(body) || (length !== undefined && body.length !== length * 2))
    throw new ProtocolError({ code: 'HEX_INVALID', value: text.slice(0, 80), wantedBytes: length })
  const bytes = new Uint8Array(body.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(body.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Whether two byte strings are equal; not constant-time, for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** One array holding all parts in order. */
export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
