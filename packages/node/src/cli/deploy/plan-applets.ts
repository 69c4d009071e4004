import { isDeepStrictEqual } from 'node:util'
import type { ProjectChange, Strategy } from '../../project/definition.ts'
import { nothing, type PlanLine, type PlanPart, type Upload } from './plan-part.ts'
import type { CurrentProject, DesiredApplet, DesiredProject } from './state.ts'

/** Applets by name, routes by event type: both are unique where they stand. */
export function planApplets(desired: DesiredProject, current: CurrentProject | undefined): PlanPart {
  if (!desired.applets) return nothing
  const known = new Map((current?.applets ?? []).map((applet) => [applet.name, applet]))
  const parts = desired.applets.map((wanted) => {
    const applet = known.get(wanted.name)
    known.delete(wanted.name)
    return applet && current ? planApplet(wanted, applet, current) : planNewApplet(wanted)
  })
  const removed = [...known.values()]
  return {
    // Removals first: a route may move from one applet to another.
    changes: [
      ...removed.map(({ appletId }): ProjectChange => ({ op: 'applet.remove', appletId })),
      ...parts.flatMap((part) => part.changes),
    ],
    uploads: parts.flatMap((part) => part.uploads ?? []),
    lines: [
      ...parts.flatMap((part) => part.lines),
      ...removed.map(({ name }): PlanLine => ({ sign: '-', what: `applet ${name}`, detail: '' })),
    ],
  }
}

function planNewApplet(applet: DesiredApplet): PlanPart {
  const routes = applet.strategies.map((strategy) => routeLine('+', applet, strategy))
  return {
    changes: [],
    uploads: [{ applet, withStrategies: true }],
    lines: [
      { sign: '+', what: `applet ${applet.name}`, detail: `${applet.fileName}, ${hash(applet.codeHash)}` },
      ...routes,
    ],
  }
}

function planApplet(
  wanted: DesiredApplet,
  applet: CurrentProject['applets'][number],
  current: CurrentProject,
): PlanPart {
  const { appletId } = applet
  const lines: PlanLine[] = []
  const changes: ProjectChange[] = []
  const uploads: Upload[] = []
  const newCode = wanted.codeHash !== applet.codeHash
  const routes = planRoutes(
    wanted,
    current.strategies.filter((strategy) => strategy.appletId === appletId),
    appletId,
  )
  if (newCode) {
    uploads.push({ appletId, applet: wanted, withStrategies: routes.changes.length > 0 })
    lines.push({
      sign: '~',
      what: `applet ${wanted.name}`,
      detail: `version ${applet.version} -> ${applet.latestVersion + 1}, ${hash(applet.codeHash)} to ${hash(wanted.codeHash)}`,
    })
  } else {
    changes.push(...routes.changes)
  }
  const instance = current.instances.find((candidate) => candidate.appletId === appletId)
  if (!instance) {
    changes.push({ op: 'instance.create', appletId, cache: wanted.cache })
    lines.push({ sign: '+', what: `instance of ${wanted.name}`, detail: '' })
  } else if (!isDeepStrictEqual(instance.cache, wanted.cache)) {
    changes.push({ op: 'applet.update', appletId, cache: wanted.cache })
    lines.push({ sign: '~', what: `applet ${wanted.name}`, detail: `kv shared: ${wanted.cache.prefix || 'none'}` })
  }
  return { changes, uploads, lines: [...lines, ...routes.lines] }
}

function planRoutes(applet: DesiredApplet, strategies: readonly Strategy[], appletId: string): PlanPart {
  const known = new Map(strategies.map((strategy) => [strategy.eventType, strategy]))
  const changes: ProjectChange[] = []
  const lines: PlanLine[] = []
  for (const wanted of applet.strategies) {
    const { eventType, handler, autoCollectMetric } = wanted
    const strategy = known.get(eventType)
    known.delete(eventType)
    if (strategy?.handler === handler && strategy.autoCollectMetric === autoCollectMetric) continue
    if (strategy) changes.push({ op: 'strategy.update', strategyId: strategy.strategyId, handler, autoCollectMetric })
    else changes.push({ op: 'strategy.create', appletId, ...wanted })
    lines.push(routeLine(strategy ? '~' : '+', applet, wanted))
  }
  for (const strategy of known.values()) {
    changes.push({ op: 'strategy.remove', strategyId: strategy.strategyId })
    lines.push(routeLine('-', applet, strategy))
  }
  return { changes, lines }
}

function routeLine(
  sign: PlanLine['sign'],
  applet: DesiredApplet,
  route: { eventType: string; handler: string; autoCollectMetric: boolean },
): PlanLine {
  const metrics = route.autoCollectMetric ? ', metrics' : ''
  return { sign, what: `route ${route.eventType}`, detail: `${applet.name}.${route.handler}${metrics}` }
}

/** Enough of a hash to tell two apart. */
function hash(codeHash: string): string {
  return codeHash.slice(0, 12)
}
