import { decodeMessage, type ProjectKey } from '@w3bstream/protocol'
import type { Accounts } from '../account/account.ts'
import type { Database, ProjectReader } from '../database/database.ts'
import { DatabaseError } from '../database/errors.ts'
import type { Projects } from '../project/project.ts'
import type { References } from '../vfs/keeper.ts'

/** Rows of definitions that name files, with what people are told of them. */
const kinds = [
  ['applet', 'applet'],
  ['appletVersion', 'versions'],
  ['assets', 'assets'],
] as const
/** Messages that are read at a time. */
const pageSize = 500
/** Things that are named for each file. */
const maxNames = 20

/** What the history of a project refers to, up to a height. */
interface Scanned {
  readonly height: bigint
  readonly hashes: ReadonlySet<string>
}

/**
 * Finds everything that files are kept for: uploads of accounts, the definitions of projects, and whatever their histories
 * ever deployed, since receipts name it and a replay runs it again.
 */
export class VfsReferences {
  readonly #deps: { accounts: Accounts; projects: Projects; database: Database }
  /** A history only grows: its older part is read once. */
  readonly #histories = new Map<ProjectKey, Scanned>()

  constructor(deps: { accounts: Accounts; projects: Projects; database: Database }) {
    this.#deps = deps
  }

  async find(signal?: AbortSignal): Promise<References> {
    const references = new Map<string, string[]>()
    const add = (hash: string, name: string) => {
      const names = references.get(hash) ?? []
      if (names.length < maxNames && !names.includes(name)) names.push(name)
      references.set(hash, names)
    }
    const { accounts, projects } = this.#deps
    for (const { hash, accountId } of accounts.resources.owned()) add(hash, `module of account ${accountId}`)
    for (const { hash, accountId } of accounts.files.owned()) add(hash, `file of account ${accountId}`)
    const entries = projects.list({})
    for (const { key, name } of entries) {
      signal?.throwIfAborted()
      await this.#ofProject(key, name, add)
    }
    const known = new Set(entries.map(({ key }) => key))
    for (const key of this.#histories.keys()) if (!known.has(key)) this.#histories.delete(key)
    return references
  }

  async #ofProject(key: ProjectKey, name: string, add: (hash: string, name: string) => void): Promise<void> {
    const reader = await this.#open(key)
    if (!reader) return
    try {
      for (const [kind, text] of kinds)
        for (const row of await reader.definition(kind))
          for (const hash of hashesIn(JSON.parse(row.value))) add(hash, `${text} of ${name}`)
      for (const hash of await this.#history(key, reader)) add(hash, `history of ${name}`)
    } finally {
      await reader.close()
    }
  }

  /** A project that was created and has no batch yet has no store. */
  async #open(key: ProjectKey): Promise<ProjectReader | undefined> {
    try {
      return await this.#deps.database.openReader(key)
    } catch (error) {
      if (error instanceof DatabaseError && error.code === 'STORE_NOT_FOUND') return undefined
      throw error
    }
  }

  async #history(key: ProjectKey, reader: ProjectReader): Promise<ReadonlySet<string>> {
    const { height: tip } = await reader.tip()
    const known = this.#histories.get(key) ?? { height: 0n, hashes: new Set<string>() }
    const hashes = new Set(known.hashes)
    for (let offset = 0; ; offset += pageSize) {
      const { data } = await reader.listMessages({ kind: 'config', size: pageSize, offset })
      const news = data.filter(({ height }) => height > known.height)
      for (const { message } of news)
        for (const hash of hashesIn(JSON.parse(new TextDecoder().decode(decodeMessage(message).payload))))
          hashes.add(hash)
      if (news.length < pageSize) break
    }
    this.#histories.set(key, { height: tip, hashes })
    return hashes
  }
}

/** All SHA-256s in a value, at any depth: the rows and changes of every version of the node are read alike. */
function* hashesIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (/^[0-9a-f]{64}$/.test(value)) yield value
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* hashesIn(inner)
  }
}
