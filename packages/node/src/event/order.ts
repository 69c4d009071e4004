import { fromHex, merkleRoot, messageId, type ProjectKey, Writer, writeMessage } from '@w3bstream/protocol'
import type { Waiting } from './mailbox.ts'

/** Messages in the order in which they will stand in a batch, in the form that goes through consensus to the executor. */
export interface OrderedMessages {
  readonly waiting: readonly Waiting[]
  /** 32 bytes each. */
  readonly ids: Uint8Array
  readonly messages: Uint8Array
  readonly ends: Uint32Array
  readonly root: Uint8Array
}

/** Encodes messages in their order, gives each its id, and computes the root over the ids. */
export function orderMessages(project: ProjectKey, waiting: readonly Waiting[]): OrderedMessages {
  const projectBytes = fromHex(project, 32)
  const writer = new Writer(waiting.reduce((sum, { message }) => sum + message.payload.length + 256, 0))
  const ends = new Uint32Array(waiting.length)
  const ids = new Uint8Array(32 * waiting.length)
  const leaves: Uint8Array[] = new Array(waiting.length)
  let start = 0
  for (let i = 0; i < waiting.length; i++) {
    const { message } = waiting[i]!
    writeMessage(writer, message)
    const id = messageId(projectBytes, message.receivedMs, writer.view().subarray(start))
    ids.set(id, 32 * i)
    leaves[i] = id
    start = ends[i] = writer.length
  }
  return { waiting, ids, messages: writer.finish(), ends, root: merkleRoot(leaves) }
}
