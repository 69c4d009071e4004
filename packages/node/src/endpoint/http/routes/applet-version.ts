import Type, { type Static } from 'typebox'
import type { Applet, AppletVersion, ProjectChange } from '../../../project/definition.ts'
import type { ProjectEntry, VersionResults } from '../../../project/project.ts'
import type { RouteContext } from '../context.ts'
import { checkFlowFunctions } from '../flow-check.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { Id, List, paging, Time, toList } from '../schema.ts'
import { badPart, formReader, storeModule } from '../upload.ts'
import { checkVersionChange, requireHandlers } from '../version-check.ts'

const Percent = Type.Integer({ minimum: 0, maximum: 100, description: 'whole percent of the devices' })
export const Note = Type.Optional(Type.String({ maxLength: 256, description: 'why; kept in the history' }))
const Place = {
  by: Type.String({ description: 'account; empty when the management API did not do it' }),
  height: Type.String({ description: 'number of the batch from which on it counts' }),
  at: Time,
}

const VersionRow = Type.Object({
  version: Type.Integer(),
  state: Type.Enum(['current', 'canary', 'former']),
  percent: Type.Optional(Percent),
  op: Type.Enum(['deploy', 'rollback', 'canary']),
  of: Type.Optional(Type.Integer({ description: 'the version whose module a rollback brought back' })),
  codeHash: Type.String(),
  md5: Type.String(),
  filename: Type.String(),
  resourceID: Id,
  note: Type.Optional(Type.String()),
  ...Place,
  steps: Type.Array(
    Type.Object({ op: Type.Enum(['share', 'promote', 'abort']), percent: Type.Optional(Percent), ...Place }),
    { description: 'what became of a canary' },
  ),
  results: Type.Object({
    ok: Type.Integer({ description: 'runs of handlers that returned zero or more' }),
    negative: Type.Integer({ description: 'runs of handlers that returned a negative number' }),
    failed: Type.Integer({ description: 'runs of handlers that did not return' }),
    meanFuel: Type.Integer(),
  }),
})

/** An applet as far as its versions go. */
const Running = Type.Object({
  appletID: Id,
  version: Type.Integer(),
  codeHash: Type.String(),
  canary: Type.Optional(Type.Object({ version: Type.Integer(), codeHash: Type.String(), percent: Percent })),
})

const CanaryInfo = Type.Object({
  percent: Percent,
  wasmName: Type.Optional(Type.String({ maxLength: 255 })),
  wasmMd5: Type.Optional(Type.String({ maxLength: 64 })),
  note: Note,
})
const CanaryForm = Type.Object({
  file: Type.Optional(Type.String({ format: 'binary', description: 'the WebAssembly module' })),
  info: Type.Optional(CanaryInfo),
})
const Messages = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 10_000,
    default: 1000,
    description: 'how many of the latest messages the results are counted over',
  }),
)
const byId = Type.Object({ appletID: Id })
const group = 'Applet'

