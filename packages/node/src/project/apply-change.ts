import { deriveSfid, type Sfid } from '@w3bstream/protocol'
import type { DatabaseSchema, DefinitionRow } from '../database/database.ts'
import { DatabaseError } from '../database/errors.ts'
import {
  type Applet,
  type ChangeResult,
  defaultProjectSettings,
  type Instance,
  type ProjectChange,
  type ProjectDefinition,
  type ProjectRecord,
  type ProjectSettings,
  type Publisher,
  type Strategy,
  type StrategyInput,
} from './definition.ts'
import { type DefinitionChange, definitionKinds, singleId } from './definition-rows.ts'
import { settingsProblem } from './settings-range.ts'

type MaybePromise<T> = T | Promise<T>

/** What a change is applied to, and where in the history it stands. */
export interface ChangeContext {
  readonly project: Uint8Array
  readonly height: bigint
  readonly index: number
  /** The batch's clock. */
  readonly timeMs: number
  /** Reads a row that is on disk; rows changed in this batch are known to the editor. */
  read(kind: string, id: string): MaybePromise<DefinitionRow | undefined>
  /** Brings the applets' tables to the schema. */
  migrate(schema: DatabaseSchema): MaybePromise<void>
}

/** A change that was refused; the message's receipt carries it. */
class Refused extends Error {
  readonly code: string
  constructor(code: string, desc: string) {
    super(desc)
    this.code = code
  }
}

/**
 * Applies changes to a definition, deterministically: same history, same definition, same ids. Used by every member, so
 * nothing here may depend on this node.
 */
export class DefinitionEditor {
  readonly #base: ProjectDefinition | undefined
  #changes = new Map<string, DefinitionChange>()
  #touched = false

  constructor(base: ProjectDefinition | undefined) {
    this.#base = base
  }

