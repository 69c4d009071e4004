import { randomBytes } from 'node:crypto'
import {
  decodeReceipt,
  deriveProjectKey,
  fromHex,
  type Message,
  ownMessage,
  type ProjectKey,
  type Sfid,
  sfidFromBytes,
} from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { Database, Page, Paged, ProjectReader } from '../database/database.ts'
import { ApiError, type ApiErrorKey } from '../endpoint/api-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { countResults, readVersion, readVersions } from './applet-versions.ts'
import type { AppletVersion, ChangeResult, ProjectChange, ProjectDefinition, Publisher } from './definition.ts'
import { applyRows, type DefinitionChange, definitionFromRows, definitionKinds } from './definition-rows.ts'
import type {
  LocatedKind,
  NewProject,
  ProjectEntry,
  ProjectEvent,
  Projects,
  PublisherFilter,
  VersionResults,
} from './project.ts'
import type { ProjectIndex } from './project-index.ts'
import { SharedReaders } from './shared-readers.ts'

export interface ProjectsDeps {
  readonly index: ProjectIndex
  readonly database: Database
  /** Puts a message through the project's log; resolves when it is on disk. */
  submit(key: ProjectKey, message: Message): Promise<{ receipt: Uint8Array }>
  /** Lets the project's writer go. */
  close(key: ProjectKey): Promise<void>
  /** Follows changes of devices; part of the transaction that follows the rest. */
  indexDevices(key: ProjectKey, changes: readonly DefinitionChange[]): void
  forgetDevices(key: ProjectKey): void
  token(key: ProjectKey, publisher: Publisher): string
  readonly now: () => number
  readonly logger: Logger
}

export interface ProjectsOptions {
  /** Readers kept open. @default 256 */
  readonly openReaders: number
  /** A reader that nobody asked for so long is closed, milliseconds. @default 60_000 */
  readonly idleReaderMs: number
  /** Definitions held in memory, besides those of projects that are open. @default 512 */
  readonly definitions: number
}

export const defaultProjectsOptions: ProjectsOptions = { openReaders: 256, idleReaderMs: 60_000, definitions: 512 }

/** The projects of this node. */
export class NodeProjects implements Projects {
  readonly #deps: ProjectsDeps
  readonly #definitions: LRUCache<ProjectKey, ProjectDefinition>
  /** Projects that are open; their definitions stay in memory. */
  readonly #open = new Map<ProjectKey, ProjectDefinition | undefined>()
  readonly #readers: SharedReaders
  readonly #sweepMs: number
  #sweep: NodeJS.Timeout | undefined
  readonly #registryObservers = new Set<(entry: ProjectEntry, exists: boolean) => void>()
  /** Changes on their way, per project. */
  readonly #changing = new Map<ProjectKey, number>()
  /** Projects whose index missed a commit. */
  readonly #unindexed = new Set<ProjectKey>()
  readonly #observers = new Map<ProjectKey, Set<(event: ProjectEvent) => void>>()

  constructor(options: ProjectsOptions, deps: ProjectsDeps) {
    this.#deps = deps
    this.#definitions = new LRUCache({ max: options.definitions })
    this.#readers = new SharedReaders(options, deps.database)
    this.#sweepMs = options.idleReaderMs / 2
    this.definitionNow = this.definitionNow.bind(this)
  }

