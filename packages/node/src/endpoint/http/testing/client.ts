/** Where a node listens. */
export interface Served {
  /** Base URL of the management API, with its path. */
  readonly api: string
}

/** An answer whose shape a test asserts as it reads it. */
export interface Json {
  readonly [name: string]: Json
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined,
  }
}

/** Calls of the management API with one token. */
export function client(world: Served, token: string) {
  const send = (method: string, path: string, body?: unknown) =>
    call(`${world.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: body === undefined ? undefined : body instanceof FormData ? body : JSON.stringify(body),
    })
  return {
    token,
    get: (path: string) => send('GET', path),
    post: (path: string, body?: unknown) => send('POST', path, body),
    put: (path: string, body?: unknown) => send('PUT', path, body),
    delete: (path: string) => send('DELETE', path),
  }
}

export type Client = ReturnType<typeof client>

export function form(file: Uint8Array | undefined, info: unknown): FormData {
  const data = new FormData()
  if (file) data.append('file', new Blob([new Uint8Array(file)]), 'log.wasm')
  if (info !== undefined) data.append('info', typeof info === 'string' ? info : JSON.stringify(info))
  return data
}
