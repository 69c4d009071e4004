import type { Applet, ProjectDefinition } from '../../project/definition.ts'
import type { FlowPlan } from './plan.ts'

/**
 * The applet whose exports the operators of a flow are: the one that the flow names; else the one that all strategies for
 * its event types belong to; else the only one of the project. Undefined when none of these says which.
 */
export function appletOfFlow(
  { applet, eventTypes }: Pick<FlowPlan, 'applet' | 'eventTypes'>,
  { applets, strategies }: Pick<ProjectDefinition, 'applets' | 'strategies'>,
): Applet | undefined {
  const all = [...applets.values()]
  if (applet !== undefined) return all.find(({ name }) => name === applet)
  const named = [...strategies.values()].filter(({ eventType }) => eventTypes.has(eventType))
  const ids = new Set(named.map(({ appletId }) => appletId))
  const wanted = ids.size > 0 ? all.filter(({ appletId }) => ids.has(appletId)) : all
  return wanted.length === 1 ? wanted[0] : undefined
}