  /** Reads the registry, and finishes or undoes what a crash interrupted. */
  async start(): Promise<void> {
    const { index } = this.#deps
    for (const { state, ...entry } of index.load()) {
      if (state === 'indexing') await this.#tryReindex(entry)
      else if (state === 'creating' && (await this.#exists(entry.key))) {
        index.remember(entry)
        await this.#tryReindex(entry)
      } else await this.#tryErase(entry.key)
    }
    this.#sweep = setInterval(() => this.#readers.sweep(), this.#sweepMs).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep)
    await this.#readers.stop()
  }

  async create(project: NewProject): Promise<ProjectEntry> {
    const { index, now } = this.#deps
    const { accountId, name, changes = [], ...fields } = project
    const key = deriveProjectKey(accountId, name, randomBytes(16))
    const projectId = sfidFromBytes(fromHex(key, 32))
    const entry: ProjectEntry = { key, projectId, accountId, name, createdMs: now() }
    if (!index.reserve(entry)) throw new ApiError('ProjectNameConflict', name)
    try {
      const create: ProjectChange = { op: 'project.create', projectId, accountId, name, ...fields }
      index.remember(entry)
      await this.#submit(key, changes.length === 0 ? create : { op: 'all', changes: [create, ...changes] })
      index.setState(key, 'active')
      for (const observer of this.#registryObservers) observer(entry, true)
      return entry
    } catch (error) {
      index.forget(entry)
      await this.#erase(key)
      throw error
    }
  }

  byKey(key: ProjectKey): ProjectEntry | undefined {
    return this.#deps.index.byKey(key)
  }

  byId(projectId: Sfid): ProjectEntry | undefined {
    return this.#deps.index.byId(projectId)
  }

  byName(fullName: string): ProjectEntry | undefined {
    return this.#deps.index.byName(fullName)
  }

  list({ accountId }: { accountId?: Sfid }): readonly ProjectEntry[] {
    return this.#deps.index.list(accountId)
  }

  async remove(key: ProjectKey): Promise<void> {
    const { index } = this.#deps
    const entry = index.byKey(key)
    if (!entry) throw new ApiError('ProjectNotFound', key)
    index.setState(key, 'removing')
    index.forget(entry)
    this.#deps.forgetDevices(key)
    await this.#erase(key)
    this.#tell(key, { type: 'removed' })
    this.#observers.delete(key)
    for (const observer of this.#registryObservers) observer(entry, false)
  }

  async definition(key: ProjectKey): Promise<ProjectDefinition> {
    const known = this.definitionNow(key)
    if (known) return known
    if (!this.byKey(key)) throw new ApiError('ProjectNotFound', key)
    const reader = await this.reader(key)
    const rows = await Promise.all(definitionKinds.map((kind) => reader.definition(kind)))
    const definition = definitionFromRows(rows.flat())
    if (!definition) throw new ApiError('ProjectNotFound', key)
    // A commit may have come in while the rows were read; what it brought is newer.
    const meanwhile = this.definitionNow(key)
    if (!meanwhile) this.#keep(key, definition)
    return meanwhile ?? definition
  }

  definitionNow(key: ProjectKey): ProjectDefinition | undefined {
    return this.#open.get(key) ?? this.#definitions.get(key)
  }

  /**
   * To be called before a project is opened. One that is gone is not opened, or a late message would make an empty file for it.
   * @throws ApiError ProjectNotFound
   */
  async opening(key: ProjectKey): Promise<void> {
    if (!this.byKey(key)) throw new ApiError('ProjectNotFound', key)
    this.#deps.index.markWorked(key)
    this.#open.set(key, this.#definitions.get(key))
    // Answers name the applets, and the watchdog knows the project's limit. A project that is being made has none yet.
    await this.definition(key).catch(() => undefined)
  }

  /** To be called when a project was closed. @param unfinished whether something is left to do without a message */
  closed(key: ProjectKey, unfinished: boolean): void {
    const definition = this.#open.get(key)
    this.#open.delete(key)
    if (definition) this.#keep(key, definition)
    void this.#readers.drop(key)
    if (!unfinished && this.byKey(key)) this.#deps.index.markFinished(key)
  }

  async change(key: ProjectKey, change: ProjectChange): Promise<Extract<ChangeResult, { ok: true }>> {
    const entry = this.byKey(key)
    if (!entry) throw new ApiError('ProjectNotFound', key)
    if (this.#unindexed.has(key)) await this.#reindex(entry)
    // Until the index has followed, a crash leaves the mark, and the next start makes the index anew.
    const running = this.#changing.get(key) ?? 0
    if (running === 0) this.#deps.index.setState(key, 'indexing')
    this.#changing.set(key, running + 1)
    try {
      return await this.#submit(key, change)
    } finally {
      this.#changed(key)
    }
  }

  async publishers(key: ProjectKey, filter: PublisherFilter): Promise<Paged<Publisher>> {
    const reader = await this.reader(key)
    const { publisherIds, keys } = filter
    const rows =
      (publisherIds ?? keys)
        ? await this.#publishersBy(reader, filter)
        : (await reader.definition('publisher')).map((row) => row.value)
    const found = rows.map((value) => JSON.parse(value) as Publisher).filter((publisher) => matches(publisher, filter))
    found.sort((a, b) => a.createdMs - b.createdMs || (BigInt(a.publisherId) < BigInt(b.publisherId) ? -1 : 1))
    const { size = 10, offset = 0 } = filter
    return { data: size < 0 ? found.slice(offset) : found.slice(offset, offset + size), total: found.length }
  }

  locate(kind: LocatedKind, id: Sfid): Promise<ProjectKey | undefined> {
    return Promise.resolve(this.#deps.index.locate(kind, id))
  }

  async appletVersion(key: ProjectKey, appletId: Sfid, version: number): Promise<AppletVersion | undefined> {
    return readVersion(await this.reader(key), appletId, version)
  }

  async appletVersions(key: ProjectKey, appletId: Sfid, page: Page): Promise<Paged<AppletVersion>> {
    const applet = (await this.definition(key)).applets.get(appletId)
    if (!applet) throw new ApiError('AppletNotFound', appletId)
    return readVersions(await this.reader(key), appletId, applet.latestVersion, page)
  }

  async versionResults(
    key: ProjectKey,
    versions: readonly AppletVersion[],
    messages: number,
  ): Promise<ReadonlyMap<number, VersionResults>> {
    return countResults(await this.reader(key), versions, messages)
  }

  publisherToken(key: ProjectKey, publisher: Publisher): string {
    return this.#deps.token(key, publisher)
  }

  reader(key: ProjectKey): Promise<ProjectReader> {
    return this.#readers.reader(key)
  }

  observeRegistry(observer: (entry: ProjectEntry, exists: boolean) => void): () => void {
    this.#registryObservers.add(observer)
    return () => this.#registryObservers.delete(observer)
  }

  observe(key: ProjectKey, observer: (event: ProjectEvent) => void): () => void {
    const observers = this.#observers.get(key) ?? new Set()
    this.#observers.set(key, observers.add(observer))
    return () => {
      observers.delete(observer)
      if (observers.size === 0) this.#observers.delete(key)
    }
  }

  /** Follows a commit: definition in memory, index, observers. Called before its senders are answered. */
  committed(
    key: ProjectKey,
    batch: {
      height: bigint
      messages: number
      logs: number
      effects: number
      changes: readonly DefinitionChange[] | 'unknown'
    },
  ): void {
    const { height, messages, logs, effects, changes } = batch
    if (changes === 'unknown') this.#catchUp(key)
    else if (changes.length > 0) this.#follow(key, changes)
    this.#tell(key, { type: 'committed', height, messages, logs, effects })
  }

  /** Tells observers what became of an effect. */
  settled(key: ProjectKey, id: Uint8Array, state: string): void {
    this.#tell(key, { type: 'effect', id, state })
  }

  #follow(key: ProjectKey, changes: readonly DefinitionChange[]): void {
    const { index } = this.#deps
    try {
      index.atomically(() => {
        index.index(key, changes)
        this.#deps.indexDevices(key, changes)
      })
    } catch (error) {
      // The change itself is committed. Its mark stays, so the index is made anew before the next change or at the next start.
      this.#unindexed.add(key)
      this.#deps.logger.error('the index of a project could not follow', { project: key }, error)
    }
    const before = this.definitionNow(key)
    const creates = changes.some(({ kind }) => kind === 'project')
    if (!before && !creates) return
    const definition = applyRows(before, changes)
    if (!definition) return
    this.#keep(key, definition)
    this.#tell(key, { type: 'definition', definition })
  }

  #keep(key: ProjectKey, definition: ProjectDefinition): void {
    if (this.#open.has(key)) this.#open.set(key, definition)
    else this.#definitions.set(key, definition)
  }

  #forgetDefinition(key: ProjectKey): void {
    if (this.#open.has(key)) this.#open.set(key, undefined)
    this.#definitions.delete(key)
  }

  /** Something was changed and nobody could say what: all is read anew. */
  #catchUp(key: ProjectKey): void {
    this.#forgetDefinition(key)
    const entry = this.byKey(key)
    if (!entry) return
    this.#unindexed.add(key)
    void this.#tryReindex(entry)
  }

  #changed(key: ProjectKey): void {
    const running = this.#changing.get(key)! - 1
    if (running > 0) this.#changing.set(key, running)
    else {
      this.#changing.delete(key)
      if (!this.byKey(key) || this.#unindexed.has(key)) return
      try {
        this.#deps.index.setState(key, 'active')
      } catch (error) {
        // What was changed is committed, so its sender is told so. The mark costs no more than a look at the next start.
        this.#deps.logger.warn('the mark of a change stays', { project: key }, error)
      }
    }
  }

  async #submit(key: ProjectKey, change: ProjectChange): Promise<Extract<ChangeResult, { ok: true }>> {
    const { receipt } = await this.#deps.submit(key, configMessage(change, this.#deps.now()))
    const result = JSON.parse(decodeReceipt(receipt).detail) as ChangeResult
    if (!result.ok) throw new ApiError(result.code as ApiErrorKey, result.desc)
    return result
  }

  async #publishersBy(reader: ProjectReader, { publisherIds, keys }: PublisherFilter): Promise<string[]> {
    const byKey = await Promise.all((keys ?? []).map((key) => reader.definitionGet('publisherKey', key)))
    const ids = publisherIds ?? byKey.flatMap((row) => (row ? [JSON.parse(row.value) as Sfid] : []))
    const rows = await Promise.all(ids.map((id) => reader.definitionGet('publisher', id)))
    return rows.flatMap((row) => (row ? [row.value] : []))
  }

  async #exists(key: ProjectKey): Promise<boolean> {
    try {
      return (await (await this.reader(key)).definitionGet('project', '')) !== undefined
    } catch {
      return false
    }
  }

