import Type, { type Static } from 'typebox'
import type { OpenWindow } from '../../../project/flow.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { List, paging, ShortName, Time, toList } from '../schema.ts'

const WindowRow = Type.Object({
  group: Type.String({ description: 'key of the group, where each has windows of its own' }),
  start: Time,
  end: Type.String({ description: 'of count windows: the time of the latest element' }),
  due: Type.String({ description: 'when it is closed at the latest' }),
  elements: Type.Integer(),
  bytes: Type.Integer({ description: 'what it counts towards the limit of the flow' }),
  accumulatorBytes: Type.Optional(
    Type.Integer({ description: 'what REDUCE has accumulated; absent where elements are kept' }),
  ),
})
const Status = Type.Object({
  bytes: Type.Integer({ description: 'all that the flow keeps' }),
  late: Type.Integer({
    description: 'elements that came when their windows were closed, since the flow has this shape',
  }),
  dropped: Type.Integer({ description: 'elements that found no room, since the flow has this shape' }),
  wakeAt: Type.Optional(Type.String({ description: 'when the node looks again for windows that are due' })),
  ...List(WindowRow).properties,
})

/** The stream flow of a project while it runs; how it is configured is PROJECT_FLOW. */
export function flowRoutes({ deps: { projects, flowStatus }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'GET',
      path: '/flow/x/:p/status',
      summary: 'What the stream flow keeps: open windows, late and dropped elements',
      group: 'Project',
      params: Type.Object({ p: ShortName }),
      query: Type.Object(paging),
      answer: Status,
      handle: async ({ params, query, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const status = await flowStatus(await projects.reader(entry.key), definition, query)
        if (!status) throw new ApiError('ConfigNotFound', 'PROJECT_FLOW')
        const { windows, bytes, late, dropped, wakeMs, open } = status
        const wakeAt = wakeMs === undefined ? {} : { wakeAt: rfc3339(wakeMs) }
        return { bytes, late, dropped, ...wakeAt, ...toList({ data: open.map(windowRow), total: windows }) }
      },
    }),
  ]
}

function windowRow({ startMs, endMs, dueMs, ...rest }: OpenWindow): Static<typeof WindowRow> {
  return { ...rest, start: rfc3339(startMs), end: rfc3339(endMs), due: rfc3339(dueMs) }
}
