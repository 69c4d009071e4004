import { createHash } from 'node:crypto'
import type { StoredSessionState } from './session-store.ts'

interface Entry {
  readonly epoch: number
  /** Committed, in this life of the process. */
  committed: boolean
}

/**
 * Received QoS 2 messages between PUBLISH and PUBREL: what makes them arrive exactly once.
 *
 * Each has an idempotency key for the door, made of the session's random stem, an epoch and the packet identifier. The
 * epoch counts releases; it is written to the store before PUBCOMP is sent, together with the identifiers that are still
 * open. So after a crash between commit and PUBREC, when the client sends the message again, the same key comes out: an
 * open identifier that was written has its epoch, and one that was not came after the last release that was. The key
 * ends with a digest of the message, so that even a store that lost its last moments in a power cut cannot make a new
 * message look like an old one with other content.
 */
export class UnreleasedMessages {
  readonly #stem: string
  #epoch: number
  readonly #open = new Map<number, Entry>()

  constructor(stem: string, epoch: number, open: StoredSessionState['unreleased']) {
    this.#stem = stem
    this.#epoch = epoch
    for (const [id, since] of open) this.#open.set(id, { epoch: since, committed: false })
  }

  get size(): number {
    return this.#open.size
  }

  has(packetId: number): boolean {
    return this.#open.has(packetId)
  }

  isCommitted(packetId: number): boolean {
    return this.#open.get(packetId)?.committed === true
  }

  /** Takes note of a message and returns its idempotency key. */
  open(packetId: number, topic: string, payload: Uint8Array): string {
    let entry = this.#open.get(packetId)
    if (!entry) {
      entry = { epoch: this.#epoch, committed: false }
      this.#open.set(packetId, entry)
    }
    const digest = createHash('sha256').update(topic).update('\0').update(payload).digest('base64url').slice(0, 22)
    return `mqtt:${this.#stem}:${entry.epoch}:${packetId}:${digest}`
  }

  commit(packetId: number): void {
    const entry = this.#open.get(packetId)
    if (entry) entry.committed = true
  }

  /** PUBREL, or a PUBREC that refuses: the next use of the identifier is another message. False when it was not open. */
  release(packetId: number): boolean {
    if (!this.#open.delete(packetId)) return false
    this.#epoch++
    return true
  }

  state(): Pick<StoredSessionState, 'stem' | 'epoch' | 'unreleased'> {
    const unreleased = [...this.#open].map(([id, { epoch }]) => [id, epoch] as const)
    return { stem: this.#stem, epoch: this.#epoch, unreleased }
  }
}
