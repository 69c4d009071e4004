import type { TrafficLimit } from '../../../project/definition.ts'
import type { ApiClient } from '../../api-client.ts'
import { applyChanges, fetchDefinition } from '../../deploy/fetch-current.ts'
import { CliError } from '../../errors.ts'
import { allRows, projectPath } from '../../rows.ts'

/** What a limit is about, as the command line names it. */
const limitKinds = {
  project: { apiType: 'EVENT', scope: 'PROJECT' },
  device: { apiType: 'EVENT', scope: 'DEVICE' },
  transactions: { apiType: 'BLOCKCHAIN', scope: 'PROJECT' },
} as const satisfies Record<string, Pick<TrafficLimit, 'apiType' | 'scope'>>

export type LimitKind = keyof typeof limitKinds

export const kindsText = Object.keys(limitKinds).join(', ')

/** @throws CliError CLI_USAGE */
export function parseKind(text: string): LimitKind {
  if (!Object.hasOwn(limitKinds, text))
    throw new CliError({ code: 'CLI_USAGE', detail: `"${text}": wanted ${kindsText}` })
  return text as LimitKind
}

export interface Limit {
  readonly trafficLimitID: string
  readonly kind: LimitKind
  readonly threshold: number
  readonly duration: string
}

type Budget = Pick<Limit, 'threshold' | 'duration'>

/** A full name is that of anybody's project, which an administrator may limit; a short one is of the caller. */
const fullName = /^(eth_0x[0-9a-f]{40}|aid_\d+)_/

export async function fetchLimits(api: ApiClient, project: string): Promise<Limit[]> {
  if (fullName.test(project)) {
    const rows = await allRows<TrafficLimit & { trafficLimitID: string }>(api, trafficPath(project, '/datalist'))
    return rows.map((row) => toLimit(row, row.trafficLimitID))
  }
  const { trafficLimits } = await fetchDefinition(api, project)
  return trafficLimits.map((limit) => toLimit(limit, limit.trafficLimitId))
}

/** @throws CliError CLI_NOT_FOUND */
export async function findLimit(api: ApiClient, project: string, kind: LimitKind): Promise<Limit> {
  const limit = (await fetchLimits(api, project)).find((found) => found.kind === kind)
  if (!limit) throw new CliError({ code: 'CLI_NOT_FOUND', what: `traffic limit of ${project}`, name: kind })
  return limit
}

/** Sets a limit, or changes the one there is. */
export async function putLimit(api: ApiClient, project: string, kind: LimitKind, budget: Budget): Promise<Limit> {
  const known = (await fetchLimits(api, project)).find((found) => found.kind === kind)
  if (fullName.test(project)) {
    if (known) await api.put(trafficPath(project, `/${known.trafficLimitID}`), budget)
    else await api.post(trafficPath(project), { ...limitKinds[kind], ...budget })
  } else {
    const change = known
      ? ({ op: 'traffic.update', trafficLimitId: known.trafficLimitID } as const)
      : ({ op: 'traffic.create', ...limitKinds[kind] } as const)
    await applyChanges(api, project, [{ ...change, ...budget }])
  }
  return findLimit(api, project, kind)
}

export async function removeLimit(api: ApiClient, project: string, { trafficLimitID }: Limit): Promise<void> {
  if (fullName.test(project)) await api.delete(trafficPath(project, `/data/${trafficLimitID}`))
  else await applyChanges(api, project, [{ op: 'traffic.remove', trafficLimitId: trafficLimitID }])
}

function toLimit({ apiType, scope, threshold, duration }: TrafficLimit, trafficLimitID: string): Limit {
  const kind = apiType === 'BLOCKCHAIN' ? 'transactions' : scope === 'DEVICE' ? 'device' : 'project'
  return { trafficLimitID, kind, threshold, duration }
}

function trafficPath(project: string, after = ''): string {
  return projectPath('/traffic', project, after)
}
