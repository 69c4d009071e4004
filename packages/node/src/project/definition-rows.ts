import type { DatabaseSchema, DefinitionRow } from '../database/database.ts'
import {
  type Applet,
  type CronJob,
  defaultProjectSettings,
  type Instance,
  type ProjectDefinition,
  type ProjectRecord,
  type ProjectSettings,
  type Strategy,
  type TrafficLimit,
} from './definition.ts'

/**
 * A definition is kept as rows of a project's store: one per thing, by kind and id. `publisher` and `publisherKey` rows
 * (the second maps a device's key to its id) and `appletVersion` rows are not part of the definition in memory: there may be
 * very many.
 */
export const definitionKinds = [
  'project',
  'settings',
  'env',
  'database',
  'flow',
  'assets',
  'applet',
  'instance',
  'strategy',
  'cronJob',
  'trafficLimit',
] as const

/** Id of the row of a kind that occurs once. */
export const singleId = ''

/** The definition that the rows make. Rows of other kinds are passed over. */
export function definitionFromRows(rows: Iterable<DefinitionRow>): ProjectDefinition | undefined {
  let project: ProjectRecord | undefined
  let settings: ProjectSettings = defaultProjectSettings
  let env: ProjectDefinition['env'] = []
  let database: DatabaseSchema = {}
  let flow: ProjectDefinition['flow'] = null
  let assets: ProjectDefinition['assets'] = []
  const applets = new Map<string, Applet>()
  const instances = new Map<string, Instance>()
  const strategies = new Map<string, Strategy>()
  const cronJobs = new Map<string, CronJob>()
  const trafficLimits = new Map<string, TrafficLimit>()
  for (const { kind, id, value } of rows) {
    if (kind === 'project') project = JSON.parse(value) as ProjectRecord
    else if (kind === 'settings') settings = completeSettings(JSON.parse(value) as ProjectSettings)
    else if (kind === 'env') env = JSON.parse(value) as ProjectDefinition['env']
    else if (kind === 'database') database = JSON.parse(value) as DatabaseSchema
    else if (kind === 'flow') flow = JSON.parse(value) as ProjectDefinition['flow']
    else if (kind === 'assets') assets = JSON.parse(value) as ProjectDefinition['assets']
    else if (kind === 'applet') applets.set(id, completeApplet(JSON.parse(value) as Applet))
    else if (kind === 'instance') instances.set(id, JSON.parse(value) as Instance)
    else if (kind === 'strategy') strategies.set(id, JSON.parse(value) as Strategy)
    else if (kind === 'cronJob') cronJobs.set(id, JSON.parse(value) as CronJob)
    else if (kind === 'trafficLimit') trafficLimits.set(id, JSON.parse(value) as TrafficLimit)
  }
  if (!project) return undefined
  return { project, settings, env, database, flow, assets, applets, instances, strategies, cronJobs, trafficLimits }
}

/** Settings that are younger than the row have their defaults. */
function completeSettings(settings: ProjectSettings): ProjectSettings {
  const { limits } = defaultProjectSettings
  return { ...defaultProjectSettings, ...settings, limits: { ...limits, ...settings.limits } }
}

/** An applet whose row is older than versions runs its first. */
function completeApplet(applet: Omit<Applet, 'version' | 'latestVersion'>): Applet {
  return { version: 1, latestVersion: 1, ...applet }
}

/** The definition after rows were written or removed (`value` null). */
export function applyRows(
  definition: ProjectDefinition | undefined,
  changes: readonly DefinitionChange[],
): ProjectDefinition | undefined {
  const rows = new Map(definition ? rowsOf(definition).map((row) => [`${row.kind}/${row.id}`, row]) : [])
  for (const { kind, id, value } of changes)
    if (value === null) rows.delete(`${kind}/${id}`)
    else rows.set(`${kind}/${id}`, { kind, id, value })
  return definitionFromRows(rows.values())
}

/** A definition row that was written, or removed when `value` is null. */
export interface DefinitionChange {
  readonly kind: string
  readonly id: string
  readonly value: string | null
}

function rowsOf(definition: ProjectDefinition): DefinitionRow[] {
  const { project, settings, env, database, flow, assets, applets, instances, strategies, cronJobs, trafficLimits } =
    definition
  const single = { project, settings, env, database, flow, assets }
  const many = {
    applet: applets,
    instance: instances,
    strategy: strategies,
    cronJob: cronJobs,
    trafficLimit: trafficLimits,
  }
  return [
    ...Object.entries(single).map(([kind, value]) => ({ kind, id: singleId, value: JSON.stringify(value) })),
    ...Object.entries(many).flatMap(([kind, map]) =>
      [...map].map(([id, value]) => ({ kind, id, value: JSON.stringify(value) })),
    ),
  ]
}
