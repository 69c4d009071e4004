import {
  type BatchHeader,
  effectLeaf,
  emptyKeccakRoot,
  encodeEffectBody,
  keccakTree,
  leafHash,
  type Message,
  merkleRoot,
  type Receipt,
  sha256,
  type Writer,
} from '@w3bstream/protocol'
import type { BatchRow, OutboxEntry, ProjectTip, ProjectTransaction } from '../../database/database.ts'
import type { DefinitionChange } from '../../project/definition-rows.ts'
import type { DecidedBatch, ExecutedBatch } from '../executor/executor.ts'
import type { HandlerHost } from '../host/handler-host.ts'
import { digestTags } from '../write-set.ts'
import { receiptRows } from './receipt-rows.ts'
import type { UsedKey } from './repetitions.ts'

const digestDomain = new TextEncoder().encode('w3bstream/state/v1')
/** Batches from one forgetting of old idempotency keys to the next. */
const forgetKeysEvery = 256n

/** A batch whose messages were all executed. */
export interface RanBatch {
  readonly header: BatchHeader
  readonly hash: Uint8Array
  readonly batch: DecidedBatch
  readonly messages: readonly Message[]
  readonly receipts: readonly Receipt[]
  readonly host: HandlerHost
  readonly definitionChanges: readonly DefinitionChange[]
  readonly usedKeys: readonly UsedKey[]
  /** How long idempotency keys count, milliseconds. */
  readonly keyWindowMs: number
  /** When a flow is due, milliseconds; see {@link ExecutedBatch}. */
  readonly flowWakeMs: ExecutedBatch['flowWakeMs']
}

export interface SealedBatch {
  /** What is to be committed. */
  readonly row: BatchRow
  readonly executed: ExecutedBatch
  readonly tip: ProjectTip
}

/** Writes definition and keys into the batch's transaction, and takes digest and roots over all that came of the batch. */
export async function sealBatch(
  ran: RanBatch,
  before: ProjectTip,
  transaction: ProjectTransaction,
): Promise<SealedBatch> {
  const { header, hash, batch, host, usedKeys, keyWindowMs } = ran
  const { height, timeMs } = header
  const { rows, receipts, ends } = receiptRows(batch, ran.messages, ran.receipts)
  const { effects, logs, witness, writes, digest } = host
  await putDefinition(ran.definitionChanges, transaction, digest)
  await transaction.kvPut(writes.entries())
  const stateDigest = sha256(digestDomain, before.stateDigest, digest.view())
  const receiptsRoot = merkleRoot(rows.map((row) => leafHash(row.receipt)))
  const effectsRoot = rootOf(effects)
  const row: BatchRow = {
    height,
    header: batch.header,
    hash,
    timeMs,
    receiptsRoot,
    effectsRoot,
    stateDigest,
    witness: witness.finish(),
    messages: rows,
    logs,
    effects,
    idempotency: usedKeys,
    ...(height % forgetKeysEvery === 0n ? { forgetKeysBeforeMs: timeMs - keyWindowMs } : {}),
  }
  const executed: ExecutedBatch = {
    height,
    receiptsRoot,
    effectsRoot,
    stateDigest,
    // A copy, because it goes to another thread, and a store may keep the rows.
    receipts: receipts.slice(),
    ends,
    effects: effects.map(told),
    definitionChanges: ran.definitionChanges,
    logs: logs.length,
    flowWakeMs: ran.flowWakeMs,
  }
  return { row, executed, tip: { height, batchHash: hash, stateDigest, timeMs } }
}

async function putDefinition(
  changes: readonly DefinitionChange[],
  transaction: ProjectTransaction,
  digest: Writer,
): Promise<void> {
  for (const { kind, id, value } of changes) {
    if (value === null) await transaction.definitionDelete(kind, id)
    else await transaction.definitionPut({ kind, id, value })
    digest
      .u8(digestTags.definition)
      .text(kind)
      .text(id)
      .text(value ?? '')
  }
}

function rootOf(effects: readonly OutboxEntry[]): Uint8Array {
  if (effects.length === 0) return emptyKeccakRoot
  return merkleRoot(
    effects.map(({ effect }) => effectLeaf(effect)),
    keccakTree,
  )
}

/** An effect as it goes to the thread that carries it out. */
function told({ effect, local }: OutboxEntry): ExecutedBatch['effects'][number] {
  const { id, index, messageIndex, body } = effect
  return { id, index, messageIndex, kind: body.kind, body: encodeEffectBody(body), local }
}
