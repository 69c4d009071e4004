import type { MaybePromise, ProjectTransaction } from '../../database/database.ts'
import { HostFault } from '../../engine/engine.ts'
import type { ProjectDefinition } from '../../project/definition.ts'
import { parseDuration } from '../../util/go-duration.ts'
import { windowStart } from '../../util/traffic-window.ts'
import type { WriteSet } from '../write-set.ts'

const namespace = 'traffic'
const key = 'BLOCKCHAIN'

/** What is used up of the limit for transactions: a part of the project's state, alike on every member. */
interface Used {
  /** Beginning of the period, by the batch's clock, milliseconds. */
  readonly startMs: number
  readonly count: number
}

/**
 * Asks whether a handler may send another transaction in this period. The period is that of the batch's clock, and the count
 * is in the state, so every member comes to the same answer.
 * @returns notes the transaction, to be called when it was signed; dropped with the handler's other writes if that fails
 * @throws HostFault Limit
 */
export async function takeTransaction(
  { trafficLimits }: ProjectDefinition,
  timeMs: number,
  state: { writes: WriteSet; transaction: ProjectTransaction },
): Promise<() => void> {
  const limit = [...trafficLimits.values()].find(({ apiType }) => apiType === 'BLOCKCHAIN')
  if (!limit) return () => {}
  const { threshold, duration } = limit
  const startMs = windowStart(limit.startMs, parseDuration(duration)!, timeMs)
  const used = decode(await read(state))
  const count = used.startMs === startMs ? used.count : 0
  if (count >= threshold)
    throw new HostFault('Limit', `the ${threshold} transactions of the project in ${duration} are used up`)
  return () => state.writes.put(namespace, key, Buffer.from(JSON.stringify({ startMs, count: count + 1 })))
}

function read({ writes, transaction }: Parameters<typeof takeTransaction>[2]): MaybePromise<Uint8Array | undefined> {
  return writes.get(transaction, namespace, key)
}

function decode(value: Uint8Array | undefined): Used {
  return value === undefined ? { startMs: 0, count: 0 } : (JSON.parse(Buffer.from(value).toString()) as Used)
}
