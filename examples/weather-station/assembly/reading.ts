/** What a reading may look like. Devices are strangers: whatever is not exactly this is refused. */
import { json } from '@w3bstream/applet-sdk'

/** A number that may be missing; AssemblyScript has no `i32 | null`. */
export class Tenths {
  constructor(readonly value: i32) {}
}

/** More than any sensor measures; keeps the arithmetic far from the limits of 32 bits. */
const DIGITS = 6

/**
 * A measurement in tenths, exactly: `12.8` is 128. Taken from the digits as they were sent, because money hangs on them and
 * floating point rounds. Null for more than one digit behind the point, an exponent, or what is no number at all.
 */
export function tenthsIn(value: json.Value): Tenths | null {
  if (value.kind != json.Kind.Number) return null
  const negative = value.text.startsWith('-')
  const text = negative ? value.text.substring(1) : value.text
  const point = text.indexOf('.')
  const whole = point < 0 ? text : text.substring(0, point)
  const fraction = point < 0 ? '0' : text.substring(point + 1)
  if (fraction.length != 1 || whole.length > DIGITS || !allDigits(whole + fraction)) return null
  const tenths = I32.parseInt(whole + fraction)
  return new Tenths(negative ? -tenths : tenths)
}

/** `2012-01-02`; null for anything of another form. */
export function dayIn(value: json.Value): string | null {
  const text = value.toText()
  if (text.length != 10 || text.charAt(4) != '-' || text.charAt(7) != '-') return null
  return allDigits(text.substring(0, 4) + text.substring(5, 7) + text.substring(8)) ? text : null
}

function allDigits(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char < 0x30 || char > 0x39) return false
  }
  return true
}
