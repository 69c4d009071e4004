import { decodeReceipt, type HandlerResult, type Receipt, receiptStatus, toHex } from '@w3bstream/protocol'
import type { EventAnswer, EventResult } from '../endpoint/endpoint.ts'
import type { ProjectDefinition } from '../project/definition.ts'

/** What devices have always been told about a handler that did not return. */
const deviceTexts: Record<string, string> = {
  HANDLER_NOT_EXPORTED: 'func not imported',
  INSTANCE_STOPPED: 'instance not running',
  INSTANCE_MISSING: 'InstanceNotRunning',
  // A loop without end ended so in the earlier generation, which had no fuel.
  FUEL_LIMIT: 'wait timeout',
  WALL_CLOCK: 'wait timeout',
}

/** Results in the form of an answer; nothing for an event that no strategy wanted. */
export function eventResults(receipt: Receipt, definition: ProjectDefinition | undefined): EventResult[] | null {
  if (receipt.results.length === 0) return null
  return receipt.results.map((result) => eventResult(result, definition))
}

function eventResult(result: HandlerResult, definition: ProjectDefinition | undefined): EventResult {
  const { appletId, instanceId, handler, code, error, message } = result
  const appletName = definition?.applets.get(appletId)?.name ?? appletId
  const answer: EventResult = { appletName, instanceID: instanceId, handler, returnValue: null, code }
  return error === '' ? answer : { ...answer, error: deviceTexts[error] ?? (message || error) }
}

/** The answer to a committed event. Its results are decoded when they are looked at: many senders only want to know that it is safe. */
export class CommittedAnswer implements EventAnswer {
  readonly channel: string
  readonly publisherID: string
  readonly publisherKey: string
  readonly eventID: string
  readonly timestamp: number
  readonly #messageId: Uint8Array
  readonly #receipt: Uint8Array
  readonly #definition: () => ProjectDefinition | undefined

  constructor(
    event: Pick<EventAnswer, 'channel' | 'publisherID' | 'publisherKey' | 'eventID' | 'timestamp'>,
    committed: { messageId: Uint8Array; receipt: Uint8Array },
    definition: () => ProjectDefinition | undefined,
  ) {
    this.channel = event.channel
    this.publisherID = event.publisherID
    this.publisherKey = event.publisherKey
    this.eventID = event.eventID
    this.timestamp = event.timestamp
    this.#messageId = committed.messageId
    this.#receipt = committed.receipt
    this.#definition = definition
  }

  get results(): readonly EventResult[] | null {
    return eventResults(decodeReceipt(this.#receipt), this.#definition())
  }

  /** A message that was refused at its execution: the project was paused or removed meanwhile. */
  get error(): string | undefined {
    return receiptStatus(this.#receipt) === 'refused' ? decodeReceipt(this.#receipt).detail : undefined
  }

  get messageID(): string {
    return toHex(this.#messageId)
  }

  /** All fields in the order of the published form; getters would be left out otherwise. */
  toJSON(): EventAnswer {
    const { channel, publisherID, publisherKey, eventID, timestamp, results, error, messageID } = this
    return {
      channel,
      publisherID,
      publisherKey,
      eventID,
      timestamp,
      results,
      ...(error === undefined ? {} : { error }),
      messageID,
    }
  }
}
