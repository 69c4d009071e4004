import type { ProjectChange, ProjectDefinition } from '../../project/definition.ts'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'

/**
 * What the node allows a project is for an administrator to say; what a project allows its devices, for its owner.
 * @throws ApiError NoAdminPermission
 */
export function checkTrafficChange(
  change: ProjectChange,
  { trafficLimits }: ProjectDefinition,
  { role }: AccountIdentity,
): void {
  if (role === 'ADMIN') return
  if (change.op === 'traffic.create' && change.scope === 'DEVICE') return
  if (change.op !== 'traffic.create' && change.op !== 'traffic.update' && change.op !== 'traffic.remove') return
  if (change.op !== 'traffic.create' && trafficLimits.get(change.trafficLimitId)?.scope === 'DEVICE') return
  throw new ApiError('NoAdminPermission', 'an owner limits the traffic of devices (scope DEVICE) only')
}
