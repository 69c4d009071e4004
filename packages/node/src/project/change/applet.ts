import type { Sfid } from '@w3bstream/protocol'
import type { Applet, Instance } from '../definition.ts'
import { type Accepted, type Application, type Change, type ChangeHandlers, given, Refused } from './application.ts'
import { appletOf } from './find.ts'
import { createInstance } from './instance.ts'
import { createStrategy, strategiesOf } from './strategy.ts'
import { deploy, firstVersion } from './version.ts'

/** Applets of one project: each change of one looks at all. */
const maxApplets = 1000

export const appletChanges: ChangeHandlers<'applet.create' | 'applet.update' | 'applet.remove'> = {
  'applet.create': create,
  'applet.update': update,
  'applet.remove': remove,
}

function create(application: Application, change: Change<'applet.create'>): Accepted {
  if (application.editor.count('applet') >= maxApplets)
    throw new Refused('badRequest', `a project has at most ${maxApplets} applets`)
  const appletId = application.id('applet')
  const name = change.name || appletId
  refuseTakenName(application, name, appletId)
  const applet: Applet = { appletId, name, ...firstVersion(application, appletId, change), ...application.stamp }
  application.editor.put('applet', appletId, applet)
  const instance = createInstance(application, { appletId, cache: change.cache })
  const routes = change.strategies?.length ? change.strategies : [{ eventType: 'DEFAULT', handler: 'start' }]
  const strategies = routes.map((route) => createStrategy(application, appletId, route))
  return { ok: true, id: appletId, value: { applet, instance, strategies } }
}

async function update(application: Application, change: Change<'applet.update'>): Promise<Accepted> {
  const { appletId, name, cache, strategies: routes } = change
  const { editor, context } = application
  const running = await deploy(application, appletOf(application, appletId), change)
  const applet: Applet = { ...running, ...given({ name }), updatedMs: context.timeMs }
  refuseTakenName(application, applet.name, appletId)
  editor.put('applet', appletId, applet)
  if (routes) {
    for (const old of strategiesOf(application, appletId)) editor.remove('strategy', old.strategyId)
    for (const route of routes) createStrategy(application, appletId, route)
  }
  let instance = editor.all<Instance>('instance').find((i) => i.appletId === appletId)
  if (cache && instance) {
    instance = { ...instance, cache: { ...instance.cache, ...given(cache) }, updatedMs: context.timeMs }
    editor.put('instance', instance.instanceId, instance)
  }
  return { ok: true, id: appletId, value: { applet, instance, strategies: strategiesOf(application, appletId) } }
}

function remove(application: Application, { appletId }: Change<'applet.remove'>): Accepted {
  const { editor } = application
  appletOf(application, appletId)
  for (const { strategyId } of strategiesOf(application, appletId)) editor.remove('strategy', strategyId)
  for (const instance of editor.all<Instance>('instance'))
    if (instance.appletId === appletId) editor.remove('instance', instance.instanceId)
  editor.remove('applet', appletId)
  return { ok: true }
}

function refuseTakenName({ editor }: Application, name: string, appletId: Sfid): void {
  if (editor.all<Applet>('applet').some((a) => a.name === name && a.appletId !== appletId))
    throw new Refused('AppletNameConflict', `an applet with the name ${name} exists`)
}
