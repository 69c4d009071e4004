const escapes: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** JSON as Go's encoder writes it, which clients of the earlier generation may compare: these characters escaped, a line feed at the end. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value)
  return `${/[<>&\u2028\u2029]/.test(text) ? text.replace(/[<>&\u2028\u2029]/g, (c) => escapes[c]!) : text}\n`
}

export const jsonType = 'application/json; charset=utf-8'
export const textType = 'text/plain; charset=utf-8'

/** A time as rows carry it: RFC 3339, whole seconds; one that was never set is Go's zero time. */
export function rfc3339(ms: number | undefined): string {
  return ms === undefined ? '0001-01-01T00:00:00Z' : `${new Date(ms).toISOString().slice(0, 19)}Z`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** @throws TypeError on bytes that are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}
