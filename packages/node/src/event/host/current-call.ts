import type { Instance } from '../../project/definition.ts'

/** What a handler may see of the message that it runs for. */
export interface CurrentCall {
  readonly messageIndex: number
  /** Number of the handler among those of the message. */
  readonly ordinal: number
  readonly eventId: string
  readonly eventType: string
  readonly topic: string
  /** The sender's clock, milliseconds. */
  readonly timestampMs: number
  /** When the node received the message, milliseconds. */
  readonly receivedMs: number
  /** Empty when no device sent the message. */
  readonly publisherKey: string
  /** Whether the device signed the message; else a member vouches for it. */
  readonly signed: boolean
  readonly payload: Uint8Array
  readonly instance: Instance
  readonly namespace: string
}
