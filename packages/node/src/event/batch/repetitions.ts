import { decodeReceipt, type Message, type Receipt, sha256, Writer } from '@w3bstream/protocol'
import type { ProjectTransaction } from '../../database/database.ts'

/** A key by which a sender may repeat a message, and the message of the batch that was executed under it. */
export interface UsedKey {
  readonly key: Uint8Array
  readonly index: number
}

/** What tells a message and its repetitions from all others. */
export interface RepetitionKey {
  readonly bytes: Uint8Array
  readonly name: string
}

export function repetitionKey({ publisherId, idempotencyKey }: Message): RepetitionKey {
  const bytes = sha256(new Writer().text(publisherId).text(idempotencyKey).view())
  return { bytes, name: Buffer.from(bytes).toString('base64') }
}

/** Which messages of a batch repeat others: those before them in the batch, and those of the history that still count. */
export class Repetitions {
  readonly #transaction: ProjectTransaction
  readonly #timeMs: number
  readonly #used = new Map<string, UsedKey>()

  constructor(transaction: ProjectTransaction, timeMs: number) {
    this.#transaction = transaction
    this.#timeMs = timeMs
  }

  /** The keys under which messages of this batch were executed. */
  get used(): readonly UsedKey[] {
    return [...this.#used.values()]
  }

  /**
   * The receipt of what a message repeats.
   * @param receipts of the messages before it in the batch
   * @param windowMs how long a key counts, milliseconds
   */
  async first(key: RepetitionKey, receipts: readonly Receipt[], windowMs: number): Promise<Receipt | undefined> {
    const inBatch = this.#used.get(key.name)
    if (inBatch) return receipts[inBatch.index]
    const found = await this.#transaction.findIdempotent(key.bytes)
    // Keys are forgotten now and then only; whether one still counts must not depend on when.
    if (!found || found.timeMs < this.#timeMs - windowMs) return undefined
    return decodeReceipt(found.receipt)
  }

  /** A message was executed under its key. */
  note({ name, bytes }: RepetitionKey, index: number): void {
    this.#used.set(name, { key: bytes, index })
  }
}
