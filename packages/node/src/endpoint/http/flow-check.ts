import type { Applet, ProjectChange, ProjectDefinition, Strategy } from '../../project/definition.ts'
import { chooseApplet, missingFunctions } from '../../project/flow.ts'
import type { ProjectEntry } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { HttpDeps } from './deps.ts'

type Needs = Pick<HttpDeps, 'projects' | 'vfs' | 'inspectModule'>
type Route = Pick<Strategy, 'appletId' | 'eventType'> & { readonly strategyId?: string }
type Running = Pick<Applet, 'appletId' | 'name' | 'codeHash'>

/**
 * Refuses a flow whose functions its applet does not export, and a rollback or canary that would take them away. An applet
 * that is still to come is no mistake: clients configure projects before they upload. Nor is an update's module that lacks
 * them, since the flow for it follows.
 * @param changes as they will be applied, one after the other
 * @throws ApiError InvalidFlow, InvalidModule, VersionNotFound; VfsError
 */
export async function checkFlowFunctions(
  entry: ProjectEntry,
  changes: readonly ProjectChange[],
  deps: Needs,
): Promise<void> {
  if (!changes.some(({ op }) => op === 'flow.put' || op === 'applet.rollback' || op === 'applet.canary')) return
  const outlook = new Outlook(await deps.projects.definition(entry.key))
  for (const change of changes) {
    const brought = await broughtBy(entry, change, deps)
    outlook.apply(change, brought)
    const applet = outlook.flowApplet
    if (!applet) continue
    if (change.op === 'flow.put') await outlook.requireFunctions(applet.codeHash, 'InvalidFlow', deps)
    else if (brought !== undefined && 'appletId' in change && change.appletId === applet.appletId)
      await outlook.requireFunctions(brought, 'InvalidModule', deps)
  }
}

/** Hash of the module that a rollback or a canary brings. */
async function broughtBy(
  { key }: ProjectEntry,
  change: ProjectChange,
  { projects }: Needs,
): Promise<string | undefined> {
  if (change.op === 'applet.canary') return change.codeHash
  if (change.op !== 'applet.rollback') return undefined
  const { appletId, version } = change
  const row = await projects.appletVersion(key, appletId, version)
  if (!row) throw new ApiError('VersionNotFound', `${appletId}/${version}`)
  return row.codeHash
}

/** What the changes so far make of a project, as far as its flow goes. */
class Outlook {
  #flow: ProjectDefinition['flow']
  #applets: Running[]
  #routes: Route[]

  constructor({ flow, applets, strategies }: ProjectDefinition) {
    this.#flow = flow
    this.#applets = [...applets.values()]
    this.#routes = [...strategies.values()]
  }

  /** The applet whose functions the flow names, if there is one. */
  get flowApplet(): Running | undefined {
    if (!this.#flow?.operators?.length) return undefined
    const candidates = this.#applets.map((applet) => {
      const own = this.#routes.filter(({ appletId }) => appletId === applet.appletId)
      return { ...applet, eventTypes: own.map(({ eventType }) => eventType) }
    })
    return chooseApplet(this.#flow, candidates)
  }

  async requireFunctions(codeHash: string, refusal: 'InvalidFlow' | 'InvalidModule', deps: Needs): Promise<void> {
    const missing = missingFunctions(this.#flow ?? {}, await deps.inspectModule(await deps.vfs.get(codeHash)))
    if (missing.length === 0) return
    const { name } = this.flowApplet!
    throw new ApiError(refusal, `applet ${name}: the module exports no function for ${missing.join(', ')} of the flow`)
  }

  /** @param brought hash of the module that a rollback brings */
  apply(change: ProjectChange, brought: string | undefined): void {
    switch (change.op) {
      case 'flow.put':
        this.#flow = change.flow
        break
      case 'applet.create':
        this.#create(change)
        break
      case 'applet.update':
        this.#update(change)
        break
      case 'applet.rollback':
        this.#update({ appletId: change.appletId, codeHash: brought })
        break
      case 'applet.remove':
        this.#applets = this.#applets.filter(({ appletId }) => appletId !== change.appletId)
        break
      case 'strategy.create':
        this.#routes.push(change)
        break
      case 'strategy.update':
        this.#routes = this.#routes.map((one) => (one.strategyId === change.strategyId ? { ...one, ...change } : one))
        break
      case 'strategy.remove':
        this.#routes = this.#routes.filter(({ strategyId }) => strategyId !== change.strategyId)
    }
  }

  /** An id that no applet has stands for the one that it will get. */
  #create({ name, codeHash, strategies }: Extract<ProjectChange, { op: 'applet.create' }>): void {
    const appletId = `new ${this.#applets.length}`
    this.#applets.push({ appletId, name, codeHash })
    const routes = strategies?.length ? strategies : [{ eventType: 'DEFAULT' }]
    this.#routes.push(...routes.map(({ eventType }) => ({ appletId, eventType })))
  }

  #update(change: Omit<Extract<ProjectChange, { op: 'applet.update' }>, 'op'>): void {
    const { appletId, name, codeHash, strategies } = change
    this.#applets = this.#applets.map((applet) =>
      applet.appletId === appletId
        ? { appletId, name: name ?? applet.name, codeHash: codeHash ?? applet.codeHash }
        : applet,
    )
    if (!strategies) return
    const others = this.#routes.filter((route) => route.appletId !== appletId)
    this.#routes = [...others, ...strategies.map(({ eventType }) => ({ appletId, eventType }))]
  }
}