  /** A project whose file cannot be read keeps nobody else from being served; the next start tries again. */
  async #tryReindex(entry: ProjectEntry): Promise<void> {
    await this.#reindex(entry).catch((error: unknown) =>
      this.#deps.logger.error('a project cannot be indexed', { project: entry.key }, error),
    )
  }

  async #reindex(entry: ProjectEntry): Promise<void> {
    const { index } = this.#deps
    const rows = await (await this.reader(entry.key)).definition()
    const present = new Set(rows.filter(({ kind }) => kind === 'publisher').map(({ id }) => id))
    const gone = index.publishers(entry.key).filter((id) => !present.has(id))
    index.atomically(() => {
      // Connections of devices that are gone may be open.
      const removals = gone.map((id) => ({ kind: 'publisher', id, value: null }))
      this.#deps.indexDevices(entry.key, removals)
      index.clearObjects(entry.key)
      index.index(entry.key, rows)
      this.#deps.indexDevices(entry.key, rows)
      index.setState(entry.key, 'active')
    })
    this.#unindexed.delete(entry.key)
  }

  /** What is left of a project that was not made, or was removed; the next start tries again. */
  async #tryErase(key: ProjectKey): Promise<void> {
    await this.#erase(key).catch((error: unknown) =>
      this.#deps.logger.error('a project cannot be cleared away', { project: key }, error),
    )
  }

  async #erase(key: ProjectKey): Promise<void> {
    this.#forgetDefinition(key)
    await this.#deps.close(key)
    this.#open.delete(key)
    this.#definitions.delete(key)
    await this.#readers.drop(key)
    await this.#deps.database.dropProject(key)
    this.#deps.index.erase(key)
  }

  #tell(key: ProjectKey, event: ProjectEvent): void {
    for (const observer of this.#observers.get(key) ?? []) observer(event)
  }
}

function configMessage(change: ProjectChange, nowMs: number): Message {
  const payload = new TextEncoder().encode(JSON.stringify(change))
  return ownMessage('config', nowMs, { nonce: randomBytes(16), payload })
}

function matches(publisher: Publisher, filter: PublisherFilter): boolean {
  const { names, keys, publisherIds, nameStartsWith, nameEndsWith } = filter
  return (
    (!names?.length || names.includes(publisher.name)) &&
    (!keys?.length || keys.includes(publisher.key)) &&
    (!publisherIds?.length || publisherIds.includes(publisher.publisherId)) &&
    (!nameStartsWith || publisher.name.startsWith(nameStartsWith)) &&
    (!nameEndsWith || publisher.name.endsWith(nameEndsWith))
  )
}
