import Type, { type Static } from 'typebox'
import type { LogRow as StoredLog } from '../../../database/database.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { Id, List, paging, ShortName, toList } from '../schema.ts'

/** Names of the levels 0 to 6; any other number is `unknown`. */
const logLevels = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace'] as const

export const LogRow = Type.Object({
  src: Type.String({ description: 'wasmCode: the applet; wasmExportFunc: the host on its behalf' }),
  level: Type.String(),
  msg: Type.String(),
  logTime: Type.String({ description: 'RFC 3339, milliseconds' }),
  eventID: Type.String(),
  instanceID: Type.String(),
  appletID: Type.String(),
  row: Type.Integer({ description: 'grows with time; `after` takes it' }),
})

export function logRow(log: StoredLog & { row: number }): Static<typeof LogRow> {
  return {
    src: log.source,
    level: logLevels[log.level] ?? 'unknown',
    msg: log.message,
    logTime: new Date(log.timeMs).toISOString(),
    eventID: log.eventId,
    instanceID: log.instanceId,
    appletID: log.appletId,
    row: log.row,
  }
}

const Filter = Type.Object({
  instanceID: Type.Optional(Id),
  appletID: Type.Optional(Id),
  eventID: Type.Optional(Type.String({ maxLength: 256 })),
  level: Type.Optional(Type.Enum([...logLevels])),
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'only later rows, oldest first' })),
  ...paging,
})

export function wasmLogRoutes({ deps, own }: RouteContext): Route[] {
  const group = 'Wasm Log'
  return [
    route({
      method: 'GET',
      path: '/wasmlog/x/:p/datalist',
      summary: 'Log lines of the applets, newest first',
      group,
      params: Type.Object({ p: ShortName }),
      query: Filter,
      answer: List(LogRow),
      handle: async ({ params, query, account }) => {
        const reader = await deps.projects.reader(own.project(account, params.p).key)
        const { data, total } = await reader.listLogs({
          instanceId: query.instanceID,
          appletId: query.appletID,
          eventId: query.eventID?.toLowerCase(),
          level: query.level && logLevels.indexOf(query.level),
          after: query.after,
          size: query.size,
          offset: query.offset,
        })
        return toList({ data: data.map(logRow), total })
      },
    }),
    route({
      method: 'DELETE',
      path: '/wasmlog/:instanceID',
      summary: 'Forget the log lines of an instance',
      group,
      params: Type.Object({ instanceID: Id }),
      handle: async ({ params, account }) => {
        const { entry, instance } = await own.instance(account, params.instanceID)
        if (!deps.removeLogs) throw new ApiError('BatchRemoveWasmLogFailed', 'this node keeps all log lines')
        await deps.removeLogs(entry.key, instance.instanceId)
      },
    }),
  ]
}
