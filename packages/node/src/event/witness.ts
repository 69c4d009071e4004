import { Reader, Writer } from '@w3bstream/protocol'

/** An answer from outside, as a handler was given it. */
export interface WitnessEntry {
  readonly messageIndex: number
  readonly kind: 'sign' | 'call'
  /** False: the question failed, and `answer` is the text of the failure. */
  readonly answered: boolean
  readonly answer: Uint8Array
}

const kinds = ['sign', 'call'] as const
/** Bytes of one answer. */
export const maxAnswerBytes = 16 * 1024 * 1024

/** Records the answers of a batch in the order they were asked for; replay reads only these. */
export class Witness {
  readonly #writer = new Writer(64)
  #count = 0

  record(entry: WitnessEntry): void {
    this.#count++
    this.#writer
      .uint(entry.messageIndex)
      .u8(kinds.indexOf(entry.kind))
      .u8(entry.answered ? 1 : 0)
      .bytes(entry.answer)
  }

  /** Canonical bytes; empty when nothing was asked. */
  finish(): Uint8Array {
    return this.#count === 0 ? new Uint8Array(0) : new Writer().uint(this.#count).raw(this.#writer.view()).finish()
  }
}

/** @throws ProtocolError */
export function decodeWitness(bytes: Uint8Array): WitnessEntry[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  const count = reader.uint()
  const entries: WitnessEntry[] = []
  for (let i = 0; i < count; i++)
    entries.push({
      messageIndex: reader.uint(),
      kind: kinds[reader.u8()]!,
      answered: reader.u8() === 1,
      answer: reader.bytes('answer', maxAnswerBytes),
    })
  reader.end()
  return entries
}
