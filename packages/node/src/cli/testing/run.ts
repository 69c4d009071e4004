import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CliIo } from '../io.ts'
import { main } from '../main.ts'

/** What a command line wrote, and its exit code. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, without a terminal. */
export async function run(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string } = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  const io: CliIo = {
    env: { HOME: '/nonexistent', ...options.env },
    cwd: options.cwd ?? '/',
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    interactive: false,
    style: (_, text) => text,
    readInput: async () => Buffer.from(options.input ?? ''),
  }
  const code = await main(args, io)
  return { code, out, err }
}

/** A request as it came in at the server of {@link serve}. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly prefer: string | undefined
  readonly body: string
}

/** What the server answers to `METHOD /path?query`, or without the query for any: a status and JSON, or a body of its own type. */
export type Answers = Readonly<Record<string, { status?: number; json?: unknown; body?: string; type?: string }>>

/** An HTTP server with prepared answers, to look at what commands ask of a node. */
export async function serve(answers: Answers): Promise<{ url: string; seen: Seen[]; close(): void }> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '' } = request
    const { authorization } = request.headers
    const prefer = request.headers.prefer?.toString()
    seen.push({ method, path, authorization, prefer, body: await bodyOf(request) })
    const answer = answers[`${method} ${path}`] ?? answers[`${method} ${path.split('?')[0]}`]
    const missing = { key: 'NotFound', code: 404999001, desc: `${method} ${path}`, fields: null }
    response.writeHead(answer?.status ?? (answer ? 200 : 404), { 'content-type': answer?.type ?? 'application/json' })
    response.end(answer?.body ?? JSON.stringify(answer ? (answer.json ?? null) : missing))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, seen, close: () => void server.close(() => server.closeAllConnections()) }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
