import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import type { sender } from './events.ts'
import type { Management } from './management.ts'
import { until } from './until.ts'

/** What a result event tells. */
export interface Result {
  readonly Status: string
  readonly StatusCode: number
  readonly Header: Record<string, string[]>
  /** The body, decoded; JSON where it is. */
  readonly body: unknown
  readonly eventID: string
}

const source = fileURLToPath(new URL('../interop/published-kit/assembly/outside.ts', import.meta.url))
const routes = [
  ...['call', 'read', 'send', 'prove'].map((handler) => ({ eventType: handler.toUpperCase(), handler })),
  { eventType: 'result', handler: 'handle_result' },
]

/** Deploys the applet on the published kit that calls the outside as it is told. */
export async function deployCaller(admin: Management, project: string): Promise<void> {
  const { wasm } = await buildApplet(source)
  await admin.applet(project, new Uint8Array(wasm), routes)
}

/** Results that the applet was told, oldest first, once there are so many. */
export async function results(admin: Management, project: string, count: number): Promise<Result[]> {
  return until(`${count} results`, async () => {
    const lines = (await admin.logs(project)).filter(({ msg }) => msg.startsWith('result ')).reverse()
    return lines.length >= count && lines.map(({ msg, eventID }) => ({ ...decode(msg.slice(7)), eventID }))
  })
}

function decode(text: string): Omit<Result, 'eventID'> {
  const { Body, ...rest } = JSON.parse(text)
  const body = Buffer.from(Body ?? '', 'base64').toString()
  try {
    return { ...rest, body: JSON.parse(body) }
  } catch {
    return { ...rest, body }
  }
}

/** Calls a URL from the applet. */
export async function callUrl(
  event: ReturnType<typeof sender>,
  method: string,
  url: string,
  body?: string,
): Promise<void> {
  const Body = body === undefined ? null : Buffer.from(body).toString('base64')
  const call = { Method: method, Url: url, Header: { Eventtype: ['result'] }, Body }
  const { json } = await event(JSON.stringify(call), { eventType: 'CALL' })
  if (json.results?.[0]?.code !== 0) throw new Error(JSON.stringify(json))
}

/** A web server on the loopback address. */
export class WebServer {
  readonly keys: string[] = []
  readonly #server
  port = 0

  private constructor(handle: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#server = createServer((request, response) => {
      this.keys.push(String(request.headers['idempotency-key']))
      handle(request, response)
    })
  }

  static async start(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<WebServer> {
    const server = new WebServer(handle)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    server.port = (server.#server.address() as AddressInfo).port
    return server
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
