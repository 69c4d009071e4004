import { hash } from 'node:crypto'
import { fromHex, type ProjectKey, type Sfid, sfidFromBytes, toHex } from '@w3bstream/protocol'
import type { ProjectReader } from '../../../database/database.ts'
import { DefinitionEditor } from '../../../project/change/editor.ts'
import type {
  Applet,
  ChangeResult,
  Instance,
  ProjectChange,
  ProjectDefinition,
  ProjectRecord,
  Publisher,
  Strategy,
  StrategyInput,
} from '../../../project/definition.ts'
import { defaultProjectSettings } from '../../../project/definition.ts'
import { applyRows } from '../../../project/definition-rows.ts'
import type {
  LocatedKind,
  NewProject,
  ProjectEntry,
  ProjectEvent,
  Projects,
  PublisherFilter,
} from '../../../project/project.ts'
import { ApiError, type ApiErrorKey } from '../../api-error.ts'
import { History } from './history.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A project in memory: its definition, devices and history. */
export class MemoryProject {
  readonly entry: ProjectEntry
  readonly history = new History()
  readonly applets = new Map<Sfid, Applet>()
  readonly instances = new Map<Sfid, Instance>()
  readonly strategies = new Map<Sfid, Strategy>()
  readonly publishers = new Map<Sfid, Publisher>()
  readonly observers = new Set<(event: ProjectEvent) => void>()
  #height = 0
  readonly rest: Mutable<Omit<ProjectDefinition, 'applets' | 'instances' | 'strategies'>>

  constructor(entry: ProjectEntry, record: ProjectRecord) {
    this.entry = entry
    const many = { cronJobs: new Map(), trafficLimits: new Map() }
    this.rest = {
      project: record,
      settings: defaultProjectSettings,
      env: [],
      database: {},
      flow: null,
      assets: [],
      ...many,
    }
  }

  definition(): ProjectDefinition {
    const { applets, instances, strategies } = this
    return { ...this.rest, applets: new Map(applets), instances: new Map(instances), strategies: new Map(strategies) }
  }

  /** Applies a change with the rules of the project's log, for kinds that need none of the disk. */
  async edit(change: ProjectChange): Promise<ChangeResult> {
    const definition = this.definition()
    const editor = new DefinitionEditor(definition)
    const result = await editor.apply(change, {
      project: fromHex(this.entry.key, 32),
      height: BigInt(++this.#height),
      index: 0,
      timeMs: Date.now(),
      read: () => undefined,
      migrate: () => undefined,
      flowProblems: () => [],
    })
    const { assets, cronJobs, trafficLimits } = applyRows(definition, editor.changes) ?? definition
    Object.assign(this.rest, { assets, cronJobs, trafficLimits })
    return result
  }

  publisherByKey(key: string): Publisher | undefined {
    return [...this.publishers.values()].find((publisher) => publisher.key === key)
  }
}

let created = 0
const newId = (kind: string): Sfid => sfidFromBytes(hash('sha256', `${kind} ${created++}`, 'buffer'))
const now = () => ({ createdMs: Date.now(), updatedMs: Date.now() })

/** {@link Projects} without log, disk and threads, for the tests of endpoints: the same rules of the definition. */
export class MemoryProjects implements Projects {
  readonly #projects = new Map<ProjectKey, MemoryProject>()

  async create(project: NewProject): Promise<ProjectEntry> {
    if (this.byName(project.name)) throw new ApiError('ProjectNameConflict', project.name)
    const key = toHex(hash('sha256', `project ${created++}`, 'buffer'))
    const projectId = newId('project')
    const { accountId, name, public: isPublic = false, version = '', protocol = '', description = '' } = project
    const entry = { key, projectId, accountId, name, createdMs: Date.now() }
    const texts = { version, protocol, description }
    const record = { projectId, accountId, name, public: isPublic, ...texts, state: 'active', ...now() } as const
    const made = new MemoryProject(entry, record)
    for (const change of project.changes ?? []) need(apply(made, change))
    this.#projects.set(key, made)
    return entry
  }

  at(key: ProjectKey): MemoryProject {
    const project = this.#projects.get(key)
    if (!project) throw new ApiError('ProjectNotFound', key)
    return project
  }

  byKey(key: ProjectKey): ProjectEntry | undefined {
    return this.#projects.get(key)?.entry
  }

  byId(projectId: Sfid): ProjectEntry | undefined {
    return this.list({}).find((entry) => entry.projectId === projectId)
  }

  byName(fullName: string): ProjectEntry | undefined {
    return this.list({}).find((entry) => entry.name === fullName)
  }

