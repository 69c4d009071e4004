import Type, { type Static } from 'typebox'
import type { Resource } from '../../../account/resource.ts'
import type { Applet, Instance, ProjectDefinition, Strategy } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import type { RouteContext } from '../context.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { AppletRow, appletRow, InstanceRow, instanceRow, StrategyRow, strategyRow } from '../rows.ts'
import { EventType, HandlerName, Id, Ids, Labels, List, pageOf, paging, passes, ShortName } from '../schema.ts'
import { badPart, formReader, storeModule } from '../upload.ts'
import { Note } from './applet-version.ts'
import { ResourceRow, resourceRow } from './resource.ts'

export const CacheConfig = Type.Object({
  mode: Type.Optional(Type.Enum(['MEMORY', 'REDIS'])),
  prefix: Type.Optional(Type.String({ maxLength: 256 })),
})

const AppletInfo = Type.Object({
  appletName: Type.Optional(Type.String({ maxLength: 128, description: 'the applet’s id when omitted' })),
  wasmName: Type.Optional(Type.String({ maxLength: 255 })),
  wasmMd5: Type.Optional(Type.String({ maxLength: 64 })),
  note: Note,
  wasmCache: Type.Optional(Type.Union([CacheConfig, Type.Null()])),
  strategies: Type.Optional(
    Type.Union([
      Type.Array(
        Type.Object({ eventType: EventType, handler: HandlerName, autoCollectMetric: Type.Optional(Type.Boolean()) }),
        { maxItems: 1000, description: 'DEFAULT to `start` when omitted' },
      ),
      Type.Null(),
    ]),
  ),
})
/** The two parts of the form, for the document. */
const Form = Type.Object({
  file: Type.Optional(Type.String({ format: 'binary', description: 'the WebAssembly module' })),
  info: Type.Optional(AppletInfo),
})

const AppletAnswer = Type.Object({
  ...AppletRow.properties,
  instance: Type.Optional(InstanceRow),
  resource: ResourceRow,
  strategies: Type.Optional(Type.Array(StrategyRow)),
})

const filters = {
  appletID: Ids,
  names: Labels,
  name: Type.Optional(Type.String()),
  lName: Type.Optional(Type.String()),
}
const Filter = Type.Object({ ...filters, ...paging })

const params = Type.Object({ p: ShortName })
const byId = Type.Object({ appletID: Id })
const group = 'Applet'

export function appletRoutes({ deps, own, limits }: RouteContext): Route[] {
  const { projects, accounts } = deps
  const readForm = formReader(AppletInfo, limits)

  return [
    route({
      method: 'POST',
      path: '/applet/x/:p',
      summary: 'Create an applet: upload its module, start an instance',
      group,
      params,
      body: Form,
      multipart: true,
      answer: AppletAnswer,
      handle: async ({ params, account, request }) => {
        const entry = own.project(account, params.p)
        const { file, info } = await readForm(request)
        if (!file) throw badPart('file', 'missing required field')
        const upload = { md5: info.wasmMd5, fileName: info.wasmName }
        const { resource } = await storeModule(file, account, upload, deps, limits)
        const result = await projects.change(entry.key, {
          op: 'applet.create',
          name: info.appletName ?? '',
          ...moduleOf(resource),
          ...optionsOf(info),
          by: account.accountId,
        })
        const made = rowOf<{ applet: Applet; instance: Instance; strategies: Strategy[] }>(result)
        return answer(entry, made.applet, made.instance, made.strategies, resource)
      },
    }),
    route({
      method: 'PUT',
      path: '/applet/:appletID',
      summary: 'Replace an applet’s module, or its strategies',
      group,
      params: byId,
      body: Form,
      multipart: true,
      answer: AppletAnswer,
      handle: async ({ params, account, request }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        const { file, info } = await readForm(request)
        const upload = { md5: info.wasmMd5, fileName: info.wasmName }
        const stored = file && (await storeModule(file, account, upload, deps, limits))
        const { appletId } = applet
        await projects.change(entry.key, {
          op: 'applet.update',
          appletId,
          name: info.appletName,
          ...(stored ? moduleOf(stored.resource) : {}),
          ...optionsOf(info),
          by: account.accountId,
        })
        const definition = await projects.definition(entry.key)
        const updated = definition.applets.get(appletId) ?? applet
        const resource = stored?.resource ?? accounts.resources.get(account.accountId, updated.resourceId)
        return answer(entry, updated, ...partsOf(definition, appletId), resource)
      },
    }),
    route({
      method: 'GET',
      path: '/applet/x/:p/datalist',
      summary: 'List applets',
      group,
      params,
      query: Filter,
      answer: List(AppletRow),
      handle: async ({ params, query, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const rows = select(definition, query).map((applet) => appletRow(entry, applet))
        return pageOf(rows, query)
      },
    }),
    route({
      method: 'GET',
      path: '/applet/data/:appletID',
      summary: 'An applet',
      group,
      params: byId,
      answer: AppletRow,
      handle: async ({ params, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        return appletRow(entry, applet)
      },
    }),
    route({
      method: 'DELETE',
      path: '/applet/data/:appletID',
      summary: 'Remove an applet with its instance and strategies',
      group,
      params: byId,
      handle: async ({ params, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        await projects.change(entry.key, { op: 'applet.remove', appletId: applet.appletId })
      },
    }),
    route({
      method: 'DELETE',
      path: '/applet/x/:p',
      summary: 'Remove the applets that the filters name, or all',
      group,
      params,
      query: Type.Object(filters),
      handle: async ({ params, query, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const changes = select(definition, query).map(({ appletId }) => ({ op: 'applet.remove', appletId }) as const)
        if (changes.length > 0) await projects.change(entry.key, { op: 'all', changes })
      },
    }),
  ]
}

function moduleOf({ resourceId, codeHash, md5, fileName }: Resource) {
  return { resourceId, codeHash, md5, fileName }
}

function optionsOf({ wasmCache, strategies, note }: Static<typeof AppletInfo>) {
  return {
    ...(wasmCache ? { cache: wasmCache } : {}),
    ...(strategies ? { strategies } : {}),
    ...(note ? { note } : {}),
  }
}

function partsOf({ instances, strategies }: ProjectDefinition, appletId: string): [Instance | undefined, Strategy[]] {
  return [
    [...instances.values()].find((instance) => instance.appletId === appletId),
    [...strategies.values()].filter((strategy) => strategy.appletId === appletId),
  ]
}

function answer(
  entry: ProjectEntry,
  applet: Applet,
  instance: Instance | undefined,
  strategies: readonly Strategy[],
  resource: Resource,
): Static<typeof AppletAnswer> {
  return {
    ...appletRow(entry, applet),
    instance: instance && instanceRow(instance),
    resource: resourceRow(resource),
    strategies: strategies.length > 0 ? strategies.map((strategy) => strategyRow(entry, strategy)) : undefined,
  }
}

function select({ applets }: ProjectDefinition, filter: Omit<Static<typeof Filter>, 'size' | 'offset'>): Applet[] {
  const { appletID, names, name = '', lName = '' } = filter
  return [...applets.values()].filter(
    (applet) =>
      passes(appletID, applet.appletId) &&
      passes(names, applet.name) &&
      applet.name.includes(name) &&
      applet.name.startsWith(lName),
  )
}
