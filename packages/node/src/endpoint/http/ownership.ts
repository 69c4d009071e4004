import type { Sfid } from '@w3bstream/protocol'
import type {
  Applet,
  ChangeResult,
  CronJob,
  Instance,
  ProjectDefinition,
  Publisher,
  Strategy,
} from '../../project/definition.ts'
import type { ProjectEntry, Projects } from '../../project/project.ts'
import { ApiError, type ApiErrorKey } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import type { HttpDeps } from './deps.ts'

/** A project of the caller, with what it consists of. */
export interface Owned {
  readonly entry: ProjectEntry
  readonly definition: ProjectDefinition
}

const missing = {
  applet: 'AppletNotFound',
  instance: 'InstanceNotFound',
  strategy: 'StrategyNotFound',
  publisher: 'PublisherNotFound',
  cronJob: 'CronJobNotFound',
} as const satisfies Record<string, ApiErrorKey>

type Kind = keyof typeof missing

/**
 * Finds what a path names, among what the caller owns. Names are looked up under the caller's prefix, so another account's
 * project is not found; ids are looked up everywhere, and another account's is refused.
 */
export class Ownership {
  readonly #projects: Projects
  readonly #accounts: HttpDeps['accounts']

  constructor({ projects, accounts }: Pick<HttpDeps, 'projects' | 'accounts'>) {
    this.#projects = projects
    this.#accounts = accounts
  }

  fullName(account: AccountIdentity, shortName: string): string {
    return this.#accounts.projectPrefix(account.accountId) + shortName
  }

  /** @throws ApiError ProjectNotFound */
  project(account: AccountIdentity, shortName: string): ProjectEntry {
    const entry = this.#projects.byName(this.fullName(account, shortName))
    if (entry?.accountId !== account.accountId) throw new ApiError('ProjectNotFound', shortName)
    return entry
  }

  /** For administrators: a project of the caller by its short name, or anybody's by its full name. @throws ApiError ProjectNotFound */
  anyProject(account: AccountIdentity, name: string): ProjectEntry {
    const entry = this.#projects.byName(this.fullName(account, name)) ?? this.#projects.byName(name)
    if (!entry) throw new ApiError('ProjectNotFound', name)
    return entry
  }

  /** @throws ApiError ProjectNotFound, NoProjectPermission */
  projectById(account: AccountIdentity, projectId: Sfid): ProjectEntry {
    const entry = this.#projects.byId(projectId)
    if (!entry) throw new ApiError('ProjectNotFound', projectId)
    return owned(account, entry)
  }

  /** @throws ApiError ProjectNotFound */
  async defined(account: AccountIdentity, shortName: string): Promise<Owned> {
    const entry = this.project(account, shortName)
    return { entry, definition: await this.#projects.definition(entry.key) }
  }

  /** @throws ApiError AppletNotFound, NoProjectPermission */
  async applet(account: AccountIdentity, appletId: Sfid): Promise<Owned & { applet: Applet }> {
    const found = await this.#locate(account, 'applet', appletId)
    return { ...found, applet: present(found.definition.applets.get(appletId), 'applet', appletId) }
  }

  /** @throws ApiError InstanceNotFound, NoProjectPermission */
  async instance(account: AccountIdentity, instanceId: Sfid): Promise<Owned & { instance: Instance }> {
    const found = await this.#locate(account, 'instance', instanceId)
    return { ...found, instance: present(found.definition.instances.get(instanceId), 'instance', instanceId) }
  }

  /** @throws ApiError StrategyNotFound, NoProjectPermission */
  async strategy(account: AccountIdentity, strategyId: Sfid): Promise<Owned & { strategy: Strategy }> {
    const found = await this.#locate(account, 'strategy', strategyId)
    return { ...found, strategy: present(found.definition.strategies.get(strategyId), 'strategy', strategyId) }
  }

  /** @throws ApiError CronJobNotFound, NoProjectPermission */
  async cronJob(account: AccountIdentity, cronJobId: Sfid): Promise<Owned & { cronJob: CronJob }> {
    const found = await this.#locate(account, 'cronJob', cronJobId)
    return { ...found, cronJob: present(found.definition.cronJobs.get(cronJobId), 'cronJob', cronJobId) }
  }

  /** @throws ApiError PublisherNotFound, NoProjectPermission */
  async publisher(account: AccountIdentity, publisherId: Sfid): Promise<{ entry: ProjectEntry; publisher: Publisher }> {
    const entry = await this.#entryOf(account, 'publisher', publisherId)
    const { data } = await this.#projects.publishers(entry.key, { publisherIds: [publisherId], size: 1 })
    return { entry, publisher: present(data[0], 'publisher', publisherId) }
  }

  async #locate(account: AccountIdentity, kind: Kind, id: Sfid): Promise<Owned> {
    const entry = await this.#entryOf(account, kind, id)
    return { entry, definition: await this.#projects.definition(entry.key) }
  }

  async #entryOf(account: AccountIdentity, kind: Kind, id: Sfid): Promise<ProjectEntry> {
    const key = await this.#projects.locate(kind, id)
    const entry = key && this.#projects.byKey(key)
    if (!entry) throw new ApiError(missing[kind], id)
    return owned(account, entry)
  }
}

function owned(account: AccountIdentity, entry: ProjectEntry): ProjectEntry {
  if (entry.accountId !== account.accountId) throw new ApiError('NoProjectPermission', entry.projectId)
  return entry
}

function present<T>(value: T | undefined, kind: Kind, id: Sfid): T {
  if (value === undefined) throw new ApiError(missing[kind], id)
  return value
}

/** The row that a change made or changed. @throws ApiError InternalServerError when the result has none */
export function rowOf<T>(result: ChangeResult): T {
  if (!result.ok || result.value === undefined)
    throw new ApiError('InternalServerError', 'a change was made but its result is missing')
  return result.value as T
}
