/** A host that may be reached: `name` is exact, or with {@link suffix} the end of names, its dot included. */
export interface HostPattern {
  readonly name: string
  readonly suffix: boolean
  readonly port: number
}

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const pattern = new RegExp(`^(\\*\\.)?(${label}(?:\\.${label})*|\\[[0-9a-f:.]{2,45}\\])(?::([0-9]{1,5}))?$`)
const maxNameLength = 253

/** What stands for the port that a pattern leaves out: that of `https`. */
const defaultPort = 443

/**
 * Reads `api.example.com`, `*.example.com`, `192.0.2.7:8080`, `[2001:db8::1]`; letters in any case.
 * @returns undefined when it is none of these
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  const found = pattern.exec(text.toLowerCase())
  if (!found) return undefined
  const [, wildcard, name = '', port] = found
  const number = port === undefined ? defaultPort : Number(port)
  if (name.length > maxNameLength || number < 1 || number > 65_535) return undefined
  const suffix = wildcard !== undefined
  if (suffix && (name.startsWith('[') || looksNumeric(name))) return undefined
  if (!suffix && !isHost(name)) return undefined
  return { name: suffix ? `.${name}` : name, suffix, port: number }
}

/** @param host a name or an address in lower case, IPv6 in brackets */
export function matchesHost(patterns: readonly HostPattern[], host: string, port: number): boolean {
  return patterns.some(
    ({ name, suffix, port: own }) =>
      own === port && (suffix ? host.endsWith(name) && host.length > name.length : host === name),
  )
}

/**
 * Whether this is a host in the one way that it is written: a name, an IPv4 address of four decimal numbers, an IPv6 address
 * in brackets. Other forms of IPv4 addresses (`0x7f.1`, `2130706433`, `010.0.0.1`) are none: they mean something else to
 * every library.
 */
export function isHost(host: string): boolean {
  if (host.length > maxNameLength || !pattern.test(host) || /^\*|:\d+$/.test(host.replace(/^\[.*\]$/, ''))) return false
  return host.startsWith('[') || !looksNumeric(host) || isDottedQuad(host)
}

function looksNumeric(host: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/.test(host.slice(host.lastIndexOf('.') + 1))
}

function isDottedQuad(host: string): boolean {
  const parts = host.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}
