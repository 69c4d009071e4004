import type { Sfid } from '@w3bstream/protocol'
import type { Strategy, StrategyInput } from '../definition.ts'
import { type Accepted, type Application, type Change, type ChangeHandlers, given, Refused } from './application.ts'
import { appletOf, strategyOf } from './find.ts'

export const strategyChanges: ChangeHandlers<'strategy.create' | 'strategy.update' | 'strategy.remove'> = {
  'strategy.create': (application, change) => {
    const strategy = createStrategy(application, change.appletId, change)
    return { ok: true, id: strategy.strategyId, value: strategy }
  },
  'strategy.update': update,
  'strategy.remove': (application, { strategyId }) => {
    strategyOf(application, strategyId)
    application.editor.remove('strategy', strategyId)
    return { ok: true }
  },
}

export function createStrategy(application: Application, appletId: Sfid, input: StrategyInput): Strategy {
  appletOf(application, appletId)
  const strategy: Strategy = {
    strategyId: application.id('strategy'),
    appletId,
    eventType: input.eventType || 'DEFAULT',
    handler: input.handler || 'start',
    autoCollectMetric: input.autoCollectMetric ?? false,
    ...application.stamp,
  }
  refuseTakenRoute(application, strategy)
  application.editor.put('strategy', strategy.strategyId, strategy)
  return strategy
}

export function strategiesOf({ editor }: Application, appletId: Sfid): Strategy[] {
  return editor.all<Strategy>('strategy').filter((strategy) => strategy.appletId === appletId)
}

function update(application: Application, change: Change<'strategy.update'>): Accepted {
  const { op: _, strategyId, ...fields } = change
  const { timeMs } = application.context
  const strategy: Strategy = { ...strategyOf(application, strategyId), ...given(fields), updatedMs: timeMs }
  appletOf(application, strategy.appletId)
  refuseTakenRoute(application, strategy)
  application.editor.put('strategy', strategyId, strategy)
  return { ok: true, value: strategy }
}

/** Unique are project, applet and event type together. */
function refuseTakenRoute(application: Application, { strategyId, appletId, eventType }: Strategy): void {
  const others = strategiesOf(application, appletId).filter((strategy) => strategy.strategyId !== strategyId)
  if (others.some((strategy) => strategy.eventType === eventType))
    throw new Refused('StrategyConflict', `the applet has a strategy for ${eventType}`)
}
