import { ProtocolError } from '../error.ts'

/** A call of `String.fromCharCode` takes its arguments on the stack, so long inputs go in slices. */
const slice = 8192

/** Base64 (RFC 4648, section 4) with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += slice) binary += String.fromCharCode(...bytes.subarray(i, i + slice))
  return btoa(binary)
}

/**
 * Base64 with padding, as bytes. One value has one text: white space, missing padding and left-over bits are refused.
 * @param limit the most bytes that are accepted, checked before decoding
 * @throws ProtocolError CODEC_LIMIT, CODEC_VALUE
 */
export function fromBase64(text: string, field: string, limit: number): Uint8Array {
  const size = Math.floor((text.length / 4) * 3) - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
  if (size > limit) throw new ProtocolError({ code: 'CODEC_LIMIT', field, size, limit })
  const binary = decoded(text)
  if (binary === undefined || btoa(binary) !== text)
    throw new ProtocolError({ code: 'CODEC_VALUE', field, value: text, wanted: 'base64 with padding' })
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

function decoded(text: string): string | undefined {
  try {
    return atob(text)
  } catch {
    return undefined
  }
}
