import {
  type BatchHeader,
  batchHash,
  commitOf,
  decodeBatchHeader,
  decodeCertificate,
  decodeMessage,
  fromHex,
  merkleRoot,
  messageId,
  type ProjectKey,
} from '@w3bstream/protocol'
import type { MessageRow, ProjectReader } from '../../database/database.ts'
import type { DecidedBatch } from '../executor/executor.ts'
import { decodeWitness, type WitnessEntry } from '../witness.ts'
import { compareBytes, type Difference } from './difference.ts'
import { ReplayError } from './errors.ts'

type Stored = NonNullable<Awaited<ReturnType<ProjectReader['batch']>>>

/** A batch of the history, ready to be executed again. */
export interface StoredBatch {
  readonly stored: Stored
  readonly header: BatchHeader
  readonly messages: readonly MessageRow[]
  readonly decided: DecidedBatch
  readonly witness: readonly WitnessEntry[]
}

/**
 * Reads a batch from a project's history.
 * @throws ReplayError REPLAY_HISTORY when it is not there, or retention has dropped its messages
 */
export async function readStoredBatch(
  reader: ProjectReader,
  project: ProjectKey,
  height: bigint,
): Promise<StoredBatch> {
  const [stored, messages] = await Promise.all([reader.batch(height), reader.messages(height)])
  if (!stored) throw new ReplayError({ code: 'REPLAY_HISTORY', height, detail: 'the batch is not stored' })
  const header = readable(height, 'header', () => decodeBatchHeader(stored.header))
  if (messages.length !== header.messageCount || messages.some(({ message }) => message.length === 0))
    throw new ReplayError({ code: 'REPLAY_HISTORY', height, detail: 'not all of its messages are stored' })
  const witness = readable(height, 'witness', () => decodeWitness(stored.witness))
  return { stored, header, messages, decided: pack(project, stored.header, messages), witness }
}

function readable<T>(height: bigint, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new ReplayError({ code: 'REPLAY_HISTORY', height, detail: `its ${what} cannot be read` }, { cause })
  }
}

function pack(project: ProjectKey, header: Uint8Array, rows: readonly MessageRow[]): DecidedBatch {
  let end = 0
  const ends = Uint32Array.from(rows, ({ message }) => (end += message.length))
  const ids = Buffer.concat(rows.map(({ id }) => id))
  return { project, header, ids, messages: Buffer.concat(rows.map(({ message }) => message)), ends }
}

/** Whether the batch is what its own hashes and its certificate say, before anything is executed. */
export function examine(project: ProjectKey, batch: StoredBatch, previous: Uint8Array): Difference[] {
  const { stored, header, messages } = batch
  const { height } = stored
  const ids = messages.map((row) => idOf(project, row))
  const altered = messages.flatMap(({ index, id }, i) =>
    compareBytes({ height, message: index, field: 'message' }, id, ids[i]),
  )
  return [
    ...compareBytes({ height, field: 'header' }, stored.hash, batchHash(header)),
    ...compareBytes({ height, field: 'header.previous' }, previous, header.previous),
    ...altered,
    // The ids of altered messages are reported one by one.
    ...(altered.length > 0
      ? []
      : compareBytes({ height, field: 'header.messagesRoot' }, header.messagesRoot, merkleRoot(ids))),
  ]
}

/** The id that follows from a message's bytes; nothing for bytes that are no message. */
function idOf(project: ProjectKey, { message }: MessageRow): Uint8Array {
  try {
    return messageId(fromHex(project, 32), decodeMessage(message).receivedMs, message)
  } catch {
    return new Uint8Array(32)
  }
}

/** What the members signed against what came of the repetition. */
export function compareCertificate(
  batch: StoredBatch,
  executed: { receiptsRoot: Uint8Array; effectsRoot: Uint8Array; stateDigest: Uint8Array },
): Difference[] {
  const { stored, header } = batch
  if (stored.certificate.length === 0) return []
  const { height } = stored
  const signed = readable(height, 'certificate', () => decodeCertificate(stored.certificate)).commit
  const own = commitOf(header, { hash: batchHash(header), ...executed })
  return (['batch', 'receipts', 'effects', 'state'] as const).flatMap((field) =>
    compareBytes({ height, field: `certificate.${field}` }, signed[field], own[field]),
  )
}
