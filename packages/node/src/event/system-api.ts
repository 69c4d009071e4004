import type { EffectBody } from '@w3bstream/protocol'

/** The JSON that a guest hands to `ws_api_call`. */
interface ApiRequest {
  readonly Method?: string
  readonly Url?: string
  readonly Header?: Record<string, string[]> | null
  readonly Body?: string | null
}

const utf8 = new TextEncoder()
const host = 'w3bstream.com'
/** Calls that are answered later, by a message of the type that the header `eventType` names. */
const asynchronous = new Set(['GET /system/hello', 'GET /system/read_tx'])

/**
 * The immediate answer to a system call, which follows from the request alone, and the effect through which the later one
 * comes. Shapes: `docs/spec/host-abi.md`, section system calls.
 */
export function answerApiCall(bytes: Uint8Array): { response: Uint8Array; effect?: EffectBody } {
  const request = parse(bytes)
  const url = request && toUrl(request.Url)
  if (!request || !url) return { response: respond(400, null, null) }
  const header = lowerCaseKeys(request.Header ?? {})
  const eventType = header.get('eventtype')?.[0]
  if (!eventType) return { response: respond(200, request.Header ?? {}, '') }
  const method = (request.Method || 'GET').toUpperCase()
  const call = `${method} ${url.pathname}`
  if (!asynchronous.has(call)) return { response: respond(404, request.Header ?? {}, '404 page not found') }
  const body = Buffer.from(request.Body ?? '', 'base64')
  const problem = url.pathname === '/system/read_tx' ? checkReadTransaction(body) : undefined
  if (problem) return { response: respond(400, request.Header ?? {}, JSON.stringify({ error: problem })) }
  const now =
    url.pathname === '/system/hello' ? JSON.stringify(`{"message": "hello ${header.get('name')?.[0] ?? ''}"}`) : ''
  return {
    response: respond(200, request.Header ?? {}, now),
    effect: { kind: 'api', method, url: url.pathname, header: Object.fromEntries(header), body, eventType },
  }
}

/** A response as guests decode it: header with all request headers but the content type, body in base64. */
export function respond(status: number, header: Record<string, string[]> | null, body: string | null): Uint8Array {
  const echoed =
    header && Object.fromEntries(Object.entries(header).filter(([name]) => name.toLowerCase() !== 'content-type'))
  return utf8.encode(
    JSON.stringify({
      Status: header === null ? '' : `${status} ${reasons[status] ?? ''}`.trim(),
      StatusCode: status,
      Proto: header === null ? '' : 'HTTP/1.1',
      Header: echoed,
      Body: body === null ? null : Buffer.from(body).toString('base64'),
    }),
  )
}

const reasons: Record<number, string> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  500: 'Internal Server Error',
}

function parse(bytes: Uint8Array): ApiRequest | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof json === 'object' && json !== null ? (json as ApiRequest) : undefined
  } catch {
    return undefined
  }
}

/** Kits send the full URL, some only the path. */
function toUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const full = text.startsWith('/') ? `w3bstream://${host}${text}` : text
  if (!URL.canParse(full)) return undefined
  const url = new URL(full)
  return url.protocol === 'w3bstream:' && url.host === host ? url : undefined
}

function lowerCaseKeys(header: Record<string, string[]>): Map<string, string[]> {
  const entries = Object.entries(header).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]))
  return new Map(entries.map(([name, values]) => [name.toLowerCase(), values.map(String)]))
}

function checkReadTransaction(body: Uint8Array): string | undefined {
  try {
    const { chainName, hash } = JSON.parse(new TextDecoder().decode(body)) as { chainName?: unknown; hash?: unknown }
    return typeof chainName === 'string' && chainName && typeof hash === 'string' && hash
      ? undefined
      : 'chainName and hash are required'
  } catch {
    return 'the body is not JSON'
  }
}
