import type { Sfid } from '@w3bstream/protocol'
import type { ProjectChange, ProjectDefinition } from '../../project/definition.ts'
import type { ProjectEntry } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { HttpDeps } from './deps.ts'

type Needs = Pick<HttpDeps, 'projects' | 'vfs' | 'inspectModule'>

/**
 * Routes are not versioned, so a module that takes over from another must export each handler that they name: else all
 * events of that route would fail.
 * @throws ApiError InvalidModule
 */
export function requireHandlers(
  { strategies }: ProjectDefinition,
  appletId: Sfid,
  { handlers }: { readonly handlers: readonly string[] },
): void {
  const named = [...strategies.values()].filter((strategy) => strategy.appletId === appletId)
  const missing = named.filter(({ handler }) => !handlers.includes(handler))
  if (missing.length === 0) return
  const problems = missing.map(({ eventType, handler }) => `no handler ${handler}, which the route ${eventType} names`)
  throw new ApiError('InvalidModule', problems.join('; '))
}

/**
 * Examines the module that a rollback or a canary brings.
 * @throws ApiError InvalidModule, VersionNotFound; VfsError
 */
export async function checkVersionChange(entry: ProjectEntry, change: ProjectChange, deps: Needs): Promise<void> {
  if (change.op !== 'applet.rollback' && change.op !== 'applet.canary') return
  const { appletId } = change
  const codeHash = change.op === 'applet.canary' ? change.codeHash : await hashOf(entry, change, deps)
  if (codeHash === undefined) return
  const report = await deps.inspectModule(await deps.vfs.get(codeHash))
  requireHandlers(await deps.projects.definition(entry.key), appletId, report)
}

async function hashOf(
  { key }: ProjectEntry,
  { appletId, version }: Extract<ProjectChange, { op: 'applet.rollback' }>,
  { projects }: Needs,
): Promise<string> {
  const row = await projects.appletVersion(key, appletId, version)
  if (!row) throw new ApiError('VersionNotFound', `${appletId}/${version}`)
  return row.codeHash
}