  list({ accountId }: { accountId?: Sfid }): readonly ProjectEntry[] {
    const entries = [...this.#projects.values()].map(({ entry }) => entry)
    return entries.filter((entry) => accountId === undefined || entry.accountId === accountId)
  }

  async remove(key: ProjectKey): Promise<void> {
    const project = this.at(key)
    this.#projects.delete(key)
    for (const observer of project.observers) observer({ type: 'removed' })
  }

  async definition(key: ProjectKey): Promise<ProjectDefinition> {
    return this.at(key).definition()
  }

  definitionNow(key: ProjectKey): ProjectDefinition | undefined {
    return this.#projects.get(key)?.definition()
  }

  observeRegistry(): () => void {
    return () => {}
  }

  async change(key: ProjectKey, change: ProjectChange): Promise<Extract<ChangeResult, { ok: true }>> {
    const project = this.at(key)
    const result = need(isOfEditor(change) ? await project.edit(change) : apply(project, change))
    for (const observer of project.observers) observer({ type: 'definition', definition: project.definition() })
    return result
  }

  async publishers(key: ProjectKey, filter: PublisherFilter) {
    const { publisherIds, names, keys, nameStartsWith = '', nameEndsWith = '', size = 10, offset = 0 } = filter
    const kept = [...this.at(key).publishers.values()].filter(
      (publisher) =>
        (!publisherIds?.length || publisherIds.includes(publisher.publisherId)) &&
        (!names?.length || names.includes(publisher.name)) &&
        (!keys?.length || keys.includes(publisher.key)) &&
        publisher.name.startsWith(nameStartsWith) &&
        publisher.name.endsWith(nameEndsWith),
    )
    return { data: kept.slice(offset, size < 0 ? undefined : offset + size), total: kept.length }
  }

  async locate(kind: LocatedKind, id: Sfid): Promise<ProjectKey | undefined> {
    const found = [...this.#projects.values()].find((project) => {
      const { applets, instances, strategies, cronJobs, trafficLimits } = project.definition()
      const { publishers: publisher } = project
      const shelves = { applet: applets, instance: instances, strategy: strategies, publisher }
      return { ...shelves, cronJob: cronJobs, trafficLimit: trafficLimits }[kind].has(id)
    })
    return found?.entry.key
  }

  /** Histories of applets are in the log, which there is none of here. */
  async appletVersion(): Promise<undefined> {
    return undefined
  }

  async appletVersions(): Promise<{ data: never[]; total: number }> {
    return { data: [], total: 0 }
  }

  async versionResults(): ReturnType<Projects['versionResults']> {
    return new Map()
  }

  publisherToken(key: ProjectKey, { publisherId, tokenVersion }: Publisher): string {
    const secret = hash('sha256', `${key} ${publisherId} ${tokenVersion}`, 'base64url').slice(0, 16)
    return `w3b_${Buffer.from(`1_1700000000_${secret}`).toString('base64url')}`
  }

