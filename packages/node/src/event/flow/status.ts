import type { Page, ProjectReader } from '../../database/database.ts'
import type { ProjectDefinition } from '../../project/definition.ts'
import type { FlowStatus, OpenWindow } from '../../project/flow.ts'
import { committedFlow, namespaceOf } from './meta.ts'
import { dueMs } from './placement.ts'
import { type FlowPlan, planFlow } from './plan.ts'
import { type Bucket, keptWindow, type Place, windowPrefix } from './state.ts'

/**
 * What the flow of a project keeps, from committed state.
 * @param page of the open windows, in the order in which they end
 * @returns undefined when the project has no flow
 */
export async function flowStatus(
  reader: Pick<ProjectReader, 'listKv'>,
  { flow, database }: Pick<ProjectDefinition, 'flow' | 'database'>,
  page: Page,
): Promise<FlowStatus | undefined> {
  const read = planFlow(flow, database)
  const plan = 'plan' in read ? read.plan : undefined
  if (!plan) return undefined
  const kept = await committedFlow(reader)
  // Windows of a flow of another shape go with the next message.
  if (!plan.window || kept?.shape !== plan.shape) return nothing
  const namespace = namespaceOf(kept.generation)
  const { data } = await reader.listKv({ namespace, prefix: windowPrefix, ...page })
  const open = data.map((row) => openWindow(plan.window!, keptWindow(row)))
  const { windows, bytes, late, dropped } = kept
  return { windows, bytes, late, dropped, ...(kept.dueMs > 0 ? { wakeMs: kept.dueMs } : {}), open }
}

const nothing: FlowStatus = { windows: 0, bytes: 0, late: 0, dropped: 0, open: [] }

function openWindow(
  window: NonNullable<FlowPlan['window']>,
  { place, bucket }: { place: Place; bucket: Bucket },
): OpenWindow {
  const { startMs, endMs, count, bytes, accumulator } = bucket
  const accumulated = accumulator === undefined ? {} : { accumulatorBytes: accumulator.length }
  const due = dueMs(window, place)
  return { group: place.partition, startMs, endMs, dueMs: due, elements: count, bytes, ...accumulated }
}
