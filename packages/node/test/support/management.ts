import type { ReceiptFile } from '@w3bstream/protocol'
import { adminPassword, type NodeProcess } from './node-process.ts'

export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: T
}

/** An error as the API tells it. */
export interface ErrorBody {
  readonly key: string
  readonly code: number
  readonly desc: string
  readonly fields: readonly { readonly field: string; readonly msg: string; readonly in: string }[] | null
}

export interface EventBody {
  readonly channel: string
  readonly publisherID: string
  readonly publisherKey: string
  readonly eventID: string
  readonly timestamp: number
  readonly results:
    | readonly { appletName: string; instanceID: string; handler: string; code: number; error?: string }[]
    | null
  readonly error?: string
  readonly messageID: string
}

export interface ReceiptRow {
  readonly messageID: string
  readonly height: string
  readonly index: number
  readonly kind: string
  readonly status: string
  readonly eventType: string
  readonly eventID: string
  readonly results: readonly {
    readonly handler: string
    readonly code: number
    readonly error: string
    readonly message: string
    readonly fuel: string
    readonly codeHash: string
  }[]
}

export interface LogRow {
  readonly src: string
  readonly level: string
  readonly msg: string
  readonly eventID: string
  readonly row: number
}

export interface OutboxRow {
  readonly effectID: string
  readonly kind: string
  readonly state: string
  readonly attempts: number
  readonly detail: string
  readonly hash?: string
  readonly call?: string
  readonly metric?: unknown
}

export interface AppletAnswer {
  readonly appletID: string
  readonly instance: { readonly instanceID: string; readonly state: string }
}

export interface Device {
  readonly publisherID: string
  readonly key: string
  readonly token: string
}

interface Listed<T> {
  readonly data: readonly T[] | null
  readonly total: number
}

export interface Route {
  readonly eventType: string
  readonly handler: string
}

export async function request<T = unknown>(url: string, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = text.startsWith('{') || text.startsWith('[')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: (isJson ? JSON.parse(text) : undefined) as T,
  }
}

/** An account's use of the management API. Methods with a result expect success; `send` gives the answer as it is. */
export class Management {
  readonly #node: NodeProcess
  token = ''
  accountId = ''

  private constructor(node: NodeProcess) {
    this.#node = node
  }

  /** Logs in as the administrator. */
  static async login(node: NodeProcess): Promise<Management> {
    const management = new Management(node)
    const { accountID, token } = await management.expect<{ accountID: string; token: string }>('PUT', '/login', {
      username: 'admin',
      password: adminPassword,
    })
    management.token = token
    management.accountId = accountID
    return management
  }

  send<T = ErrorBody>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return request<T>(`${this.#node.api}${path}`, {
      method,
      headers: this.token === '' ? {} : { authorization: `Bearer ${this.token}` },
      body: body === undefined ? undefined : body instanceof FormData ? body : JSON.stringify(body),
    })
  }

  /** @throws Error when the answer is not a success */
  async expect<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send<T>(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json
  }

  /** Full name of a project of this account. */
  channel(name: string): string {
    return `aid_${this.accountId}_${name}`
  }

  async project(name: string, fields: object = {}): Promise<string> {
    const { projectID } = await this.expect<{ projectID: string }>('POST', '/project', { name, ...fields })
    return projectID
  }

  /** Applies changes of a project's definition, all or none. */
  change(name: string, ...changes: object[]): Promise<unknown> {
    return this.expect('POST', `/project/x/${name}/changes`, { changes })
  }

  limits(name: string, limits: object): Promise<unknown> {
    return this.change(name, { op: 'settings.put', settings: { limits } })
  }

  applet(
    name: string,
    wasm: Uint8Array<ArrayBuffer>,
    strategies?: readonly Route[],
    appletName = 'applet',
  ): Promise<AppletAnswer> {
    return this.expect('POST', `/applet/x/${name}`, appletForm(wasm, { appletName, strategies }))
  }

  device(name: string, key: string): Promise<Device> {
    return this.expect('POST', `/publisher/x/${name}`, { name: key, key })
  }

  async receipts(name: string, query = ''): Promise<readonly ReceiptRow[]> {
    return (await this.#list<ReceiptRow>(`/receipt/x/${name}/datalist?size=-1&${query}`)) ?? []
  }

  receiptFile(name: string, messageId: string): Promise<ReceiptFile> {
    return this.expect('GET', `/receipt/x/${name}/${messageId}`)
  }

  /** Newest first. */
  logs(name: string, query = ''): Promise<readonly LogRow[]> {
    return this.#list<LogRow>(`/wasmlog/x/${name}/datalist?size=-1&${query}`)
  }

  outbox(name: string): Promise<readonly OutboxRow[]> {
    return this.#list<OutboxRow>(`/outbox/x/${name}/datalist?size=-1`)
  }

  /** Keys and values of all applets of a project. */
  async kv(name: string): Promise<Map<string, Buffer>> {
    const rows = await this.#list<{ key: string; valueBase64: string }>(`/kv/x/${name}/datalist?size=-1`)
    return new Map(rows.map(({ key, valueBase64 }) => [key, Buffer.from(valueBase64, 'base64')]))
  }

  async query(name: string, statement: string): Promise<readonly Record<string, unknown>[]> {
    const body = { statement, params: [] }
    const { data } = await this.expect<{ data: Record<string, unknown>[] }>(
      'POST',
      `/project_database/x/${name}/query`,
      body,
    )
    return data
  }

  async #list<T>(path: string): Promise<readonly T[]> {
    const { data } = await this.expect<Listed<T>>('GET', path)
    return data ?? []
  }
}

export function appletForm(wasm: Uint8Array<ArrayBuffer>, info: object): FormData {
  const form = new FormData()
  form.append('file', new Blob([wasm]), 'applet.wasm')
  form.append('info', JSON.stringify(info))
  return form
}
