import type { ProjectStore } from '../database/database.ts'
import type { ExecutedBatch } from './executor/executor.ts'
import { flowWakeMs } from './flow/meta.ts'

/** Log lines that are counted at most; observers only want to know that there are some. */
const countedLines = 1000

/** What came of the last batch, from the store: whoever executed it ended before it could tell. */
export async function recallBatch(store: ProjectStore, height: bigint): Promise<ExecutedBatch> {
  const [batch, messages, outbox, lines] = await Promise.all([
    store.batch(height),
    store.messages(height),
    store.outbox({ height, size: -1 }),
    store.listLogs({ size: countedLines }),
  ])
  if (!batch) throw new Error(`batch ${height} is the last one and not in the store`)
  const { receiptsRoot, effectsRoot, stateDigest } = batch
  return {
    height,
    receiptsRoot,
    effectsRoot,
    stateDigest,
    ...pack(messages.map(({ receipt }) => receipt)),
    effects: [...outbox.data].sort((a, b) => a.index - b.index),
    definitionChanges: messages.some(({ kind, status }) => kind === 'config' && status === 'applied') ? 'unknown' : [],
    logs: lines.data.filter((line) => line.height === height).length,
    flowWakeMs: await flowWakeMs(store),
  }
}

/** Receipts one behind the other, and where each ends. */
function pack(all: readonly Uint8Array[]): { receipts: Uint8Array; ends: Uint32Array } {
  const ends = new Uint32Array(all.length)
  let size = 0
  for (const [i, receipt] of all.entries()) {
    size += receipt.length
    ends[i] = size
  }
  const receipts = new Uint8Array(size)
  for (const [i, receipt] of all.entries()) receipts.set(receipt, ends[i]! - receipt.length)
  return { receipts, ends }
}