export function appletVersionRoutes({ deps, own, limits }: RouteContext): Route[] {
  const { projects } = deps
  const readForm = formReader(CanaryInfo, limits)
  const apply = async (entry: ProjectEntry, appletId: string, change: ProjectChange) => {
    await projects.change(entry.key, change)
    const { applets } = await projects.definition(entry.key)
    const applet = applets.get(appletId)
    return applet && running(applet)
  }

  return [
    route({
      method: 'GET',
      path: '/applet/data/:appletID/versions',
      summary: 'Deployments of an applet, newest first, and what messages came to under each',
      group,
      params: byId,
      query: Type.Object({ messages: Messages, ...paging }),
      answer: List(VersionRow),
      handle: async ({ params, query, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        const { data, total } = await projects.appletVersions(entry.key, applet.appletId, query)
        const results = await projects.versionResults(entry.key, data, query.messages ?? 1000)
        return toList({ data: data.map((version) => versionRow(applet, version, results.get(version.version))), total })
      },
    }),
    route({
      method: 'POST',
      path: '/applet/:appletID/rollback',
      summary: 'Run the module of an older version again',
      group,
      params: byId,
      body: Type.Object({ version: Type.Integer({ minimum: 1 }), note: Note }),
      answer: Running,
      handle: async ({ params, body, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        const { appletId } = applet
        const change: ProjectChange = { op: 'applet.rollback', appletId, ...body, by: account.accountId }
        await checkVersionChange(entry, change, deps)
        await checkFlowFunctions(entry, [change], deps)
        return apply(entry, appletId, change)
      },
    }),
    route({
      method: 'POST',
      path: '/applet/:appletID/canary',
      summary: 'Run a new module for a share of the devices',
      group,
      params: byId,
      body: CanaryForm,
      multipart: true,
      answer: Running,
      handle: async ({ params, account, request }) => {
        const { entry, applet, definition } = await own.applet(account, params.appletID)
        const { file, info } = await readForm(request)
        if (!file) throw badPart('file', 'missing required field')
        const upload = { md5: info.wasmMd5, fileName: info.wasmName }
        const { resource, report } = await storeModule(file, account, upload, deps, limits)
        const { appletId } = applet
        requireHandlers(definition, appletId, report)
        const { resourceId, codeHash, md5, fileName } = resource
        const { percent, note } = info
        const module = { resourceId, codeHash, md5, fileName }
        const by = account.accountId
        const change = { op: 'applet.canary', appletId, percent, ...module, by, note } as const
        await checkFlowFunctions(entry, [change], deps)
        return apply(entry, appletId, change)
      },
    }),
    route({
      method: 'PUT',
      path: '/applet/:appletID/canary',
      summary: 'Change the share of a canary that runs',
      group,
      params: byId,
      body: Type.Object({ percent: Percent }),
      answer: Running,
      handle: async ({ params, body, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        const { appletId } = applet
        return apply(entry, appletId, { op: 'applet.canary', appletId, ...body, by: account.accountId })
      },
    }),
    ...(['promote', 'abort'] as const).map((verb) =>
      route({
        method: 'POST',
        path: `/applet/:appletID/${verb}`,
        summary: verb === 'promote' ? 'Run the canary for all devices' : 'End the canary',
        group,
        params: byId,
        answer: Running,
        handle: async ({ params, account }) => {
          const { entry, applet } = await own.applet(account, params.appletID)
          const { appletId } = applet
          return apply(entry, appletId, { op: `applet.${verb}`, appletId, by: account.accountId })
        },
      }),
    ),
  ]
}

function running({ appletId, version, codeHash, canary }: Applet): Static<typeof Running> {
  const beside = canary && { version: canary.version, codeHash: canary.codeHash, percent: canary.percent }
  return { appletID: appletId, version, codeHash, ...(beside ? { canary: beside } : {}) }
}

function versionRow(
  { version: current, canary }: Applet,
  row: AppletVersion,
  results: VersionResults = { ok: 0, negative: 0, failed: 0, meanFuel: 0 },
): Static<typeof VersionRow> {
  const { version, op, of, codeHash, md5, fileName, resourceId, note, steps } = row
  const isCanary = canary?.version === version
  return {
    version,
    state: version === current ? 'current' : isCanary ? 'canary' : 'former',
    ...(isCanary ? { percent: canary.percent } : {}),
    op,
    ...(of === undefined ? {} : { of }),
    codeHash,
    md5,
    filename: fileName,
    resourceID: resourceId,
    ...(note === '' ? {} : { note }),
    ...placeRow(row),
    steps: steps.map((step) => ({
      op: step.op,
      ...(step.percent === undefined ? {} : { percent: step.percent }),
      ...placeRow(step),
    })),
    results,
  }
}

function placeRow({ by, height, timeMs }: Pick<AppletVersion, 'by' | 'height' | 'timeMs'>) {
  return { by, height, at: rfc3339(timeMs) }
}
