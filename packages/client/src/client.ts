/**
 * Publishes device messages to a node. A resolved `publish` means the same as everywhere in W3bstream: the event was
 * executed and is on the node's disk.
 */
import { ClientError } from './errors.ts'
import { completeEvent, type OutgoingEvent, type PublishAnswer, type PublishEvent } from './event.ts'
import { createHttpTransport } from './http.ts'
import { Limiter } from './limiter.ts'
import { createMqttTransport } from './mqtt.ts'
import { type ClientOptions, completeOptions, type Settings, type TransportKind } from './options.ts'
import { withRetries } from './retry.ts'
import type { Transport } from './transport.ts'
import { createWsTransport } from './ws.ts'

export interface PublishOptions {
  /** Ends the waiting and the retries; an event under way may still be executed. */
  readonly signal?: AbortSignal
}

/** What became of one event of many. `error` is a `ClientError` or the signal's reason. */
export type PublishOutcome = { ok: true; answer: PublishAnswer } | { ok: false; error: unknown }

export interface Client {
  /** @throws ClientError; the signal's reason */
  publish(event: PublishEvent, options?: PublishOptions): Promise<PublishAnswer>
  /**
   * Publishes all, several at a time, or in batches for an account. Takes no more from `events` than it can send.
   * Outcomes in the order of the events.
   */
  publishMany(
    events: Iterable<PublishEvent> | AsyncIterable<PublishEvent>,
    options?: PublishOptions,
  ): Promise<PublishOutcome[]>
  /** Events that are sent or wait. */
  readonly pending: number
  /** Gives up what waits (CLOSED) and closes the connection. Safe to repeat. */
  close(): Promise<void>
}

const transports: Readonly<Record<TransportKind, (settings: Settings) => Transport>> = {
  http: createHttpTransport,
  mqtt: createMqttTransport,
  ws: createWsTransport,
}

/** @throws ClientError OPTIONS_INVALID with every mistake */
export function createClient(options: ClientOptions): Client {
  const settings = completeOptions(options)
  return new PublishingClient(settings, transports[settings.transport](settings))
}

class PublishingClient implements Client {
  readonly #settings: Settings
  readonly #transport: Transport
  readonly #limiter: Limiter
  readonly #closing = new AbortController()

  constructor(settings: Settings, transport: Transport) {
    this.#settings = settings
    this.#transport = transport
    this.#limiter = new Limiter(settings)
  }

  get pending(): number {
    return this.#limiter.size
  }

  async publish(event: PublishEvent, options: PublishOptions = {}): Promise<PublishAnswer> {
    const outgoing = this.#complete(event)
    const [answer] = await this.#enqueue([outgoing], this.#settings.whenFull, options.signal)
    return answer!
  }

  async publishMany(
    events: Iterable<PublishEvent> | AsyncIterable<PublishEvent>,
    options: PublishOptions = {},
  ): Promise<PublishOutcome[]> {
    const { batchEvents, concurrency, credential } = this.#settings
    const size = credential === 'account' ? batchEvents : 1
    const outcomes: PublishOutcome[] = []
    const running = new Set<Promise<void>>()
    let batch: { event: OutgoingEvent; at: number }[] = []

    const flush = async (): Promise<void> => {
      const sending = batch
      batch = []
      if (sending.length === 0) return
      if (running.size >= concurrency) await Promise.race(running)
      const task = this.#sendBatch(sending, outcomes, options.signal).finally(() => running.delete(task))
      running.add(task)
    }

    let at = 0
    for await (const event of events) {
      try {
        batch.push({ event: this.#complete(event), at })
      } catch (error) {
        outcomes[at] = { ok: false, error }
      }
      at++
      if (batch.length >= size) await flush()
    }
    await flush()
    await Promise.all(running)
    return outcomes
  }

  async close(): Promise<void> {
    this.#closing.abort(new ClientError({ code: 'CLOSED' }))
    await this.#transport.close()
  }

  #complete(event: PublishEvent): OutgoingEvent {
    return completeEvent(event, this.#settings.credential === 'account')
  }

  /** Never rejects: writes what became of each event to its place. */
  async #sendBatch(
    batch: readonly { event: OutgoingEvent; at: number }[],
    outcomes: PublishOutcome[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      const events = batch.map(({ event }) => event)
      const answers = await this.#enqueue(events, 'wait', signal)
      for (const [i, { at }] of batch.entries()) outcomes[at] = { ok: true, answer: answers[i]! }
    } catch (error) {
      for (const { at } of batch) outcomes[at] = { ok: false, error }
    }
  }

  async #enqueue(
    events: readonly OutgoingEvent[],
    whenFull: 'wait' | 'reject',
    caller: AbortSignal | undefined,
  ): Promise<PublishAnswer[]> {
    const closing = this.#closing.signal
    const signal = caller ? AbortSignal.any([caller, closing]) : closing
    return await this.#limiter.run(() => this.#send(events, signal), whenFull, signal)
  }

  #send(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<PublishAnswer[]> {
    const { retries, minDelayMs, maxDelayMs, credential } = this.#settings
    const transport = this.#transport
    const asAccount = credential === 'account' && transport.push !== undefined
    const attempt = async () =>
      asAccount ? await transport.push!(events, signal) : [await transport.send(events[0]!, signal)]
    // A data push carries no key for each event, so one that may have been executed is not sent again.
    const whenUncertain = transport.recognisesRetries && !asAccount
    return withRetries(attempt, { retries, minDelayMs, maxDelayMs, whenUncertain }, signal)
  }
}
