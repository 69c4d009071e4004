import type { Sfid } from '@w3bstream/protocol'
import type { Applet, Instance, Strategy } from '../definition.ts'
import { type Application, found } from './application.ts'

/** @throws Refused AppletNotFound */
export function appletOf({ editor }: Application, appletId: Sfid): Applet {
  const applets = editor.all<Applet>('applet')
  return found(
    applets.find((applet) => applet.appletId === appletId),
    'AppletNotFound',
    appletId,
  )
}

/** @throws Refused InstanceNotFound */
export function instanceOf({ editor }: Application, instanceId: Sfid): Instance {
  const instances = editor.all<Instance>('instance')
  return found(
    instances.find((instance) => instance.instanceId === instanceId),
    'InstanceNotFound',
    instanceId,
  )
}

/** @throws Refused StrategyNotFound */
export function strategyOf({ editor }: Application, strategyId: Sfid): Strategy {
  const strategies = editor.all<Strategy>('strategy')
  return found(
    strategies.find((strategy) => strategy.strategyId === strategyId),
    'StrategyNotFound',
    strategyId,
  )
}