  /** All rows that were written or removed, in the order of their first change. */
  get changes(): readonly DefinitionChange[] {
    return [...this.#changes.values()]
  }

  /** Applies a change, whole or not at all. Only faults of the store are thrown. */
  async apply(change: ProjectChange, context: ChangeContext): Promise<ChangeResult> {
    const before = new Map(this.#changes)
    try {
      return await new Application(this, context).apply(change)
    } catch (error) {
      this.#changes = before
      if (error instanceof Refused) return { ok: false, code: error.code, desc: error.message }
      if (error instanceof DatabaseError && isSchemaFault(error)) return { ok: false, ...schemaRefusal(error) }
      throw error
    }
  }

  /** Whether the definition in memory has changed since this was last asked; changes of publishers do not count. */
  takeTouched(): boolean {
    const touched = this.#touched
    this.#touched = false
    return touched
  }

  put(kind: string, id: string, value: unknown): void {
    this.#touch(kind)
    this.#changes.set(`${kind}/${id}`, { kind, id, value: JSON.stringify(value) })
  }

  remove(kind: string, id: string): void {
    this.#touch(kind)
    this.#changes.set(`${kind}/${id}`, { kind, id, value: null })
  }

  #touch(kind: string): void {
    if ((definitionKinds as readonly string[]).includes(kind)) this.#touched = true
  }

  /** The changed row; `undefined` when this batch did not touch it. */
  changed(kind: string, id: string): DefinitionChange | undefined {
    return this.#changes.get(`${kind}/${id}`)
  }

  /** The rows of one kind as they stand now, with those of the base. */
  all<T>(kind: 'applet' | 'instance' | 'strategy'): T[] {
    const maps = { applet: this.#base?.applets, instance: this.#base?.instances, strategy: this.#base?.strategies }
    const rows = new Map<string, unknown>(maps[kind] ?? [])
    for (const change of this.#changes.values())
      if (change.kind === kind)
        if (change.value === null) rows.delete(change.id)
        else rows.set(change.id, JSON.parse(change.value))
    return [...rows.values()] as T[]
  }

  single<T>(kind: 'project' | 'settings' | 'database'): T | undefined {
    const change = this.changed(kind, singleId)
    if (change) return change.value === null ? undefined : (JSON.parse(change.value) as T)
    return this.#base?.[kind] as T | undefined
  }
}

/** One message's change, which may consist of many. */
class Application {
  readonly #editor: DefinitionEditor
  readonly #context: ChangeContext
  #ordinal = 0

  constructor(editor: DefinitionEditor, context: ChangeContext) {
    this.#editor = editor
    this.#context = context
  }

  async apply(change: ProjectChange): Promise<Extract<ChangeResult, { ok: true }>> {
    if (change.op !== 'project.create' && change.op !== 'all' && !this.#editor.single('project'))
      throw new Refused('ProjectNotFound', 'the project does not exist at this height')
    switch (change.op) {
      case 'all': {
        const values: ChangeResult[] = []
        for (const one of change.changes) values.push(await this.apply(one))
        return { ok: true, values }
      }
      case 'project.create':
        return this.#createProject(change)
      case 'project.update':
        return this.#updateProject(change)
      case 'settings.put':
        return this.#putSettings(change.settings)
      case 'env.put':
        return this.#put('env', dedupeEnv(change.env))
      case 'flow.put':
        return this.#put('flow', change.flow)
      case 'database.put':
        await this.#context.migrate(change.database)
        return this.#put('database', change.database)
      case 'applet.create':
        return this.#createApplet(change)
      case 'applet.update':
        return this.#updateApplet(change)
      case 'applet.remove':
        return this.#removeApplet(change.appletId)
      case 'instance.create':
        return this.#createInstance(change)
      case 'instance.state':
        return this.#updateInstance(change.instanceId, change.state)
      case 'instance.remove':
        this.#instance(change.instanceId)
        this.#editor.remove('instance', change.instanceId)
        return { ok: true }
      case 'strategy.create':
        return this.#createStrategy(change.appletId, change)
      case 'strategy.update':
        return this.#updateStrategy(change)
      case 'strategy.remove':
        this.#strategy(change.strategyId)
        this.#editor.remove('strategy', change.strategyId)
        return { ok: true }
      case 'publisher.create':
      case 'publisher.upsert':
        return this.#createPublisher(change)
      case 'publisher.update':
        return this.#updatePublisher(change)
      case 'publisher.rotate':
        return this.#rotatePublisher(change.publisherId)
      case 'publisher.remove':
        return this.#removePublisher(change.publisherId)
      default:
        // An older member must refuse what a newer one wrote, not stop at it.
        throw new Refused('badRequest', `unknown change ${String((change as { op: unknown }).op)}`)
    }
  }

  #id(kind: string): Sfid {
    const { project, height, index } = this.#context
    return deriveSfid(project, kind, height, index, this.#ordinal++)
  }

  get #stamp(): { createdMs: number; updatedMs: number } {
    return { createdMs: this.#context.timeMs, updatedMs: this.#context.timeMs }
  }

  #put(kind: (typeof definitionKinds)[number], value: unknown): Extract<ChangeResult, { ok: true }> {
    this.#editor.put(kind, singleId, value)
    return { ok: true, value }
  }

  #putSettings(
    change: Extract<ProjectChange, { op: 'settings.put' }>['settings'],
  ): Extract<ChangeResult, { ok: true }> {
    const settings = mergeSettings(this.#editor.single('settings') ?? defaultProjectSettings, change)
    const problem = settingsProblem(settings)
    if (problem) throw new Refused('badRequest', problem)
    return this.#put('settings', settings)
  }

  #createProject(change: Extract<ProjectChange, { op: 'project.create' }>): Extract<ChangeResult, { ok: true }> {
    if (this.#editor.single('project')) throw new Refused('ProjectNameConflict', 'the project exists')
    const record: ProjectRecord = {
      projectId: change.projectId,
      accountId: change.accountId,
      name: change.name,
      public: change.public ?? false,
      version: change.version ?? '',
      protocol: change.protocol ?? '',
      description: change.description ?? '',
      state: 'active',
      ...this.#stamp,
    }
    return { ...this.#put('project', record), id: record.projectId }
  }

  #updateProject({
    op: _,
    ...fields
  }: Extract<ProjectChange, { op: 'project.update' }>): Extract<ChangeResult, { ok: true }> {
    const record = this.#editor.single<ProjectRecord>('project')!
    return this.#put('project', { ...record, ...given(fields), updatedMs: this.#context.timeMs })
  }

  #createApplet(change: Extract<ProjectChange, { op: 'applet.create' }>): Extract<ChangeResult, { ok: true }> {
    const appletId = this.#id('applet')
    const name = change.name || appletId
    this.#refuseTakenName(name, appletId)
    const { resourceId, codeHash, md5, fileName } = change
    const applet: Applet = { appletId, name, resourceId, codeHash, md5, fileName, ...this.#stamp }
    this.#editor.put('applet', appletId, applet)
    const instance = this.#createInstance({ appletId, cache: change.cache }).value
    const routes = change.strategies?.length ? change.strategies : [{ eventType: 'DEFAULT', handler: 'start' }]
    const strategies = routes.map((route) => this.#createStrategy(appletId, route).value)
    return { ok: true, id: appletId, value: { applet, instance, strategies } }
  }

  #updateApplet(change: Extract<ProjectChange, { op: 'applet.update' }>): Extract<ChangeResult, { ok: true }> {
    const { op: _, appletId, cache, strategies: routes, ...fields } = change
    const applet: Applet = { ...this.#applet(appletId), ...given(fields), updatedMs: this.#context.timeMs }
    this.#refuseTakenName(applet.name, appletId)
    this.#editor.put('applet', appletId, applet)
    if (routes) {
      for (const old of this.#strategiesOf(appletId)) this.#editor.remove('strategy', old.strategyId)
      for (const route of routes) this.#createStrategy(appletId, route)
    }
    let instance = this.#editor.all<Instance>('instance').find((i) => i.appletId === appletId)
    if (cache && instance) {
      instance = { ...instance, cache: { ...instance.cache, ...given(cache) }, updatedMs: this.#context.timeMs }
      this.#editor.put('instance', instance.instanceId, instance)
    }
    return { ok: true, id: appletId, value: { applet, instance, strategies: this.#strategiesOf(appletId) } }
  }

  #removeApplet(appletId: Sfid): Extract<ChangeResult, { ok: true }> {
    this.#applet(appletId)
    for (const { strategyId } of this.#strategiesOf(appletId)) this.#editor.remove('strategy', strategyId)
    for (const instance of this.#editor.all<Instance>('instance'))
      if (instance.appletId === appletId) this.#editor.remove('instance', instance.instanceId)
    this.#editor.remove('applet', appletId)
    return { ok: true }
  }

  #createInstance({ appletId, cache }: { appletId: Sfid; cache?: Partial<Instance['cache']> }): {
    ok: true
    id: Sfid
    value: Instance
  } {
    this.#applet(appletId)
    // An applet has one instance: a new one takes the place of the old.
    for (const old of this.#editor.all<Instance>('instance'))
      if (old.appletId === appletId) this.#editor.remove('instance', old.instanceId)
    const instance: Instance = {
      instanceId: this.#id('instance'),
      appletId,
      state: 'STARTED',
      cache: { mode: cache?.mode ?? 'MEMORY', prefix: cache?.prefix ?? '' },
      ...this.#stamp,
    }
    this.#editor.put('instance', instance.instanceId, instance)
    return { ok: true, id: instance.instanceId, value: instance }
  }

  #updateInstance(instanceId: Sfid, state: Instance['state']): Extract<ChangeResult, { ok: true }> {
    const instance: Instance = { ...this.#instance(instanceId), state, updatedMs: this.#context.timeMs }
    this.#editor.put('instance', instanceId, instance)
    return { ok: true, value: instance }
  }

  #createStrategy(appletId: Sfid, input: StrategyInput): { ok: true; id: Sfid; value: Strategy } {
    this.#applet(appletId)
    const strategy: Strategy = {
      strategyId: this.#id('strategy'),
      appletId,
      eventType: input.eventType || 'DEFAULT',
      handler: input.handler || 'start',
      autoCollectMetric: input.autoCollectMetric ?? false,
      ...this.#stamp,
    }
    this.#refuseTakenRoute(strategy)
    this.#editor.put('strategy', strategy.strategyId, strategy)
    return { ok: true, id: strategy.strategyId, value: strategy }
  }

  #updateStrategy(change: Extract<ProjectChange, { op: 'strategy.update' }>): Extract<ChangeResult, { ok: true }> {
    const { op: _, strategyId, ...fields } = change
    const strategy: Strategy = { ...this.#strategy(strategyId), ...given(fields), updatedMs: this.#context.timeMs }
    this.#applet(strategy.appletId)
    this.#refuseTakenRoute(strategy)
    this.#editor.put('strategy', strategyId, strategy)
    return { ok: true, value: strategy }
  }

  async #createPublisher(
    change: Extract<ProjectChange, { op: 'publisher.create' | 'publisher.upsert' }>,
  ): Promise<Extract<ChangeResult, { ok: true }>> {
    const existing = await this.#publisherByKey(change.key)
    if (existing) {
      if (change.op === 'publisher.create') throw new Refused('PublisherConflict', `the key ${change.key} is taken`)
      return { ok: true, id: existing.publisherId, value: existing }
    }
    const publisher: Publisher = {
      publisherId: this.#id('publisher'),
      name: change.name,
      key: change.key,
      publicKey: change.publicKey ?? '',
      tokenVersion: 1,
      ...this.#stamp,
    }
    await this.#putPublisher(publisher)
    return { ok: true, id: publisher.publisherId, value: publisher }
  }

  async #updatePublisher(
    change: Extract<ProjectChange, { op: 'publisher.update' }>,
  ): Promise<Extract<ChangeResult, { ok: true }>> {
    const { op: _, publisherId, ...fields } = change
    const old = await this.#publisher(publisherId)
    const publisher: Publisher = { ...old, ...given(fields), updatedMs: this.#context.timeMs }
    if (publisher.key !== old.key) {
      if (await this.#publisherByKey(publisher.key))
        throw new Refused('PublisherConflict', `the key ${publisher.key} is taken`)
      this.#editor.remove('publisherKey', old.key)
    }
    if (publisher.publicKey !== old.publicKey && old.publicKey) this.#editor.remove('publisherPublicKey', old.publicKey)
    await this.#putPublisher(publisher)
    return { ok: true, value: publisher }
  }

  async #rotatePublisher(publisherId: Sfid): Promise<Extract<ChangeResult, { ok: true }>> {
    const old = await this.#publisher(publisherId)
    const publisher: Publisher = { ...old, tokenVersion: old.tokenVersion + 1, updatedMs: this.#context.timeMs }
    await this.#putPublisher(publisher)
    return { ok: true, value: publisher }
  }

  async #removePublisher(publisherId: Sfid): Promise<Extract<ChangeResult, { ok: true }>> {
    const { key, publicKey } = await this.#publisher(publisherId)
    this.#editor.remove('publisher', publisherId)
    this.#editor.remove('publisherKey', key)
    if (publicKey) this.#editor.remove('publisherPublicKey', publicKey)
    return { ok: true }
  }

  async #putPublisher(publisher: Publisher): Promise<void> {
    const { publisherId, publicKey } = publisher
    const owner = publicKey && (await this.#row<Sfid>('publisherPublicKey', publicKey))
    if (owner && owner !== publisherId)
      throw new Refused('PublisherConflict', `the public key ${publicKey} is that of another device`)
    this.#editor.put('publisher', publisher.publisherId, publisher)
    this.#editor.put('publisherKey', publisher.key, publisher.publisherId)
    if (publisher.publicKey) this.#editor.put('publisherPublicKey', publisher.publicKey, publisher.publisherId)
  }

  async #publisher(publisherId: Sfid): Promise<Publisher> {
    const publisher = await this.#row<Publisher>('publisher', publisherId)
    if (!publisher) throw new Refused('PublisherNotFound', publisherId)
    return publisher
  }

  async #publisherByKey(key: string): Promise<Publisher | undefined> {
    const publisherId = await this.#row<Sfid>('publisherKey', key)
    return publisherId === undefined ? undefined : this.#row<Publisher>('publisher', publisherId)
  }

  async #row<T>(kind: string, id: string): Promise<T | undefined> {
    const changed = this.#editor.changed(kind, id)
    const value = changed ? changed.value : (await this.#context.read(kind, id))?.value
    return value === null || value === undefined ? undefined : (JSON.parse(value) as T)
  }

  #applet(appletId: Sfid): Applet {
    return this.#found(
      this.#editor.all<Applet>('applet').find((a) => a.appletId === appletId),
      'AppletNotFound',
      appletId,
    )
  }

  #instance(instanceId: Sfid): Instance {
    const instances = this.#editor.all<Instance>('instance')
    return this.#found(
      instances.find((i) => i.instanceId === instanceId),
      'InstanceNotFound',
      instanceId,
    )
  }

