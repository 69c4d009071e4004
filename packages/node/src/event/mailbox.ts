import type { Message } from '@w3bstream/protocol'

/** What became of a message, from its committed receipt. */
export interface Committed {
  readonly messageId: Uint8Array
  readonly height: bigint
  readonly index: number
  /** Canonical receipt. */
  readonly receipt: Uint8Array
}

/** A message that waits for its batch, with whoever waits for the message. */
export interface Waiting {
  readonly message: Message
  resolve(committed: Committed): void
  reject(error: Error): void
}

export interface MailboxLimits {
  readonly messages: number
  readonly bytes: number
}

/** Payload and the fields around it; near enough for a bound. */
const overheadBytes = 256

/** The bounded queue of a project's messages that no batch has taken yet. */
export class Mailbox {
  readonly #limits: MailboxLimits
  #queue: Waiting[] = []
  #head = 0
  #bytes = 0
  #ready: (() => void)[] = []

  constructor(limits: MailboxLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#queue.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether another message of ordinary size would be taken. */
  get acceptsWork(): boolean {
    return this.size < this.#limits.messages && this.#bytes < this.#limits.bytes
  }

  /** @returns false when the mailbox is full; nothing was taken then */
  offer(waiting: Waiting): boolean {
    if (!this.acceptsWork) return false
    this.#queue.push(waiting)
    this.#bytes += waiting.message.payload.length + overheadBytes
    return true
  }

  /** Takes the oldest messages, at least one if there is one. */
  take(limits: MailboxLimits): Waiting[] {
    const taken: Waiting[] = []
    let bytes = 0
    while (this.#head < this.#queue.length && taken.length < limits.messages) {
      const next = this.#queue[this.#head]!
      const size = next.message.payload.length + overheadBytes
      if (taken.length > 0 && bytes + size > limits.bytes) break
      taken.push(next)
      bytes += size
      this.#head++
    }
    this.#bytes -= bytes
    this.#compact()
    if (this.acceptsWork) this.#announce()
    return taken
  }

  /** Calls back once, when there is room again. Returns a function that forgets the call-back. */
  whenReady(callback: () => void): () => void {
    this.#ready.push(callback)
    return () => {
      this.#ready = this.#ready.filter((other) => other !== callback)
    }
  }

  /** Moving the rest down at each take would cost as much as the queue is long. */
  #compact(): void {
    if (this.#head < 1024 && this.#head < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }

  #announce(): void {
    const callbacks = this.#ready
    this.#ready = []
    for (const callback of callbacks) callback()
  }
}
