import type { Sfid } from '@w3bstream/protocol'
import type { Instance } from '../definition.ts'
import type { Application, ChangeHandlers } from './application.ts'
import { appletOf, instanceOf } from './find.ts'

export const instanceChanges: ChangeHandlers<'instance.create' | 'instance.state' | 'instance.remove'> = {
  'instance.create': (application, change) => {
    const instance = createInstance(application, change)
    return { ok: true, id: instance.instanceId, value: instance }
  },
  'instance.state': (application, { instanceId, state }) => {
    const { timeMs } = application.context
    const instance: Instance = { ...instanceOf(application, instanceId), state, updatedMs: timeMs }
    application.editor.put('instance', instanceId, instance)
    return { ok: true, value: instance }
  },
  'instance.remove': (application, { instanceId }) => {
    instanceOf(application, instanceId)
    application.editor.remove('instance', instanceId)
    return { ok: true }
  },
}

/** An applet has one instance: a new one takes the place of the old. */
export function createInstance(
  application: Application,
  { appletId, cache }: { appletId: Sfid; cache?: Partial<Instance['cache']> },
): Instance {
  appletOf(application, appletId)
  const { editor } = application
  for (const old of editor.all<Instance>('instance'))
    if (old.appletId === appletId) editor.remove('instance', old.instanceId)
  const instance: Instance = {
    instanceId: application.id('instance'),
    appletId,
    state: 'STARTED',
    cache: { mode: cache?.mode ?? 'MEMORY', prefix: cache?.prefix ?? '' },
    ...application.stamp,
  }
  editor.put('instance', instance.instanceId, instance)
  return instance
}
