/** Who may do what over JSON-RPC: a device its own things, an account those of its own projects. */
import type { ProjectReader } from '../../database/database.ts'
import type { ProjectEntry, Projects } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity, Identity } from '../endpoint.ts'

type Access = 'READONLY' | 'READ_WRITE'

/** @throws ApiError InvalidToken when there is nobody, or the token was revoked since */
export function requireIdentity(identity: Identity | undefined): Identity {
  if (!identity) throw new ApiError('InvalidToken', 'this method needs a token')
  if (!identity.valid) throw new ApiError('InvalidToken', 'the token was revoked')
  return identity
}

/**
 * The project that a caller means: a device's own, an account's by name or id.
 * @throws ApiError badRequest, ProjectNotFound, NoProjectPermission, AccessKeyPermissionDenied
 */
export function requireProject(
  projects: Projects,
  identity: Identity,
  reference: string | undefined,
  group: 'Event' | 'Project',
): ProjectEntry {
  const entry = reference === undefined ? ownProject(projects, identity) : findProject(projects, reference)
  if (!entry) throw new ApiError('ProjectNotFound')
  const mine = identity.type === 'publisher' ? entry.key === identity.project : entry.accountId === identity.accountId
  if (!mine) throw new ApiError('NoProjectPermission')
  if (identity.type === 'account') requirePermission(identity, group, 'READONLY')
  return entry
}

/** @throws ApiError AccessKeyPermissionDenied */
function requirePermission(identity: AccountIdentity, group: string, access: Access): void {
  if (!identity.permits(group, access)) throw new ApiError('AccessKeyPermissionDenied', `${group} ${access}`)
}

function ownProject(projects: Projects, identity: Identity): ProjectEntry | undefined {
  if (identity.type === 'publisher') return projects.byKey(identity.project)
  throw new ApiError('badRequest', '', {
    fields: [{ field: 'project', msg: 'is missing; an account has several', in: 'body' }],
  })
}

function findProject(projects: Projects, reference: string): ProjectEntry | undefined {
  if (/^0x[0-9a-f]{64}$/.test(reference)) return projects.byKey(reference as `0x${string}`)
  return /^\d+$/.test(reference) ? projects.byId(reference) : projects.byName(reference)
}

/**
 * A message that the caller may see. A device that asks for another's gets the answer for one that does not exist.
 * @throws ApiError ReceiptNotFound
 */
export async function requireMessage(reader: ProjectReader, identity: Identity, id: Uint8Array): Promise<void> {
  const message = await reader.messageById(id)
  if (!message || (identity.type === 'publisher' && message.publisherId !== identity.publisherId))
    throw new ApiError('ReceiptNotFound')
}
