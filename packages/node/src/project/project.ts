/**
 * Projects as the rest of the node sees them: who owns which, what each consists of, and how that is changed. Changes go
 * through the project's log and are answered after their commit; reads see committed state.
 */
import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Page, Paged, ProjectReader } from '../database/database.ts'
import type { AppletVersion, ChangeResult, ProjectChange, ProjectDefinition, Publisher } from './definition.ts'

/** A line of the node's registry of projects. */
export interface ProjectEntry {
  readonly key: ProjectKey
  readonly projectId: Sfid
  readonly accountId: Sfid
  /** Full name: `eth_<address>_<name>` or `aid_<account>_<name>`. */
  readonly name: string
  readonly createdMs: number
}

export interface NewProject {
  readonly accountId: Sfid
  /** Full name. */
  readonly name: string
  readonly public?: boolean
  readonly version?: string
  readonly protocol?: string
  readonly description?: string
  /** Applied in the same batch as the creation. */
  readonly changes?: readonly ProjectChange[]
}

/** Kinds of things whose ids are found without knowing their project. */
export type LocatedKind = 'applet' | 'instance' | 'strategy' | 'publisher' | 'cronJob' | 'trafficLimit'

/** Handler runs of one version of an applet. */
export interface VersionResults {
  /** Returned zero or more. */
  readonly ok: number
  /** Returned a negative number, which by convention means that the message was refused. */
  readonly negative: number
  /** Did not return. */
  readonly failed: number
  /** Units of `docs/spec/fuel.md` per run. */
  readonly meanFuel: number
}

export interface PublisherFilter extends Page {
  readonly publisherIds?: readonly Sfid[]
  readonly names?: readonly string[]
  readonly keys?: readonly string[]
  readonly nameStartsWith?: string
  readonly nameEndsWith?: string
}

export interface Projects {
  /** @throws ApiError ProjectNameConflict, and what the changes throw; then nothing was created */
  create(project: NewProject): Promise<ProjectEntry>
  byKey(key: ProjectKey): ProjectEntry | undefined
  byId(projectId: Sfid): ProjectEntry | undefined
  byName(fullName: string): ProjectEntry | undefined
  /** In order of creation. */
  list(filter: { accountId?: Sfid }): readonly ProjectEntry[]
  /** Stops it, then removes everything of it: definition, devices and their tokens, state, logs. */
  remove(key: ProjectKey): Promise<void>
  /** @throws ApiError ProjectNotFound */
  definition(key: ProjectKey): Promise<ProjectDefinition>
  /** The definition if it is at hand, without waiting. */
  definitionNow(key: ProjectKey): ProjectDefinition | undefined
  /** @throws ApiError with the key that the change was refused for */
  change(key: ProjectKey, change: ProjectChange): Promise<Extract<ChangeResult, { ok: true }>>
  publishers(key: ProjectKey, filter: PublisherFilter): Promise<Paged<Publisher>>
  /** A deployment of an applet; nothing when it has none of that number. */
  appletVersion(key: ProjectKey, appletId: Sfid, version: number): Promise<AppletVersion | undefined>
  /** Deployments of an applet, newest first. @throws ApiError AppletNotFound */
  appletVersions(key: ProjectKey, appletId: Sfid, page: Page): Promise<Paged<AppletVersion>>
  /**
   * What the latest messages of a project came to under each of these versions; those that ran for none are left out.
   * @param messages how many are looked at, of all applets together
   */
  versionResults(
    key: ProjectKey,
    versions: readonly AppletVersion[],
    messages: number,
  ): Promise<ReadonlyMap<number, VersionResults>>
  /** Which project an id belongs to: the API's paths name only the id. */
  locate(kind: LocatedKind, id: Sfid): Promise<ProjectKey | undefined>
  /** The device's token, as `w3b_…`; derived, not stored. */
  publisherToken(key: ProjectKey, publisher: Publisher): string
  /** A reader of committed state; kept open and shared, not to be closed. */
  reader(key: ProjectKey): Promise<ProjectReader>
  /** Calls back for every project that comes or goes. Returns a function that stops it. */
  observeRegistry(observer: (entry: ProjectEntry, exists: boolean) => void): () => void
  /** Calls back after each commit that changed something an observer may want: new log lines, receipts, definition. */
  observe(key: ProjectKey, observer: (event: ProjectEvent) => void): () => void
}

export type ProjectEvent =
  | { type: 'committed'; height: bigint; messages: number; logs: number; effects: number }
  | { type: 'definition'; definition: ProjectDefinition }
  | { type: 'effect'; id: Uint8Array; state: string }
  | { type: 'removed' }
