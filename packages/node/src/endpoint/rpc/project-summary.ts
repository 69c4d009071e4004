import { toHex } from '@w3bstream/protocol'
import type { ProjectDefinition } from '../../project/definition.ts'
import type { ProjectEntry, Projects } from '../../project/project.ts'

/** A project as its owner sees it over JSON-RPC: what it consists of and how far its history came. */
export async function projectSummary(projects: Projects, entry: ProjectEntry): Promise<Record<string, unknown>> {
  const reader = await projects.reader(entry.key)
  const [definition, tip] = await Promise.all([projects.definition(entry.key), reader.tip()])
  return {
    ...definitionSummary(entry, definition),
    height: tip.height.toString(),
    batchHash: toHex(tip.batchHash),
    stateDigest: toHex(tip.stateDigest),
    time: tip.timeMs,
  }
}

export function definitionSummary(entry: ProjectEntry, definition: ProjectDefinition): Record<string, unknown> {
  const { project, applets, instances, strategies } = definition
  return {
    key: entry.key,
    projectID: entry.projectId,
    name: entry.name,
    state: project.state,
    public: project.public,
    version: project.version,
    description: project.description,
    applets: [...applets.values()].map(({ appletId, name, codeHash }) => ({ appletID: appletId, name, codeHash })),
    instances: [...instances.values()].map(({ instanceId, appletId, state }) => ({
      instanceID: instanceId,
      appletID: appletId,
      state,
    })),
    strategies: [...strategies.values()].map(({ strategyId, appletId, eventType, handler }) => ({
      strategyID: strategyId,
      appletID: appletId,
      eventType,
      handler,
    })),
  }
}
