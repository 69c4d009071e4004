import { CliError, type CliFault } from './errors.ts'
import { type ServerEvent, serverEvents } from './server-events.ts'

export interface ApiClientOptions {
  /** Origin of the node's management port, such as `http://127.0.0.1:8888`. */
  readonly url: string
  /** Login token or access key. */
  readonly token?: string
  /** Longest wait for an answer, milliseconds. @default 60_000, since a deployment compiles its modules first */
  readonly timeoutMs?: number
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface ApiRequest {
  readonly query?: Query
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as they are; excludes `json`. */
  readonly body?: Uint8Array | FormData
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the client's own; an empty one sends none. */
  readonly token?: string
}

/** Where the management API lies. */
const apiBase = '/srv-applet-mgr/v0'

/** Longest answer that is read. */
const answerLimitBytes = 64 * 1024 * 1024

/** Speaks to a node's management API. Paths are below {@link apiBase} unless they begin with `//`. */
export class ApiClient {
  readonly url: string
  private readonly token: string | undefined
  private readonly timeoutMs: number

  constructor(options: ApiClientOptions) {
    this.url = options.url.replace(/\/+$/, '')
    this.token = options.token
    this.timeoutMs = options.timeoutMs ?? 60_000
  }

  get<T>(path: string, query?: Query): Promise<T> {
    return this.request<T>('GET', path, { query })
  }

  post<T>(path: string, json?: unknown): Promise<T> {
    return this.request<T>('POST', path, { json })
  }

  put<T>(path: string, json?: unknown): Promise<T> {
    return this.request<T>('PUT', path, { json })
  }

  delete(path: string, query?: Query): Promise<void> {
    return this.request<void>('DELETE', path, { query })
  }

  /**
   * One request; an empty answer is undefined.
   * @throws CliError CLI_API, CLI_UNREACHABLE, CLI_ANSWER_UNREADABLE, CLI_NOT_LOGGED_IN
   */
  async request<T>(method: string, path: string, request: ApiRequest = {}): Promise<T> {
    const response = await this.fetch(method, path, request, AbortSignal.timeout(this.timeoutMs))
    const text = await this.readText(response)
    if (!response.ok) throw this.failure(response, text, request)
    if (text === '') return undefined as T
    if (!response.headers.get('content-type')?.includes('json')) return text as T
    return this.parse(text) as T
  }

  /** The bytes of an answer. @throws CliError, as {@link request} */
  async download(path: string): Promise<Uint8Array> {
    const response = await this.fetch('GET', path, {}, AbortSignal.timeout(this.timeoutMs))
    const bytes = await this.readBytes(response)
    if (!response.ok) throw this.failure(response, bytes.toString('utf8'), {})
    return bytes
  }

  /**
   * A stream of server-sent events, until the node or the signal ends it.
   * @param opened called when the node has begun to answer: what happens from then on is told
   */
  async *events(
    path: string,
    query: Query,
    signal: AbortSignal,
    opened: () => void = () => {},
  ): AsyncGenerator<ServerEvent> {
    const response = await this.fetch('GET', path, { query, headers: { accept: 'text/event-stream' } }, signal)
    if (!response.ok) throw this.failure(response, await this.readText(response), {})
    opened()
    if (response.body) yield* serverEvents(response.body, signal)
  }

  private async fetch(method: string, path: string, request: ApiRequest, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers }
    const token = request.token ?? this.token
    if (token) headers.authorization = `Bearer ${token}`
    if (request.json !== undefined) headers['content-type'] = 'application/json'
    const body = request.json !== undefined ? JSON.stringify(request.json) : request.body
    try {
      return await fetch(this.address(path, request.query), { method, headers, body, signal })
    } catch (error) {
      throw new CliError({ code: 'CLI_UNREACHABLE', url: this.url, reason: reasonOf(error) }, { cause: error })
    }
  }

  private address(path: string, query: Query = {}): URL {
    const url = new URL(this.url + (path.startsWith('//') ? path.slice(1) : apiBase + path))
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue
      for (const item of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(item))
    }
    return url
  }

  private async readText(response: Response): Promise<string> {
    return (await this.readBytes(response)).toString('utf8')
  }

  private async readBytes(response: Response): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length
        if (size > answerLimitBytes) throw new RangeError(`more than ${answerLimitBytes} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      throw this.unreadable(reasonOf(error), error)
    }
    return Buffer.concat(chunks)
  }

  private parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw this.unreadable('the answer is not JSON', error)
    }
  }

  private unreadable(detail: string, cause: unknown): CliError {
    return new CliError({ code: 'CLI_ANSWER_UNREADABLE', url: this.url, detail }, { cause })
  }

  private failure(response: Response, text: string, request: ApiRequest): CliError {
    const fault = apiFault(response.status, text)
    const anonymous = !(request.token ?? this.token)
    if (response.status === 401 && anonymous) return new CliError({ code: 'CLI_NOT_LOGGED_IN', url: this.url })
    return new CliError(fault)
  }
}

/** The node's error JSON; the bare status for answers that are none, such as a proxy's page. */
function apiFault(status: number, text: string): Extract<CliFault, { code: 'CLI_API' }> {
  try {
    const { key, desc, fields } = JSON.parse(text)
    if (typeof key === 'string')
      return { code: 'CLI_API', status, key, desc: String(desc ?? ''), fields: Array.isArray(fields) ? fields : [] }
  } catch {
    // Not JSON: described by its status below.
  }
  return { code: 'CLI_API', status, key: `HTTP ${status}`, desc: text.trim().slice(0, 200), fields: [] }
}

/** `fetch` hides the operating system's reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no answer in time'
  const cause = error.cause as { code?: string; message?: string } | undefined
  return cause?.code ?? cause?.message ?? error.message
}
