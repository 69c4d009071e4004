/** Amounts as contracts have them: 256 bits, written as decimal text, because no number type here is as wide. */

/** 32 bytes, most significant first. Anything but digits, or more than 256 bits, ends the call. */
export function fromDecimal(text: string): Uint8Array {
  if (text.length == 0) throw new Error('not a number: ' + text)
  const bytes = new Uint8Array(32)
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) throw new Error('not a number: ' + text)
    let carry: u32 = digit
    for (let at = 31; at >= 0; at--) {
      carry += u32(bytes[at]) * 10
      bytes[at] = u8(carry)
      carry >>= 8
    }
    if (carry != 0) throw new Error('more than 256 bits: ' + text)
  }
  return bytes
}

/** @param bytes most significant first, any length */
export function toDecimal(bytes: Uint8Array): string {
  const rest = Uint8Array.wrap(bytes.slice().buffer)
  let out = ''
  do {
    let remainder: u32 = 0
    let zero = true
    for (let at = 0; at < rest.length; at++) {
      const value = (remainder << 8) | u32(rest[at])
      rest[at] = u8(value / 10)
      remainder = value % 10
      if (rest[at] != 0) zero = false
    }
    out = String.fromCharCode(0x30 + remainder) + out
    if (zero) return out
  } while (true)
}

/**
 * An amount in a token's smallest unit: `units('1.5', 18)` is `1500000000000000000`.
 * @param amount decimal, with at most `decimals` digits behind the point
 */
export function units(amount: string, decimals: i32): string {
  const point = amount.indexOf('.')
  const whole = point < 0 ? amount : amount.substring(0, point)
  const fraction = point < 0 ? '' : amount.substring(point + 1)
  if (fraction.length > decimals) throw new Error('too many digits behind the point: ' + amount)
  return toDecimal(fromDecimal(whole + fraction.padEnd(decimals, '0')))
}
