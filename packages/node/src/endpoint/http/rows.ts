import Type, { type Static } from 'typebox'
import type { Applet, Instance, ProjectDefinition, Publisher, Strategy } from '../../project/definition.ts'
import type { ProjectEntry } from '../../project/project.ts'
import { rfc3339 } from './json.ts'
import { Id, times } from './schema.ts'

/** Rows as the API shows them, each a schema and the function that makes it. */

/** The name without its prefix: what stands after the second underscore. */
export function shortName(fullName: string): string {
  return fullName.split('_').slice(2).join('_')
}

export const ProjectRow = Type.Object({
  projectID: Id,
  accountID: Id,
  name: Type.String(),
  public: Type.Boolean(),
  version: Type.Optional(Type.String()),
  protocol: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  ...times,
  channel: Type.String({ description: 'full name: event channel and MQTT topic' }),
  projectKey: Type.String({ description: 'the 32 bytes by which receipts name the project' }),
  state: Type.String({ description: 'active or paused' }),
})

export function projectRow(entry: ProjectEntry, { project }: ProjectDefinition): Static<typeof ProjectRow> {
  return {
    projectID: entry.projectId,
    accountID: entry.accountId,
    name: shortName(entry.name),
    public: project.public,
    version: project.version || undefined,
    protocol: project.protocol || undefined,
    description: project.description || undefined,
    ...timesOf(project),
    channel: entry.name,
    projectKey: entry.key,
    state: project.state,
  }
}

export const AppletRow = Type.Object({
  projectID: Id,
  appletID: Id,
  resourceID: Id,
  name: Type.String(),
  ...times,
})

export function appletRow(entry: ProjectEntry, applet: Applet): Static<typeof AppletRow> {
  const { appletId, resourceId, name } = applet
  return { projectID: entry.projectId, appletID: appletId, resourceID: resourceId, name, ...timesOf(applet) }
}

export const InstanceRow = Type.Object({ instanceID: Id, appletID: Id, state: Type.String(), ...times })

export function instanceRow(instance: Instance): Static<typeof InstanceRow> {
  const { instanceId, appletId, state } = instance
  return { instanceID: instanceId, appletID: appletId, state, ...timesOf(instance) }
}

export const StrategyRow = Type.Object({
  strategyID: Id,
  projectID: Id,
  appletID: Id,
  eventType: Type.String(),
  handler: Type.String(),
  autoCollectMetric: Type.Boolean(),
  ...times,
})

export function strategyRow(entry: ProjectEntry, strategy: Strategy): Static<typeof StrategyRow> {
  const { strategyId, appletId, eventType, handler, autoCollectMetric } = strategy
  return {
    strategyID: strategyId,
    projectID: entry.projectId,
    appletID: appletId,
    eventType,
    handler,
    autoCollectMetric,
    ...timesOf(strategy),
  }
}

export const PublisherRow = Type.Object({
  projectID: Id,
  publisherID: Id,
  name: Type.String(),
  key: Type.String(),
  token: Type.String(),
  publicKey: Type.Optional(Type.String({ description: 'did:key under which the device signs' })),
  ...times,
})

export function publisherRow(entry: ProjectEntry, publisher: Publisher, token: string): Static<typeof PublisherRow> {
  const { publisherId, name, key, publicKey } = publisher
  return {
    projectID: entry.projectId,
    publisherID: publisherId,
    name,
    key,
    token,
    publicKey: publicKey || undefined,
    ...timesOf(publisher),
  }
}

export function timesOf({ createdMs, updatedMs }: { createdMs: number; updatedMs: number }) {
  return { createdAt: rfc3339(createdMs), updatedAt: rfc3339(updatedMs) }
}

/** Where the reference keeps a resource; ours are in the VFS, clients only show it. */
export function resourcePath(resourceId: string): string {
  return `srv-applet-mgr/${resourceId}`
}
