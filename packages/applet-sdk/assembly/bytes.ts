/** Bytes as text and back: hexadecimal, base64, UTF-8. */

const HEX = '0123456789abcdef'
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Lower-case digits without prefix. */
export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i++) out += HEX.charAt(bytes[i] >> 4) + HEX.charAt(bytes[i] & 15)
  return out
}

/** The value of a hexadecimal digit, or −1. */
function digit(char: i32): i32 {
  if (char >= 0x30 && char <= 0x39) return char - 0x30
  const lower = char | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** @param text with or without `0x`; an odd number of digits or another character ends the call */
export function fromHex(text: string): Uint8Array {
  const begin = text.startsWith('0x') ? 2 : 0
  if ((text.length - begin) & 1) throw new Error('odd number of hexadecimal digits')
  const bytes = new Uint8Array((text.length - begin) >> 1)
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(text.charCodeAt(begin + 2 * i))
    const low = digit(text.charCodeAt(begin + 2 * i + 1))
    if (high < 0 || low < 0) throw new Error('not hexadecimal: ' + text)
    bytes[i] = u8((high << 4) | low)
  }
  return bytes
}

/** Standard alphabet with padding. */
export function toBase64(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = (i32(bytes[i]) << 16) | (left > 1 ? i32(bytes[i + 1]) << 8 : 0) | (left > 2 ? i32(bytes[i + 2]) : 0)
    out += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63)
    out += left > 1 ? BASE64.charAt((group >> 6) & 63) : '='
    out += left > 2 ? BASE64.charAt(group & 63) : '='
  }
  return out
}

/** Standard alphabet, padding optional; another character ends the call. */
export function fromBase64(text: string): Uint8Array {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) == 0x3d) end--
  const bytes = new Uint8Array((end * 3) >> 2)
  let group = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < end; i++) {
    const value = BASE64.indexOf(text.charAt(i))
    if (value < 0) throw new Error('not base64')
    group = (group << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = u8(group >> bits)
    }
  }
  return bytes
}

export function fromText(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text))
}

export function toText(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length)
}
