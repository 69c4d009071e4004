import { fromHex } from '@w3bstream/protocol'
import type { Applet, Instance, ProjectDefinition, Strategy } from '../project/definition.ts'
import { type Canary, canaryOf, type Sender } from './canary.ts'

/** One handler that an event is for. */
export interface Route {
  readonly strategy: Strategy
  readonly applet: Applet
  /** Absent when the applet has none. */
  readonly instance: Instance | undefined
  /** SHA-256 of the module that runs. */
  readonly codeHash: Uint8Array
  /** The same, hexadecimal: its name in the VFS. */
  readonly module: string
  /** Takes the place of this route for some senders. */
  readonly canary?: Canary<Route>
  /** Where the applet's keys are kept: its own place, or one that the instance shares by a prefix. */
  readonly namespace: string
}

const defaultType = 'DEFAULT'

/**
 * Finds the handlers of an event type: those of strategies with that type, else, where the project wants it, those of type
 * DEFAULT. The order is that in which the strategies were created. Made once per definition; a look-up is one map access.
 */
export class Router {
  readonly #routes = new Map<string, readonly Route[]>()
  readonly #fallback: readonly Route[]
  readonly #hasCanary: boolean

  constructor(definition: ProjectDefinition) {
    const { strategies, applets, instances, settings } = definition
    const instanceOf = new Map([...instances.values()].map((instance) => [instance.appletId, instance]))
    for (const strategy of [...strategies.values()].sort(byCreation)) {
      const applet = applets.get(strategy.appletId)
      if (!applet) continue
      const route = makeRoute(strategy, applet, instanceOf.get(applet.appletId))
      this.#routes.set(strategy.eventType, [...(this.#routes.get(strategy.eventType) ?? []), route])
    }
    this.#fallback = settings.defaultFallback ? (this.#routes.get(defaultType) ?? []) : []
    this.#hasCanary = [...applets.values()].some(({ canary }) => canary !== undefined)
  }

  /** @param sender who it is from, which decides between the versions of an applet */
  find(eventType: string, sender: Sender): readonly Route[] {
    const routes = this.#routes.get(eventType) ?? this.#fallback
    return this.#hasCanary ? routes.map((route) => (route.canary?.takes(sender) ? route.canary.route : route)) : routes
  }
}

/** Where an applet's keys are kept. */
export function namespaceOfApplet({ appletId }: Pick<Applet, 'appletId'>, instance: Instance | undefined): string {
  const cache = instance?.cache
  return cache?.mode === 'REDIS' && cache.prefix ? `prefix:${cache.prefix}` : `applet:${appletId}`
}

function makeRoute(strategy: Strategy, applet: Applet, instance: Instance | undefined): Route {
  const route = {
    strategy,
    applet,
    instance,
    namespace: namespaceOfApplet(applet, instance),
    codeHash: fromHex(applet.codeHash, 32),
    module: applet.codeHash,
  }
  if (!applet.canary) return route
  const { codeHash } = applet.canary
  const other = { ...route, codeHash: fromHex(codeHash, 32), module: codeHash }
  return { ...route, canary: canaryOf(applet.appletId, applet.canary, other) }
}

/** Strategies of one batch have one time; their ids then decide, alike on every member. */
function byCreation(a: Strategy, b: Strategy): number {
  return a.createdMs - b.createdMs || (BigInt(a.strategyId) < BigInt(b.strategyId) ? -1 : 1)
}
