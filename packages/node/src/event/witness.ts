import { ProtocolError, Reader, Writer } from '@w3bstream/protocol'

/** What came from outside while a batch was executed. */
export interface WitnessEntry {
  readonly messageIndex: number
  /** `sign` and `call` are answers that a handler was given; `stopped` is a handler's run that the watchdog ended. */
  readonly kind: 'sign' | 'call' | 'stopped'
  /** False: the question failed, and `answer` is the text of the failure. */
  readonly answered: boolean
  /** Of `stopped` the number of the handler among those of the message. */
  readonly answer: Uint8Array
}

/** A handler run that the watchdog stopped, to be reported instead of repeated. */
export interface Stopped {
  readonly messageIndex: number
  readonly ordinal: number
}

const kinds = ['sign', 'call', 'stopped'] as const
/** Bytes of one answer. */
export const maxAnswerBytes = 16 * 1024 * 1024
/** UTF-16 units of the text of a failure. */
export const maxFailureText = 1024

/** Records what a batch takes from outside, in that order; replay reads only this. */
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

  recordStop({ messageIndex, ordinal }: Stopped): void {
    this.record({ messageIndex, kind: 'stopped', answered: true, answer: new Writer(8).uint(ordinal).finish() })
  }

  /** Canonical bytes; empty when nothing came from outside. */
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
      kind: kindOf(reader.u8()),
      answered: reader.u8() === 1,
      answer: reader.bytes('answer', maxAnswerBytes),
    })
  reader.end()
  return entries
}

/** The runs that the watchdog ended. @throws ProtocolError */
export function stoppedRuns(entries: readonly WitnessEntry[]): Stopped[] {
  return entries
    .filter(({ kind }) => kind === 'stopped')
    .map(({ messageIndex, answer }) => ({ messageIndex, ordinal: new Reader(answer).uint() }))
}

function kindOf(tag: number): WitnessEntry['kind'] {
  const kind = kinds[tag]
  if (kind) return kind
  throw new ProtocolError({ code: 'CODEC_VALUE', field: 'witness kind', value: `${tag}`, wanted: '0 … 2' })
}
