import Type, { type Static } from 'typebox'
import type { ProjectDefinition, Strategy } from '../../../project/definition.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { StrategyRow, strategyRow } from '../rows.ts'
import { EventType, HandlerName, Id, Ids, Labels, List, pageOf, paging, passes, ShortName } from '../schema.ts'

const StrategyInput = Type.Object({
  appletID: Id,
  eventType: EventType,
  handler: HandlerName,
  autoCollectMetric: Type.Optional(Type.Boolean()),
})
const filters = { appletID: Ids, strategyID: Ids, eventType: Labels, handler: Labels }
const Filter = Type.Object({ ...filters, ...paging })
const params = Type.Object({ p: ShortName })
const byId = Type.Object({ strategyID: Id })
const group = 'Strategy'

export function strategyRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'POST',
      path: '/strategy/x/:p',
      summary: 'Route events of a type to a handler',
      group,
      params,
      body: StrategyInput,
      answer: StrategyRow,
      handle: async ({ params, body, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const { appletID: appletId, ...rest } = body
        if (!definition.applets.has(appletId)) throw new ApiError('AppletNotFound', appletId)
        const result = await projects.change(entry.key, { op: 'strategy.create', appletId, ...rest })
        return strategyRow(entry, rowOf<Strategy>(result))
      },
    }),
    route({
      method: 'PUT',
      path: '/strategy/:strategyID',
      aliases: ['/strategy/x/:p/:strategyID'],
      summary: 'Change a strategy',
      group,
      params: byId,
      body: StrategyInput,
      handle: async ({ params, body, account }) => {
        const { entry, definition, strategy } = await own.strategy(account, params.strategyID)
        const { appletID: appletId, ...rest } = body
        if (!definition.applets.has(appletId)) throw new ApiError('AppletNotFound', appletId)
        const { strategyId } = strategy
        await projects.change(entry.key, { op: 'strategy.update', strategyId, appletId, ...rest })
      },
    }),
    route({
      method: 'GET',
      path: '/strategy/data/:strategyID',
      summary: 'A strategy',
      group,
      params: byId,
      answer: StrategyRow,
      handle: async ({ params, account }) => {
        const { entry, strategy } = await own.strategy(account, params.strategyID)
        return strategyRow(entry, strategy)
      },
    }),
    route({
      method: 'GET',
      path: '/strategy/x/:p/datalist',
      summary: 'List strategies',
      group,
      params,
      query: Filter,
      answer: List(StrategyRow),
      handle: async ({ params, query, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const rows = select(definition, query).map((strategy) => strategyRow(entry, strategy))
        return pageOf(rows, query)
      },
    }),
    route({
      method: 'DELETE',
      path: '/strategy/data/:strategyID',
      summary: 'Remove a strategy',
      group,
      params: byId,
      handle: async ({ params, account }) => {
        const { entry, strategy } = await own.strategy(account, params.strategyID)
        await projects.change(entry.key, { op: 'strategy.remove', strategyId: strategy.strategyId })
      },
    }),
    route({
      method: 'DELETE',
      path: '/strategy/x/:p',
      summary: 'Remove the strategies that the filters name, or all',
      group,
      params,
      query: Type.Object(filters),
      handle: async ({ params, query, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const changes = select(definition, query).map(
          ({ strategyId }) => ({ op: 'strategy.remove', strategyId }) as const,
        )
        if (changes.length > 0) await projects.change(entry.key, { op: 'all', changes })
      },
    }),
  ]
}

function select({ strategies }: ProjectDefinition, filter: Omit<Static<typeof Filter>, 'size' | 'offset'>): Strategy[] {
  const { appletID, strategyID, eventType, handler } = filter
  return [...strategies.values()].filter(
    (strategy) =>
      passes(appletID, strategy.appletId) &&
      passes(strategyID, strategy.strategyId) &&
      passes(eventType, strategy.eventType) &&
      passes(handler, strategy.handler),
  )
}
