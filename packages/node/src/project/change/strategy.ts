import type { Sfid } from '@w3bstream/protocol'
import type { Strategy, StrategyInput } from '../definition.ts'
import { type Accepted, type Application, type Change, type ChangeHandlers, given, Refused } from './application.ts'
import { appletOf, strategyOf } from './find.ts'

/** Routes of one project: each change of one looks at all. */
const maxStrategies = 10_000

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
  if (application.editor.count('strategy') >= maxStrategies)
    throw new Refused('badRequest', `a project has at most ${maxStrategies} strategies`)
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
function refuseTakenRoute({ editor }: Application, { strategyId, appletId, eventType }: Strategy): void {
  const other = editor.find<Strategy>(
    'strategy',
    (strategy) =>
      strategy.eventType === eventType && strategy.appletId === appletId && strategy.strategyId !== strategyId,
  )
  if (other) throw new Refused('StrategyConflict', `the applet has a strategy for ${eventType}`)
}
