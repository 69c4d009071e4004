import { STATUS_CODES } from 'node:http'
import { Client, type Dispatcher } from 'undici'
import { AddressPolicy } from './address-policy.ts'
import { guardedConnector, type Resolve, resolveByDns } from './connector.ts'
import { OutboundError } from './errors.ts'
import { defaultOutboundOptions, type OutboundOptions } from './options.ts'
import type { Outbound, OutboundRequest, OutboundResponse } from './outbound.ts'

export interface HttpClientDeps {
  /** @default the name servers of the system */
  readonly resolve?: Resolve
  /** Sent as `User-Agent` unless the applet sets one. */
  readonly userAgent: string
}

/** One request on its way, changed by redirects. */
interface Hop {
  readonly url: URL
  readonly method: string
  readonly header: Readonly<Record<string, readonly string[]>>
  readonly body: Uint8Array
}

/** Headers that a server elsewhere must not see. */
const credentials = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** The {@link Outbound} over HTTP/1.1: a connection for each request, so that each one's address is examined. */
export class HttpClient implements Outbound {
  readonly #options: OutboundOptions
  readonly #connect
  readonly #userAgent: string

  constructor(options: Partial<OutboundOptions>, { resolve = resolveByDns, userAgent }: HttpClientDeps) {
    this.#options = { ...defaultOutboundOptions, ...options }
    const { privateNetworks, connectTimeoutMs } = this.#options
    this.#connect = guardedConnector(new AddressPolicy(privateNetworks), resolve, connectTimeoutMs)
    this.#userAgent = userAgent
  }

  async send(request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const { timeoutMs, redirects } = this.#options
    const limit = AbortSignal.timeout(timeoutMs)
    const both = AbortSignal.any([signal, limit])
    let hop: Hop = { ...request, url: new URL(request.url) }
    for (let followed = 0; ; followed++) {
      const answer = await this.#one(hop, request, both).catch((error: unknown) => {
        signal.throwIfAborted()
        if (limit.aborted) throw new OutboundError({ code: 'OUTBOUND_TIMEOUT', host: hop.url.host, limitMs: timeoutMs })
        throw toFault(hop.url.host, error)
      })
      const next = redirectOf(hop, answer)
      if (!next) return answer
      if (followed === redirects)
        throw new OutboundError({
          code: 'OUTBOUND_REDIRECTS',
          host: hop.url.host,
          detail: `more than ${redirects} redirects`,
        })
      hop = next
    }
  }

  async #one(hop: Hop, request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const { url, method, body } = hop
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    if (!request.allows(url.hostname, port)) throw new OutboundError({ code: 'OUTBOUND_HOST', host: url.host })
    const { responseHeaderBytes } = this.#options
    const client = new Client(url.origin, {
      connect: this.#connect,
      pipelining: 0,
      maxHeaderSize: responseHeaderBytes,
      // The signal is the limit of time.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    try {
      signal.throwIfAborted()
      const response = await client.request({
        path: `${url.pathname}${url.search}`,
        method: method as Dispatcher.HttpMethod,
        headers: this.#header(hop, request.idempotencyKey),
        body: body.length > 0 ? body : null,
        signal,
      })
      return await this.#read(url.host, response)
    } finally {
      client.destroy().catch(() => undefined)
    }
  }

  #header({ header }: Hop, idempotencyKey: string): Record<string, string | string[]> {
    const own = Object.fromEntries(Object.entries(header).map(([name, values]) => [name.toLowerCase(), [...values]]))
    return {
      'user-agent': this.#userAgent,
      // What is not asked for is not unpacked either.
      'accept-encoding': 'identity',
      ...own,
      'idempotency-key': idempotencyKey,
    }
  }

  async #read(host: string, response: Dispatcher.ResponseData): Promise<OutboundResponse> {
    const { responseBytes: limit } = this.#options
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > limit) throw new OutboundError({ code: 'OUTBOUND_TOO_LARGE', host, limit })
      chunks.push(chunk)
    }
    return {
      status: response.statusCode,
      statusText: STATUS_CODES[response.statusCode] ?? '',
      header: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, toList(value)])),
      body: Buffer.concat(chunks),
    }
  }
}

function toList(value: string | string[] | undefined): string[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/**
 * The request that a redirect asks for; none when the answer is no redirect.
 * @throws OutboundError OUTBOUND_REDIRECTS
 */
function redirectOf(hop: Hop, { status, header }: OutboundResponse): Hop | undefined {
  const location = header.location?.[0]
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new OutboundError({ code: 'OUTBOUND_REDIRECTS', host: hop.url.host, detail: 'a redirect to no web address' })
  const kept = url.origin === hop.url.origin ? hop.header : without(hop.header, credentials)
  // As browsers do (fetch standard, HTTP-redirect fetch, step 12).
  const becomesGet =
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD') || (status < 303 && hop.method === 'POST')
  if (!becomesGet) return { ...hop, url, header: kept }
  const header2 = without(kept, new Set(['content-type', 'content-language', 'content-encoding', 'content-location']))
  return { url, method: 'GET', header: header2, body: new Uint8Array(0) }
}

function without(header: Hop['header'], names: ReadonlySet<string>): Hop['header'] {
  return Object.fromEntries(Object.entries(header).filter(([name]) => !names.has(name.toLowerCase())))
}

function toFault(host: string, error: unknown): OutboundError {
  if (error instanceof OutboundError) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new OutboundError({ code: 'OUTBOUND_BROKEN', host, detail }, { cause: error })
}
