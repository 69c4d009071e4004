import Type from 'typebox'
import { assetRow } from '../asset-change.ts'
import { Changes, readChanges } from '../change-schema.ts'
import type { RouteContext } from '../context.ts'
import { checkFlowFunctions } from '../flow-check.ts'
import { type Route, route } from '../route.ts'
import { shortName } from '../rows.ts'
import { ShortName } from '../schema.ts'
import { checkTrafficChange } from '../traffic-check.ts'
import { checkVersionChange } from '../version-check.ts'

const params = Type.Object({ p: ShortName })
const group = 'Project'
const Rows = Type.Array(Type.Unknown())

/** A project as a whole: what a deployment compares, and how it is applied. */
export function projectDefinitionRoutes({ deps, own }: RouteContext): Route[] {
  const { projects, accounts } = deps
  return [
    route({
      method: 'GET',
      path: '/project/x/:p/definition',
      summary: 'All that the project consists of, except its devices',
      group,
      params,
      answer: Type.Object({
        project: Type.Unknown(),
        settings: Type.Unknown(),
        env: Rows,
        database: Type.Unknown(),
        flow: Type.Unknown(),
        applets: Rows,
        instances: Rows,
        strategies: Rows,
        assets: Rows,
        cronJobs: Rows,
        trafficLimits: Rows,
      }),
      handle: async ({ params, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const {
          project,
          settings,
          env,
          database,
          flow,
          applets,
          instances,
          strategies,
          assets,
          cronJobs,
          trafficLimits,
        } = definition
        return {
          project: { ...project, name: shortName(entry.name), channel: entry.name, projectKey: entry.key },
          settings,
          env: [...env],
          database,
          flow: flow ?? null,
          applets: [...applets.values()],
          instances: [...instances.values()],
          strategies: [...strategies.values()],
          assets: assets.map(assetRow),
          cronJobs: [...cronJobs.values()],
          trafficLimits: [...trafficLimits.values()],
        }
      },
    }),
    route({
      method: 'POST',
      path: '/project/x/:p/changes',
      summary: 'Apply a list of changes, all or none',
      group,
      params,
      body: Type.Object({ changes: Changes }),
      answer: Type.Object({ results: Rows }),
      handle: async ({ params, body, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const changes = readChanges(body.changes, account, {
          resources: accounts.resources,
          files: accounts.files,
          assets: definition.assets,
        })
        if (changes.length === 0) return { results: [] }
        for (const change of changes) {
          checkTrafficChange(change, definition, account)
          await checkVersionChange(entry, change, deps)
        }
        await checkFlowFunctions(entry, changes, deps)
        const { values } = await projects.change(entry.key, { op: 'all', changes })
        return { results: [...(values ?? [])] }
      },
    }),
  ]
}
