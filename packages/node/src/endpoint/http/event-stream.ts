import type { ServerResponse } from 'node:http'
import type { ProjectKey } from '@w3bstream/protocol'
import { toHex } from '@w3bstream/protocol'
import type { FastifyReply } from 'fastify'
import type { ProjectReader } from '../../database/database.ts'
import type { ProjectEvent } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import type { HttpDeps } from './deps.ts'
import type { HttpLimits } from './options.ts'
import { receiptRow } from './routes/receipt.ts'
import { logRow } from './routes/wasm-log.ts'

export const streamTypes = ['log', 'receipt', 'state'] as const
type StreamType = (typeof streamTypes)[number]

export interface StreamRequest {
  readonly key: ProjectKey
  readonly account: AccountIdentity
  readonly types: readonly StreamType[]
  /** Log row after which to begin. @default the newest one */
  readonly after?: number
}

/** Keeps proxies from closing a silent stream; also how soon a revoked token ends one. */
const heartbeatMs = 15_000
/** Rows read at once. */
const pageRows = 200

/** The open streams of server-sent events. */
export class EventStreams {
  readonly #deps: Pick<HttpDeps, 'projects' | 'logger'>
  readonly #limits: HttpLimits
  readonly #open = new Set<EventStream>()
  #isClosed = false

  constructor(deps: Pick<HttpDeps, 'projects' | 'logger'>, limits: HttpLimits) {
    this.#deps = deps
    this.#limits = limits
  }

  /** Takes over the reply. @throws ApiError TooManyConnections when there are too many streams */
  async open(request: StreamRequest, reply: FastifyReply): Promise<void> {
    if (this.#open.size >= this.#limits.streams)
      throw new ApiError('TooManyConnections', 'too many event streams', { retryAfterMs: heartbeatMs })
    const reader = await this.#deps.projects.reader(request.key)
    const start = { row: request.after ?? (await newestRow(reader)), height: (await reader.tip()).height }
    const headers = { ...reply.getHeaders() } as Record<string, string>
    reply.hijack()
    reply.raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const stream = new EventStream(request, reader, start, reply.raw, this.#deps, this.#limits.streamBytes)
    this.#open.add(stream)
    reply.raw.once('close', () => {
      stream.end()
      this.#open.delete(stream)
    })
    if (this.#isClosed) stream.end('stopping')
    else stream.begin()
  }

  /** Ends all, and those that are about to be opened. */
  closeAll(): void {
    this.#isClosed = true
    for (const stream of this.#open) stream.end('stopping')
  }

  /** From now on streams may be opened again. */
  reopen(): void {
    this.#isClosed = false
  }
}

/** One reader's stream. Each commit wakes it, and it reads what is new from the store: nothing is queued for it. */
class EventStream {
  readonly #request: StreamRequest
  readonly #reader: ProjectReader
  readonly #out: ServerResponse
  readonly #deps: Pick<HttpDeps, 'projects' | 'logger'>
  readonly #maxBytes: number
  #row: number
  #height: bigint
  #forget: () => void = () => {}
  #heartbeat: NodeJS.Timeout | undefined
  #isPumping = false
  #isWoken = false
  #isOver = false

  constructor(
    request: StreamRequest,
    reader: ProjectReader,
    start: { row: number; height: bigint },
    out: ServerResponse,
    deps: Pick<HttpDeps, 'projects' | 'logger'>,
    maxBytes: number,
  ) {
    this.#request = request
    this.#reader = reader
    this.#row = start.row
    this.#height = start.height
    this.#out = out
    this.#deps = deps
    this.#maxBytes = maxBytes
  }

  begin(): void {
    this.#forget = this.#deps.projects.observe(this.#request.key, (event) => this.#observe(event))
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), heartbeatMs).unref()
    this.#write(': open\n\n')
    this.#wake()
  }

  /** @param reason sent as the last event */
  end(reason?: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#forget()
    clearInterval(this.#heartbeat)
    if (reason !== undefined) this.#out.write(frame('end', { reason }))
    this.#out.end()
    // One that does not even read its end is cut off.
    this.#out.setTimeout(heartbeatMs, () => this.#out.destroy())
  }

  #observe(event: ProjectEvent): void {
    if (event.type === 'committed') this.#wake()
    else if (event.type === 'removed') this.end('removed')
    else if (event.type === 'effect') this.#send('state', { effectID: toHex(event.id), state: event.state })
    else this.#send('state', { project: event.definition.project.state })
  }

  /** One pump at a time; a commit in between makes it run once more. */
  #wake(): void {
    this.#isWoken = true
    if (this.#isPumping) return
    this.#isPumping = true
    this.#pump()
      .catch((error: unknown) => {
        this.#deps.logger.warn('an event stream ended by a fault', {}, error)
        this.end('failed')
      })
      .finally(() => {
        this.#isPumping = false
        if (this.#isWoken && !this.#isOver) this.#wake()
      })
  }

  async #pump(): Promise<void> {
    while (this.#isWoken && !this.#isOver) {
      this.#isWoken = false
      if (this.#request.types.includes('receipt')) await this.#pumpReceipts()
      if (this.#request.types.includes('log')) await this.#pumpLogs()
    }
  }

  async #pumpReceipts(): Promise<void> {
    const { height: tip } = await this.#reader.tip()
    while (this.#height < tip && !this.#isOver) {
      this.#height++
      const height = this.#height
      for (const message of await this.#reader.messages(height))
        this.#send('receipt', receiptRow({ ...message, height }))
    }
  }

  async #pumpLogs(): Promise<void> {
    while (!this.#isOver) {
      const { data } = await this.#reader.listLogs({ after: this.#row, size: pageRows })
      for (const log of data) this.#send('log', logRow(log), log.row)
      this.#row = data.at(-1)?.row ?? this.#row
      if (data.length < pageRows) return
    }
  }

  #send(type: StreamType, value: unknown, id?: number): void {
    if (this.#request.types.includes(type)) this.#write(frame(type, value, id))
  }

  #write(text: string): void {
    if (this.#isOver) return
    const { account } = this.#request
    if (!account.valid) this.end('unauthorized')
    else if (this.#out.writableLength > this.#maxBytes) this.end('too slow')
    else this.#out.write(text)
  }
}

function frame(event: string, value: unknown, id?: number): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`
}

async function newestRow(reader: ProjectReader): Promise<number> {
  return (await reader.listLogs({ size: 1 })).data[0]?.row ?? 0
}
