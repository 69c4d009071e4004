import Type, { type Static } from 'typebox'
import type { TrafficLimit } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { timesOf } from '../rows.ts'
import { AnyProjectName, Duration, Id, List, pageOf, paging, Threshold, Time, times } from '../schema.ts'

const ApiType = Type.Enum(['EVENT', 'BLOCKCHAIN'], { description: 'events that come in, or transactions sent' })
const Scope = Type.Enum(['PROJECT', 'DEVICE'], {
  description: 'the project as a whole, or each of its devices',
  default: 'PROJECT',
})
const TrafficRow = Type.Object({
  trafficLimitID: Id,
  projectID: Id,
  threshold: Threshold,
  duration: Type.String(),
  apiType: ApiType,
  scope: Scope,
  startAt: Time,
  ...times,
})
const byName = Type.Object({ p: AnyProjectName })
const byLimit = Type.Object({ trafficLimitID: Id })
const byBoth = Type.Object({ p: AnyProjectName, trafficLimitID: Id })
const group = 'Traffic Limit'
const auth = 'admin'

/** What an administrator allows projects, his own by their short names and all by their full names. */
export function trafficRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  /** @throws ApiError TrafficLimitNotFound */
  const limitOf = async (entry: ProjectEntry | undefined, id: string) => {
    const limit = entry && (await projects.definition(entry.key)).trafficLimits.get(id)
    if (!limit) throw new ApiError('TrafficLimitNotFound', id)
    return { entry, limit }
  }
  const remove = (entry: ProjectEntry, trafficLimitId: string) =>
    projects.change(entry.key, { op: 'traffic.remove', trafficLimitId })
  return [
    route({
      method: 'POST',
      path: '/traffic/x/:p',
      summary: 'Limit the traffic of a project',
      group,
      auth,
      params: byName,
      body: Type.Object({
        threshold: Threshold,
        duration: Duration,
        apiType: ApiType,
        scope: Type.Optional(Scope),
      }),
      answer: TrafficRow,
      handle: async ({ params, body, account }) => {
        const entry = own.anyProject(account, params.p)
        const result = await projects.change(entry.key, { op: 'traffic.create', ...body })
        return trafficRow(entry, rowOf<TrafficLimit>(result))
      },
    }),
    route({
      method: 'PUT',
      path: '/traffic/x/:p/:trafficLimitID',
      summary: 'Change a traffic limit',
      group,
      auth,
      params: byBoth,
      body: Type.Object({ threshold: Type.Optional(Threshold), duration: Type.Optional(Duration) }),
      answer: TrafficRow,
      handle: async ({ params, body, account }) => {
        const { entry, limit } = await limitOf(own.anyProject(account, params.p), params.trafficLimitID)
        const { trafficLimitId } = limit
        const result = await projects.change(entry.key, { op: 'traffic.update', trafficLimitId, ...body })
        return trafficRow(entry, rowOf<TrafficLimit>(result))
      },
    }),
    route({
      method: 'GET',
      path: '/traffic/data/:trafficLimitID',
      summary: 'A traffic limit',
      group,
      auth,
      params: byLimit,
      answer: TrafficRow,
      handle: async ({ params: { trafficLimitID } }) => {
        const key = await projects.locate('trafficLimit', trafficLimitID)
        const { entry, limit } = await limitOf(key && projects.byKey(key), trafficLimitID)
        return trafficRow(entry, limit)
      },
    }),
    route({
      method: 'GET',
      path: '/traffic/x/:p/datalist',
      summary: 'List the traffic limits of a project',
      group,
      auth,
      params: byName,
      query: Type.Object({ apiType: Type.Optional(ApiType), ...paging }),
      answer: List(TrafficRow),
      handle: async ({ params, query, account }) => {
        const entry = own.anyProject(account, params.p)
        const { trafficLimits } = await projects.definition(entry.key)
        const rows = [...trafficLimits.values()]
          .filter(({ apiType }) => query.apiType === undefined || apiType === query.apiType)
          .map((limit) => trafficRow(entry, limit))
        return pageOf(rows, query)
      },
    }),
    route({
      method: 'DELETE',
      path: '/traffic/x/:p/data/:trafficLimitID',
      summary: 'Remove a traffic limit',
      group,
      auth,
      params: byBoth,
      handle: async ({ params, account }) => {
        const { entry, limit } = await limitOf(own.anyProject(account, params.p), params.trafficLimitID)
        await remove(entry, limit.trafficLimitId)
      },
    }),
    route({
      method: 'DELETE',
      path: '/traffic/x/:p',
      summary: 'Remove all traffic limits of a project',
      group,
      auth,
      params: byName,
      handle: async ({ params, account }) => {
        const entry = own.anyProject(account, params.p)
        const { trafficLimits } = await projects.definition(entry.key)
        const changes = [...trafficLimits.keys()].map((id) => ({ op: 'traffic.remove' as const, trafficLimitId: id }))
        if (changes.length > 0) await projects.change(entry.key, { op: 'all', changes })
      },
    }),
  ]
}

function trafficRow({ projectId }: ProjectEntry, limit: TrafficLimit): Static<typeof TrafficRow> {
  const { trafficLimitId, threshold, duration, apiType, scope, startMs } = limit
  return {
    trafficLimitID: trafficLimitId,
    projectID: projectId,
    threshold,
    duration,
    apiType,
    scope,
    startAt: rfc3339(startMs),
    ...timesOf(limit),
  }
}
