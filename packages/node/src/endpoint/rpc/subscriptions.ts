import { randomUUID } from 'node:crypto'
import { toHex } from '@w3bstream/protocol'
import type { ProjectEntry, ProjectEvent, Projects } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { Identity } from '../endpoint.ts'
import { type Feed, type LogFilter, logFeed, receiptFeed } from './feed.ts'
import type { SubscriptionKind } from './params.ts'
import { definitionSummary } from './project-summary.ts'

export interface SubscriptionRequest {
  readonly kind: SubscriptionKind
  readonly project: ProjectEntry
  readonly identity: Identity
  /** For logs. */
  readonly filter: LogFilter
  /** Resolves when the peer was told the subscription's id; nothing is sent for it before. */
  readonly answered: Promise<void>
}

/** Either a result, or the error that ended the subscription. */
export type Notification = { subscription: string; result: unknown } | { subscription: string; error: unknown }

export interface SubscriptionsDeps {
  readonly projects: Pick<Projects, 'observe' | 'reader'>
  /** Hands a notification to the connection; resolves when the peer's system took it. */
  readonly send: (notification: Notification) => Promise<void>
}

/** The subscriptions of one connection. */
export class Subscriptions {
  readonly #limit: number
  readonly #deps: SubscriptionsDeps
  readonly #open = new Map<string, () => void>()
  #closed = false

  constructor(limit: number, deps: SubscriptionsDeps) {
    this.#limit = limit
    this.#deps = deps
  }

  get size(): number {
    return this.#open.size
  }

  /** @throws ApiError Forbidden at the limit of subscriptions */
  async open(request: SubscriptionRequest): Promise<string> {
    if (this.#closed) throw new ApiError('NodeStopping', 'the connection is closing')
    if (this.#open.size >= this.#limit) throw new ApiError('Forbidden', `at most ${this.#limit} subscriptions`)
    const id = randomUUID()
    // Takes its place before anything is awaited, so that many at once cannot pass the limit.
    this.#open.set(id, () => {})
    try {
      await this.#start(id, request)
    } catch (error) {
      this.close(id)
      throw error
    }
    return id
  }

  close(id: string): boolean {
    this.#open.get(id)?.()
    return this.#open.delete(id)
  }

  closeAll(): void {
    this.#closed = true
    for (const id of [...this.#open.keys()]) this.close(id)
  }

  async #start(id: string, request: SubscriptionRequest): Promise<void> {
    const { kind, project, identity, filter } = request
    const observe = (observer: (event: ProjectEvent) => void): void => {
      const forget = this.#deps.projects.observe(project.key, (event) => {
        if (!identity.valid) this.#end(id, request, new ApiError('InvalidToken', 'the token was revoked'))
        else if (event.type === 'removed') this.#end(id, request, new ApiError('ProjectNotFound', 'it was removed'))
        else observer(event)
      })
      this.#open.set(id, forget)
    }
    if (kind === 'project') {
      observe((event) => void this.#send(request, { subscription: id, result: eventJson(project, event) }))
      return
    }
    // Observed first and positioned after, so that no commit falls between.
    let pump = (): void => {}
    observe((event) => event.type === 'committed' && pump())
    const reader = await this.#deps.projects.reader(project.key)
    const feed = kind === 'logs' ? await logFeed(reader, filter) : await receiptFeed(reader, identity)
    pump = this.#pump(id, request, feed)
    pump()
  }

  /** Sends page after page until the feed is empty; a call while it is busy lets it look once more. */
  #pump(id: string, request: SubscriptionRequest, feed: Feed): () => void {
    let busy = false
    let again = false
    const run = async (): Promise<void> => {
      try {
        while (again && this.#open.has(id)) {
          again = false
          for (let items = await feed.next(); items && this.#open.has(id); items = await feed.next()) {
            const sent = items.map((result) => this.#send(request, { subscription: id, result }))
            await sent.at(-1)
          }
        }
      } finally {
        // In the same turn as the look at `again`: no call can fall between and be lost.
        busy = false
      }
    }
    return () => {
      again = true
      if (busy) return
      busy = true
      run().catch((error: unknown) => this.#end(id, request, error))
    }
  }

  #end(id: string, request: SubscriptionRequest, error: unknown): void {
    if (this.close(id)) void this.#send(request, { subscription: id, error })
  }

  async #send(request: SubscriptionRequest, notification: Notification): Promise<void> {
    await request.answered
    // A connection that is gone has closed its subscriptions; nobody is left to be told.
    await this.#deps.send(notification).catch(() => {})
  }
}

function eventJson(project: ProjectEntry, event: ProjectEvent): unknown {
  switch (event.type) {
    case 'committed':
      return { ...event, height: event.height.toString() }
    case 'definition':
      return { type: event.type, project: definitionSummary(project, event.definition) }
    case 'effect':
      return { ...event, id: toHex(event.id) }
    case 'removed':
      return event
  }
}
