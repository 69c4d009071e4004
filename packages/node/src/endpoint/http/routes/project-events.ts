import Type from 'typebox'
import type { RouteContext } from '../context.ts'
import { streamTypes } from '../event-stream.ts'
import { type Route, route } from '../route.ts'
import { ShortName } from '../schema.ts'

export function projectEventsRoutes({ own, streams }: RouteContext): Route[] {
  return [
    route({
      method: 'GET',
      path: '/project/x/:p/events',
      summary: 'Log lines, receipts and state as they come (server-sent events)',
      group: 'Project',
      params: Type.Object({ p: ShortName }),
      query: Type.Object({
        type: Type.Optional(Type.Array(Type.Enum([...streamTypes]), { description: 'default: all' })),
        after: Type.Optional(Type.Integer({ minimum: 0, description: 'begin after this log row, not now' })),
      }),
      raw: 'text/event-stream',
      handle: async ({ params, query, account, request, reply }) => {
        const { key } = own.project(account, params.p)
        const resumed = /^\d{1,15}$/.test(String(request.headers['last-event-id'] ?? ''))
          ? Number(request.headers['last-event-id'])
          : undefined
        await streams.open({ key, account, types: query.type ?? streamTypes, after: resumed ?? query.after }, reply)
        return undefined
      },
    }),
  ]
}