  #strategy(strategyId: Sfid): Strategy {
    const strategies = this.#editor.all<Strategy>('strategy')
    return this.#found(
      strategies.find((s) => s.strategyId === strategyId),
      'StrategyNotFound',
      strategyId,
    )
  }

  #strategiesOf(appletId: Sfid): Strategy[] {
    return this.#editor.all<Strategy>('strategy').filter((s) => s.appletId === appletId)
  }

  #found<T>(value: T | undefined, code: string, id: string): T {
    if (value === undefined) throw new Refused(code, id)
    return value
  }

  #refuseTakenName(name: string, appletId: Sfid): void {
    if (this.#editor.all<Applet>('applet').some((a) => a.name === name && a.appletId !== appletId))
      throw new Refused('AppletNameConflict', `an applet with the name ${name} exists`)
  }

  /** Unique are project, applet and event type together. */
  #refuseTakenRoute({ strategyId, appletId, eventType }: Strategy): void {
    const taken = this.#strategiesOf(appletId).some((s) => s.eventType === eventType && s.strategyId !== strategyId)
    if (taken) throw new Refused('StrategyConflict', `the applet has a strategy for ${eventType}`)
  }
}

/** Only the fields that were given. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** The last value of a name wins; empty names are dropped. */
function dedupeEnv(env: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...new Map(env.filter(([name]) => name !== ''))]
}

function mergeSettings(
  base: ProjectSettings,
  change: Extract<ProjectChange, { op: 'settings.put' }>['settings'],
): ProjectSettings {
  const { limits, ...rest } = change
  return { ...base, ...given(rest), limits: { ...base.limits, ...given(limits ?? {}) } }
}

function isSchemaFault(error: DatabaseError): boolean {
  return error.code === 'SCHEMA_INVALID' || error.code === 'SCHEMA_DESTRUCTIVE'
}

function schemaRefusal({ fault }: DatabaseError): { code: string; desc: string } {
  if (fault.code === 'SCHEMA_DESTRUCTIVE') return { code: 'DestructiveSchemaChange', desc: fault.problems.join('; ') }
  return { code: 'InvalidDatabaseSchema', desc: fault.code === 'SCHEMA_INVALID' ? fault.problems.join('; ') : '' }
}
