import Type, { type Static } from 'typebox'
import type { ProjectChange, ProjectDefinition } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import type { AccountIdentity } from '../../endpoint.ts'
import { DatabaseConfig, databaseOf, EnvConfig } from '../config-schema.ts'
import type { RouteContext } from '../context.ts'
import { FlowConfig } from '../flow-schema.ts'
import { type Route, route } from '../route.ts'
import { ProjectRow, projectRow, resourcePath, shortName, timesOf } from '../rows.ts'
import { Id, Ids, Labels, List, pageOf, paging, passes, ShortName, times, toList } from '../schema.ts'

const NewProject = Type.Object({
  name: ShortName,
  public: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  version: Type.Optional(Type.String({ maxLength: 64 })),
  protocol: Type.Optional(Type.String({ maxLength: 64 })),
  description: Type.Optional(Type.String({ maxLength: 4096 })),
  envs: Type.Optional(EnvConfig),
  database: Type.Optional(DatabaseConfig),
  flow: Type.Optional(FlowConfig),
})

const CreatedProject = Type.Object({
  ...ProjectRow.properties,
  envs: EnvConfig,
  database: Type.Unknown(),
  flow: Type.Unknown(),
  channelState: Type.Boolean(),
})

const Filter = Type.Object({ projectID: Ids, name: Labels, version: Labels, ...paging })

const AppletDetail = Type.Object({
  projectID: Id,
  appletID: Id,
  resourceID: Id,
  name: Type.String(),
  ...times,
  path: Type.String(),
  md5: Type.String(),
  instanceID: Type.String(),
  state: Type.String(),
})
const ProjectDetail = Type.Object({ projectID: Id, projectName: Type.String(), applets: Type.Array(AppletDetail) })

export function projectRoutes({ deps, own }: RouteContext): Route[] {
  const { projects } = deps
  const params = Type.Object({ p: ShortName })
  const group = 'Project'

  /** The caller's projects that the filters let through. */
  const select = async (
    account: AccountIdentity,
    filter: Pick<Static<typeof Filter>, 'projectID' | 'name' | 'version'>,
  ) => {
    const entries = projects
      .list({ accountId: account.accountId })
      .filter((entry) => passes(filter.projectID, entry.projectId) && passes(filter.name, shortName(entry.name)))
    const rows = await Promise.all(
      entries.map(async (entry) => ({ entry, definition: await projects.definition(entry.key) })),
    )
    return rows.filter(({ definition }) => passes(filter.version, definition.project.version))
  }

  return [
    route({
      method: 'POST',
      path: '/project',
      summary: 'Create a project',
      group,
      body: NewProject,
      answer: CreatedProject,
      handle: async ({ body, account }) => {
        const { name, public: isPublic, version, protocol, description } = body
        const entry = await projects.create({
          accountId: account.accountId,
          name: own.fullName(account, name),
          public: isPublic ?? undefined,
          version,
          protocol,
          description,
          changes: initialChanges(body),
        })
        return createdRow(entry, await projects.definition(entry.key))
      },
    }),
    route({
      method: 'GET',
      path: '/project/x/:p/data',
      summary: 'A project',
      group,
      params,
      answer: ProjectRow,
      handle: async ({ params, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        return projectRow(entry, definition)
      },
    }),
    route({
      method: 'GET',
      path: '/project/datalist',
      summary: 'List the caller’s projects',
      group,
      query: Filter,
      answer: List(ProjectRow),
      handle: async ({ query, account }) => {
        const rows = await select(account, query)
        return pageOf(
          rows.map(({ entry, definition }) => projectRow(entry, definition)),
          query,
        )
      },
    }),
    route({
      method: 'GET',
      path: '/project/detail_list',
      summary: 'List the caller’s projects with their applets',
      group,
      query: Filter,
      answer: List(ProjectDetail),
      handle: async ({ query, account }) => {
        const page = pageOf(await select(account, query), query)
        const data = (page.data ?? []).map(({ entry, definition }) => detail(entry, definition))
        return toList({ data, total: page.total })
      },
    }),
    route({
      method: 'PUT',
      path: '/project/x/:p/state',
      summary: 'Pause or resume a project',
      group,
      params,
      body: Type.Object({ state: Type.Enum(['active', 'paused']) }),
      handle: async ({ params, body, account }) => {
        await projects.change(own.project(account, params.p).key, { op: 'project.update', state: body.state })
      },
    }),
    route({
      method: 'DELETE',
      path: '/project/x/:p',
      summary: 'Remove a project with all that belongs to it',
      group,
      params,
      handle: async ({ params, account }) => projects.remove(own.project(account, params.p).key),
    }),
  ]
}

function initialChanges({ envs, database, flow }: Static<typeof NewProject>): ProjectChange[] {
  return [
    ...(envs ? [{ op: 'env.put', env: envs.env ?? [] } as const] : []),
    ...(database ? [{ op: 'database.put', database: databaseOf(database) } as const] : []),
    ...(flow ? [{ op: 'flow.put', flow } as const] : []),
  ]
}

function createdRow(entry: ProjectEntry, definition: ProjectDefinition): Static<typeof CreatedProject> {
  const { env, database, flow } = definition
  const envs = { env: env.map(([key, value]) => [key, value] as [string, string]) }
  return { ...projectRow(entry, definition), envs, database, flow: flow ?? {}, channelState: true }
}

function detail(entry: ProjectEntry, { applets, instances }: ProjectDefinition): Static<typeof ProjectDetail> {
  const instanceOf = new Map([...instances.values()].map((instance) => [instance.appletId, instance]))
  return {
    projectID: entry.projectId,
    projectName: entry.name,
    applets: [...applets.values()].map((applet) => ({
      projectID: entry.projectId,
      appletID: applet.appletId,
      resourceID: applet.resourceId,
      name: applet.name,
      ...timesOf(applet),
      path: resourcePath(applet.resourceId),
      md5: applet.md5,
      instanceID: instanceOf.get(applet.appletId)?.instanceId ?? '0',
      state: instanceOf.get(applet.appletId)?.state ?? '',
    })),
  }
}
