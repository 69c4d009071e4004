import { type ProjectKey, type Sfid, sha256 } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { ControlDatabase } from '../database/control/control.ts'
import type { ProjectReader } from '../database/database.ts'
import type { PublisherIdentity } from '../endpoint/endpoint.ts'
import type { Publisher } from '../project/definition.ts'
import type { DefinitionChange } from '../project/definition-rows.ts'
import type { ProjectEntry } from '../project/project.ts'
import type { Devices } from './device.ts'
import { type Derive, publisherToken } from './token.ts'

export interface DevicesDeps {
  readonly control: ControlDatabase
  readonly derive: Derive
  projectByKey(key: ProjectKey): ProjectEntry | undefined
  reader(key: ProjectKey): Promise<ProjectReader>
  didKey(publicKey: Uint8Array): string
}

export interface DevicesOptions {
  /** Tokens whose owner is remembered. @default 100_000 */
  readonly cachedTokens: number
}

/**
 * Finds devices by their tokens through an index in the control file. The index is made from the projects' definitions and
 * can be made again from them; only hashes of tokens are in it.
 */
export class TokenIndex implements Devices {
  readonly #deps: DevicesDeps
  readonly #byToken: LRUCache<string, PublisherIdentity>
  /** Devices whose tokens up to this version are void, or all of them. Connections outlive the cache and ask here. */
  readonly #voidUpTo = new Map<Sfid, number>()
  /** Keys of devices whose key was changed: what stands under the old one is void. */
  readonly #renamed = new Map<Sfid, string>()
  readonly #removedProjects = new Set<ProjectKey>()

  constructor(options: DevicesOptions, deps: DevicesDeps) {
    this.#deps = deps
    this.#byToken = new LRUCache({ max: options.cachedTokens })
  }

  authenticate(token: string): PublisherIdentity | undefined {
    const known = this.#byToken.get(token)
    if (known?.valid) return known
    const row = this.#deps.control
      .prepare('SELECT project, publisher_id, publisher_key, version FROM publisher_token WHERE token_hash = ?')
      .get(sha256(Buffer.from(token)))
    if (!row) return undefined
    const entry = this.#deps.projectByKey(row.project as ProjectKey)
    if (!entry) return undefined
    const identity = this.#live(entry, row.publisher_id as Sfid, row.publisher_key as string, Number(row.version))
    this.#byToken.set(token, identity)
    return identity
  }

  identity(entry: ProjectEntry, { publisherId, key, tokenVersion }: Publisher): PublisherIdentity {
    return this.#live(entry, publisherId, key, tokenVersion)
  }

  async byPublicKey(project: ProjectKey, publicKey: Uint8Array): Promise<Publisher | undefined> {
    const reader = await this.#deps.reader(project)
    const id = await reader.definitionGet('publisherPublicKey', this.#deps.didKey(publicKey))
    const row = id && (await reader.definitionGet('publisher', JSON.parse(id.value) as Sfid))
    return row && (JSON.parse(row.value) as Publisher)
  }

  /** Follows changes of a project's definition. To be called within a transaction of the control file. */
  index(project: ProjectKey, changes: readonly DefinitionChange[]): void {
    for (const { kind, id, value } of changes) {
      if (kind !== 'publisher') continue
      const oldKey = this.#forget(project, id)
      if (value === null) this.#voidUpTo.set(id, Number.POSITIVE_INFINITY)
      else {
        const publisher = JSON.parse(value) as Publisher
        this.#remember(project, publisher)
        if (oldKey !== undefined && oldKey !== publisher.key) this.#renamed.set(id, publisher.key)
      }
    }
  }

  removeProject(project: ProjectKey): void {
    this.#removedProjects.add(project)
  }

  /** @returns the key that the device had */
  #forget(project: ProjectKey, publisherId: Sfid): string | undefined {
    return this.#deps.control
      .prepare('DELETE FROM publisher_token WHERE project = ? AND publisher_id = ? RETURNING publisher_key')
      .get(project, publisherId)?.publisher_key as string | undefined
  }

  #remember(project: ProjectKey, publisher: Publisher): void {
    const { publisherId, key, tokenVersion } = publisher
    const hash = sha256(Buffer.from(publisherToken(this.#deps.derive, project, publisher)))
    this.#deps.control
      .prepare(
        'INSERT INTO publisher_token (token_hash, project, publisher_id, publisher_key, version) VALUES (?, ?, ?, ?, ?)',
      )
      .run(hash, project, publisherId, key, tokenVersion)
    if (tokenVersion > 1) this.#voidUpTo.set(publisherId, tokenVersion - 1)
  }

  #live(entry: ProjectEntry, publisherId: Sfid, publisherKey: string, version: number): PublisherIdentity {
    const voidUpTo = this.#voidUpTo
    const renamed = this.#renamed
    const removed = this.#removedProjects
    return {
      type: 'publisher',
      project: entry.key,
      channel: entry.name,
      publisherId,
      publisherKey,
      get valid() {
        return (
          (voidUpTo.size === 0 || version > (voidUpTo.get(publisherId) ?? 0)) &&
          (renamed.size === 0 || (renamed.get(publisherId) ?? publisherKey) === publisherKey) &&
          !removed.has(entry.key)
        )
      },
    }
  }
}
