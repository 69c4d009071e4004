import type { Sfid } from '@w3bstream/protocol'
import type { Applet, Instance, Strategy } from '../definition.ts'
import { type Application, found } from './application.ts'

/** @throws Refused AppletNotFound */
export function appletOf({ editor }: Application, appletId: Sfid): Applet {
  const applet = editor.find<Applet>('applet', (row) => row.appletId === appletId)
  return found(applet, 'AppletNotFound', appletId)
}

/** @throws Refused InstanceNotFound */
export function instanceOf({ editor }: Application, instanceId: Sfid): Instance {
  const instance = editor.find<Instance>('instance', (row) => row.instanceId === instanceId)
  return found(instance, 'InstanceNotFound', instanceId)
}

/** @throws Refused StrategyNotFound */
export function strategyOf({ editor }: Application, strategyId: Sfid): Strategy {
  const strategy = editor.find<Strategy>('strategy', (row) => row.strategyId === strategyId)
  return found(strategy, 'StrategyNotFound', strategyId)
}
