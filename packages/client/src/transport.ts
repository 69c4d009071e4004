import type { OutgoingEvent, PublishAnswer } from './event.ts'

/** One way to a node. It sends once: queueing and retries are the client's. */
export interface Transport {
  /**
   * @param signal ends the attempt; the transport then rejects with its reason
   * @throws ClientError
   */
  send(event: OutgoingEvent, signal: AbortSignal): Promise<PublishAnswer>
  /** Many events of many devices at once, by an account. Answers in order. @throws ClientError */
  push?(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<PublishAnswer[]>
  /**
   * Whether an event may be sent again when nobody knows if it was executed: it is sent with a key by which the node
   * recognises it.
   */
  readonly recognisesRetries: boolean
  close(): Promise<void>
}