  /** The device of a token, and its project. */
  findToken(token: string): { project: MemoryProject; publisher: Publisher } | undefined {
    for (const project of this.#projects.values())
      for (const publisher of project.publishers.values())
        if (this.publisherToken(project.entry.key, publisher) === token) return { project, publisher }
    return undefined
  }

  async reader(key: ProjectKey): Promise<ProjectReader> {
    return this.at(key).history.reader()
  }

  observe(key: ProjectKey, observer: (event: ProjectEvent) => void): () => void {
    const { observers } = this.at(key)
    observers.add(observer)
    return () => observers.delete(observer)
  }
}

/** Whether a change is only about cron jobs, traffic limits and assets. */
function isOfEditor(change: ProjectChange): boolean {
  return change.op === 'all' ? change.changes.every(isOfEditor) : /^(cron|traffic|assets)\./.test(change.op)
}

function need(result: ChangeResult): Extract<ChangeResult, { ok: true }> {
  if (result.ok) return result
  throw new ApiError(result.code as ApiErrorKey, result.desc)
}

const refused = (code: ApiErrorKey, desc = ''): ChangeResult => ({ ok: false, code, desc })

function apply(project: MemoryProject, change: ProjectChange): ChangeResult {
  const { rest } = project
  switch (change.op) {
    case 'project.create':
      return { ok: true, value: rest.project }
    case 'project.update': {
      const { op: _op, ...given } = change
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      rest.project = { ...rest.project, ...changes, updatedMs: Date.now() }
      return { ok: true, value: rest.project }
    }
    case 'settings.put':
      rest.settings = {
        ...rest.settings,
        ...change.settings,
        limits: { ...rest.settings.limits, ...change.settings.limits },
      }
      return { ok: true }
    case 'env.put':
      rest.env = change.env
      return { ok: true }
    case 'database.put':
      rest.database = change.database
      return { ok: true }
    case 'flow.put':
      rest.flow = change.flow
      return { ok: true }
    case 'all': {
      const values = change.changes.map((one) => apply(project, one))
      return values.find((value) => !value.ok) ?? { ok: true, values }
    }
    default:
      return change.op.startsWith('publisher.') ? applyPublisher(project, change) : applyApplet(project, change)
  }
}

function applyApplet(project: MemoryProject, change: ProjectChange): ChangeResult {
  const { applets, instances, strategies } = project
  switch (change.op) {
    case 'applet.create': {
      const appletId = newId('applet')
      const { resourceId, codeHash, md5, fileName } = change
      const applet = {
        appletId,
        name: change.name || appletId,
        resourceId,
        codeHash,
        md5,
        fileName,
        version: 1,
        latestVersion: 1,
        ...now(),
      }
      applets.set(appletId, applet)
      const instance = addInstance(project, appletId)
      const given = change.strategies ?? [{ eventType: 'DEFAULT', handler: 'start' }]
      return {
        ok: true,
        id: appletId,
        value: { applet, instance, strategies: given.map((s) => addStrategy(project, appletId, s)) },
      }
    }
    case 'applet.update': {
      const applet = applets.get(change.appletId)
      if (!applet) return refused('AppletNotFound', change.appletId)
      const { op: _op, strategies: wanted, cache: _cache, ...given } = change
      const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      applets.set(change.appletId, { ...applet, ...fields, updatedMs: Date.now() })
      if (wanted) {
        dropStrategies(project, change.appletId)
        for (const strategy of wanted) addStrategy(project, change.appletId, strategy)
      }
      return { ok: true }
    }
    case 'applet.remove':
      dropStrategies(project, change.appletId)
      dropInstance(project, change.appletId)
      return applets.delete(change.appletId) ? { ok: true } : refused('AppletNotFound')
    case 'instance.create': {
      dropInstance(project, change.appletId)
      const instance = addInstance(project, change.appletId)
      return { ok: true, id: instance.instanceId, value: instance }
    }
    case 'instance.state': {
      const instance = instances.get(change.instanceId)
      if (!instance) return refused('InstanceNotFound')
      instances.set(change.instanceId, { ...instance, state: change.state })
      return { ok: true }
    }
    case 'instance.remove':
      return instances.delete(change.instanceId) ? { ok: true } : refused('InstanceNotFound')
    case 'strategy.create': {
      const { appletId, eventType } = change
      const taken = [...strategies.values()].some((s) => s.appletId === appletId && s.eventType === eventType)
      if (taken) return refused('StrategyConflict', eventType)
      const strategy = addStrategy(project, appletId, change)
      return { ok: true, id: strategy.strategyId, value: strategy }
    }
    case 'strategy.update': {
      const strategy = strategies.get(change.strategyId)
      if (!strategy) return refused('StrategyNotFound')
      const { op: _op, ...given } = change
      strategies.set(change.strategyId, { ...strategy, ...given } as Strategy)
      return { ok: true }
    }
    case 'strategy.remove':
      return strategies.delete(change.strategyId) ? { ok: true } : refused('StrategyNotFound')
    default:
      return refused('BadRequest', change.op)
  }
}

function applyPublisher(project: MemoryProject, change: ProjectChange): ChangeResult {
  const { publishers } = project
  switch (change.op) {
    case 'publisher.create':
    case 'publisher.upsert': {
      const known = project.publisherByKey(change.key)
      if (known && change.op === 'publisher.create') return refused('PublisherConflict', change.key)
      if (known) return { ok: true, id: known.publisherId, value: known }
      const publisherId = newId('publisher')
      const { name, key, publicKey = '' } = change
      const publisher = { publisherId, name, key, publicKey, tokenVersion: 0, ...now() }
      publishers.set(publisherId, publisher)
      return { ok: true, id: publisherId, value: publisher }
    }
    case 'publisher.update': {
      const publisher = publishers.get(change.publisherId)
      if (!publisher) return refused('PublisherNotFound')
      const other = change.key === undefined ? undefined : project.publisherByKey(change.key)
      if (other && other !== publisher) return refused('PublisherConflict', change.key)
      const { op: _op, ...given } = change
      const value = { ...publisher, ...given } as Publisher
      publishers.set(change.publisherId, value)
      return { ok: true, id: change.publisherId, value }
    }
    case 'publisher.rotate': {
      const publisher = publishers.get(change.publisherId)
      if (!publisher) return refused('PublisherNotFound')
      publishers.set(change.publisherId, { ...publisher, tokenVersion: publisher.tokenVersion + 1 })
      return { ok: true }
    }
    case 'publisher.remove':
      return publishers.delete(change.publisherId) ? { ok: true } : refused('PublisherNotFound')
    default:
      return refused('BadRequest', change.op)
  }
}

function addInstance({ instances }: MemoryProject, appletId: Sfid): Instance {
  const instanceId = newId('instance')
  const instance: Instance = { instanceId, appletId, state: 'STARTED', cache: { mode: 'MEMORY', prefix: '' }, ...now() }
  instances.set(instanceId, instance)
  return instance
}

function addStrategy({ strategies }: MemoryProject, appletId: Sfid, input: StrategyInput): Strategy {
  const strategyId = newId('strategy')
  const { eventType, handler, autoCollectMetric = false } = input
  const strategy = { strategyId, appletId, eventType, handler, autoCollectMetric, ...now() }
  strategies.set(strategyId, strategy)
  return strategy
}

function dropStrategies({ strategies }: MemoryProject, appletId: Sfid): void {
  for (const strategy of strategies.values()) if (strategy.appletId === appletId) strategies.delete(strategy.strategyId)
}

function dropInstance({ instances }: MemoryProject, appletId: Sfid): void {
  for (const instance of instances.values()) if (instance.appletId === appletId) instances.delete(instance.instanceId)
}
