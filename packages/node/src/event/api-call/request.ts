/** A request to the node's API as a guest wrote it, in one spelling. */
export interface ApiRequest {
  /** Upper case. */
  readonly method: string
  readonly url: string
  /** Names in the spelling of HTTP/1.1 (`Content-Type`). */
  readonly header: Record<string, string[]>
  readonly body: Uint8Array
  /** Of the event that the later answer comes as; empty when the guest wants none. */
  readonly eventType: string
}

/** Bytes of all headers and their number: an answer repeats them. */
const maxHeaderBytes = 16 * 1024
const maxHeaders = 64
const maxUrlLength = 8192
/** As for events of devices. */
const maxEventTypeBytes = 1024
/** Bytes of a body. */
const maxBodyBytes = 1024 * 1024
/** The published AssemblyScript kit puts the system's address before every URL. */
const systemBeforeWeb = /^w3bstream:\/\/w3bstream\.com(?=https?:\/\/)/

/** Reads the JSON of `ws_api_call`. @returns undefined when it is no request */
export function readApiRequest(bytes: Uint8Array): ApiRequest | undefined {
  const json = parseObject(bytes)
  if (!json) return undefined
  const { Method: method = '', Url: url, Header, Body } = json
  if (typeof method !== 'string' || typeof url !== 'string' || url === '' || url.length > maxUrlLength) return undefined
  const header = readHeader(Header)
  const body = readBody(Body)
  if (!header || !body) return undefined
  const eventType = header.Eventtype?.[0] ?? ''
  if (Buffer.byteLength(eventType) > maxEventTypeBytes) return undefined
  return { method: method.toUpperCase() || 'GET', url: url.replace(systemBeforeWeb, ''), header, body, eventType }
}

/** A JSON object in UTF-8; undefined when it is anything else. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function readHeader(value: unknown): Record<string, string[]> | undefined {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const header = new Map<string, string[]>()
  let size = 0
  for (const [name, values] of Object.entries(value)) {
    if (!Array.isArray(values) || values.some((one) => typeof one !== 'string')) return undefined
    size += Buffer.byteLength(name) + values.reduce((sum: number, one: string) => sum + Buffer.byteLength(one), 0)
    const spelled = canonicalName(name)
    header.set(spelled, [...(header.get(spelled) ?? []), ...(values as string[])])
  }
  if (size > maxHeaderBytes || header.size > maxHeaders) return undefined
  return Object.fromEntries(header)
}

/** `eventType` becomes `Eventtype`, `content-type` `Content-Type`; what is no header name stays as it is. */
function canonicalName(name: string): string {
  if (!isToken(name)) return name
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}

/** RFC 9110, section 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)
}

function readBody(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null) return new Uint8Array(0)
  if (typeof value !== 'string' || value.length > maxBodyBytes * 2) return undefined
  // Checked, because platforms read what is no base64 differently, and every member must read the same.
  if (value.length % 4 !== 0 || !/^[0-9A-Za-z+/]*={0,2}$/.test(value)) return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.length > maxBodyBytes ? undefined : new Uint8Array(bytes)
}
