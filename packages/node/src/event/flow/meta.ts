import type { ProjectReader } from '../../database/database.ts'
import { flowLimits, metaNamespace } from './limits.ts'
import { type FlowStore, readTotals, type Totals } from './state.ts'

/**
 * Which flow the kept windows are of. A flow of another shape begins a new generation; what the one before kept is removed
 * bit by bit, since it may be much.
 */
export interface FlowMeta {
  readonly generation: number
  /** See `plan.ts`; empty when there is no flow. */
  readonly shape: string
  /** Generations that are to be removed. */
  readonly stale: readonly number[]
}

const metaKey = 'meta'

export async function readMeta(store: FlowStore): Promise<FlowMeta> {
  return parseMeta(await store.get(metaNamespace, metaKey))
}

export function namespaceOf(generation: number): string {
  return `${metaNamespace}:${generation}`
}

/** The meta of a flow of this shape: a new generation, unless the kept windows are of the same. */
export function nextGeneration(store: FlowStore, meta: FlowMeta, shape: string): FlowMeta {
  const { generation, stale } = meta
  return write(store, { generation: generation + 1, shape, stale: meta.shape === '' ? stale : [...stale, generation] })
}

/** Removes some of what earlier generations kept. */
export async function removeStale(store: FlowStore, meta: FlowMeta): Promise<FlowMeta> {
  const [oldest, ...others] = meta.stale
  if (oldest === undefined) return meta
  const namespace = namespaceOf(oldest)
  const rows = await store.list(namespace, { limit: flowLimits.removals })
  for (const { key } of rows) store.put(namespace, key, null)
  return rows.length < flowLimits.removals ? write(store, { ...meta, stale: others }) : meta
}

/** What a project's flow keeps, from committed state; undefined when it never kept anything. */
export async function committedFlow(reader: Pick<ProjectReader, 'listKv'>): Promise<(FlowMeta & Totals) | undefined> {
  const find = async (namespace: string, key: string) => {
    const { data } = await reader.listKv({ namespace, prefix: key, size: 1 })
    return data[0]?.value
  }
  const found = await find(metaNamespace, metaKey)
  if (!found) return undefined
  const meta = parseMeta(found)
  return { ...meta, ...readTotals(await find(namespaceOf(meta.generation), 'totals')) }
}

/** When the flow of a project wants a timer message: null when it waits for nothing, undefined when it never kept anything. */
export async function flowWakeMs(reader: Pick<ProjectReader, 'listKv'>): Promise<number | null | undefined> {
  const kept = await committedFlow(reader)
  if (!kept) return undefined
  // What is to be cleared away can be at any time.
  return kept.stale.length > 0 ? 1 : kept.dueMs || null
}

function parseMeta(bytes: Uint8Array | undefined): FlowMeta {
  if (!bytes) return { generation: 0, shape: '', stale: [] }
  return JSON.parse(new TextDecoder().decode(bytes)) as FlowMeta
}

function write(store: FlowStore, meta: FlowMeta): FlowMeta {
  store.put(metaNamespace, metaKey, new TextEncoder().encode(JSON.stringify(meta)))
  return meta
}
