import { hash } from 'node:crypto'
import { sfidFromBytes } from '@w3bstream/protocol'
import Type, { type Static } from 'typebox'
import type { DatabaseSchema } from '../../../database/database.ts'
import type { ProjectDefinition } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import { ApiError, type FieldError } from '../../api-error.ts'
import { DatabaseConfig, databaseOf, EnvConfig } from '../config-schema.ts'
import type { RouteContext } from '../context.ts'
import { checkFlowFunctions } from '../flow-check.ts'
import { FlowConfig } from '../flow-schema.ts'
import { type Route, route } from '../route.ts'
import { timesOf } from '../rows.ts'
import { Id, ShortName, times } from '../schema.ts'

const ConfigRow = Type.Object({ configID: Id, relID: Id, type: Type.String(), ...times })
const group = 'Project Config'
const params = Type.Object({ p: ShortName })

export function projectConfigRoutes({ deps, own }: RouteContext): Route[] {
  const { projects, schemaProblems } = deps
  const path = (type: string) => `/project_config/x/:p/${type}`
  const row = async (entry: ProjectEntry, type: string) => configRow(entry, await projects.definition(entry.key), type)
  return [
    route({
      method: 'GET',
      path: path('PROJECT_DATABASE'),
      summary: 'Tables of the project',
      group,
      params,
      answer: Type.Unknown(),
      handle: async ({ params, account }) => (await own.defined(account, params.p)).definition.database,
    }),
    route({
      method: 'POST',
      path: path('PROJECT_DATABASE'),
      summary: 'Bring the tables to this schema; what would lose data is refused',
      group,
      params,
      body: DatabaseConfig,
      bodyProblems: (body) => schemaProblems(body as DatabaseSchema).map(toField),
      answer: ConfigRow,
      handle: async ({ params, body, account }) => {
        const entry = own.project(account, params.p)
        await projects.change(entry.key, { op: 'database.put', database: databaseOf(body) })
        return row(entry, 'PROJECT_DATABASE')
      },
    }),
    route({
      method: 'GET',
      path: path('PROJECT_ENV'),
      summary: 'Variables of the project',
      group,
      params,
      answer: EnvConfig,
      handle: async ({ params, account }) => {
        const { env } = (await own.defined(account, params.p)).definition
        return { env: env.map(([key, value]) => [key, value] as [string, string]) }
      },
    }),
    route({
      method: 'POST',
      path: path('PROJECT_ENV'),
      summary: 'Replace the variables',
      group,
      params,
      body: EnvConfig,
      answer: ConfigRow,
      handle: async ({ params, body, account }) => {
        const entry = own.project(account, params.p)
        await projects.change(entry.key, { op: 'env.put', env: body.env ?? [] })
        return row(entry, 'PROJECT_ENV')
      },
    }),
    route({
      method: 'GET',
      path: path('PROJECT_FLOW'),
      summary: 'Stream flow of the project',
      group,
      params,
      answer: Type.Unknown(),
      handle: async ({ params, account }) => {
        const { flow } = (await own.defined(account, params.p)).definition
        if (flow === undefined || flow === null) throw new ApiError('ConfigNotFound', 'PROJECT_FLOW')
        return flow
      },
    }),
    route({
      method: 'POST',
      path: path('PROJECT_FLOW'),
      summary: 'Replace the stream flow',
      group,
      params,
      body: FlowConfig,
      answer: ConfigRow,
      handle: async ({ params, body, account }) => {
        const entry = own.project(account, params.p)
        const change = { op: 'flow.put', flow: body } as const
        await checkFlowFunctions(entry, [change], deps)
        await projects.change(entry.key, change)
        return row(entry, 'PROJECT_FLOW')
      },
    }),
  ]
}

/** `schemas[0].tables[1].name "…": what is wrong`: the path, then the rest. */
function toField(problem: string): FieldError {
  const [, field = '', msg = problem] = /^([^\s:]+):? (.*)$/s.exec(problem) ?? []
  return { field, msg, in: 'body' }
}

/** A project has one configuration of each type, so its id follows from the two. */
function configRow(entry: ProjectEntry, definition: ProjectDefinition, type: string): Static<typeof ConfigRow> {
  const configID = sfidFromBytes(hash('sha256', `config ${entry.key} ${type}`, 'buffer'))
  return { configID, relID: entry.projectId, type, ...timesOf(definition.project) }
}
