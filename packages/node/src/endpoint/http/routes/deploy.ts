import Type from 'typebox'
import type { Instance } from '../../../project/definition.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { InstanceRow, instanceRow } from '../rows.ts'
import { Id, ShortName } from '../schema.ts'
import { CacheConfig } from './applet.ts'

/** Studio's older builds know more commands; they get an error, as from the reference. */
const states: Readonly<Record<string, Instance['state']>> = { START: 'STARTED', HUNGUP: 'STOPPED' }

const byApplet = Type.Object({ appletID: Id })
const byInstance = Type.Object({ instanceID: Id })
const group = 'Deploy'

export function deployRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'POST',
      path: '/deploy/applet/:appletID',
      summary: 'Give an applet an instance, in place of the one it may have',
      group,
      params: byApplet,
      body: Type.Union([Type.Object({ cache: Type.Optional(Type.Union([CacheConfig, Type.Null()])) }), Type.Null()]),
      answer: InstanceRow,
      handle: async ({ params, body, account }) => {
        const { entry, applet } = await own.applet(account, params.appletID)
        const cache = body?.cache ?? undefined
        const result = await projects.change(entry.key, { op: 'instance.create', appletId: applet.appletId, cache })
        return instanceRow(rowOf<Instance>(result))
      },
    }),
    route({
      method: 'GET',
      path: '/deploy/applet/:appletID',
      summary: 'The instance of an applet',
      group,
      params: byApplet,
      answer: InstanceRow,
      handle: async ({ params, account }) => {
        const { definition, applet } = await own.applet(account, params.appletID)
        const instance = [...definition.instances.values()].find(({ appletId }) => appletId === applet.appletId)
        if (!instance) throw new ApiError('InstanceNotFound', `of applet ${applet.appletId}`)
        return instanceRow(instance)
      },
    }),
    route({
      method: 'GET',
      path: '/deploy/instance/:instanceID',
      summary: 'An instance',
      group,
      params: byInstance,
      answer: InstanceRow,
      handle: async ({ params, account }) => instanceRow((await own.instance(account, params.instanceID)).instance),
    }),
    route({
      method: 'PUT',
      path: '/deploy/:instanceID/:cmd',
      summary: 'Start or stop an instance: START, HUNGUP',
      group,
      params: Type.Object({ instanceID: Id, cmd: Type.String({ maxLength: 32 }) }),
      handle: async ({ params, account }) => {
        const cmd = params.cmd.toUpperCase()
        const state = Object.hasOwn(states, cmd) ? states[cmd] : undefined
        if (!state) throw new ApiError('UnknownDeployCommand', `${params.cmd}; wanted: START, HUNGUP`)
        const { entry, instance } = await own.instance(account, params.instanceID)
        await projects.change(entry.key, { op: 'instance.state', instanceId: instance.instanceId, state })
      },
    }),
    route({
      method: 'DELETE',
      path: '/deploy/data/:instanceID',
      summary: 'Remove an instance',
      group,
      params: byInstance,
      handle: async ({ params, account }) => {
        const { entry, instance } = await own.instance(account, params.instanceID)
        await projects.change(entry.key, { op: 'instance.remove', instanceId: instance.instanceId })
      },
    }),
    route({
      method: 'DELETE',
      path: '/deploy/x/:p',
      summary: 'Remove all instances of a project',
      group,
      params: Type.Object({ p: ShortName }),
      handle: async ({ params, account }) => {
        const { entry, definition } = await own.defined(account, params.p)
        const changes = [...definition.instances.keys()].map(
          (instanceId) => ({ op: 'instance.remove', instanceId }) as const,
        )
        if (changes.length > 0) await projects.change(entry.key, { op: 'all', changes })
      },
    }),
  ]
}
