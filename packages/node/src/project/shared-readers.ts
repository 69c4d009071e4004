import type { ProjectKey } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { Database, MaybePromise, ProjectReader } from '../database/database.ts'

export interface SharedReadersOptions {
  /** Projects' files that are open for reading at once. */
  readonly openReaders: number
  /** One that nobody asked for so long is closed, milliseconds. */
  readonly idleReaderMs: number
}

/** Open files, to be closed when nobody asks any more. */
class OpenReader {
  readonly reader: Promise<ProjectReader>
  #users = 0
  #unwanted = false

  constructor(reader: MaybePromise<ProjectReader>) {
    this.reader = Promise.resolve(reader)
  }

  async use<T>(question: (reader: ProjectReader) => MaybePromise<T>): Promise<T> {
    this.#users++
    try {
      return await question(await this.reader)
    } finally {
      this.#users--
      if (this.#unwanted) await this.#closeUnused()
    }
  }

  /** Closes the files when the last question is answered. */
  async letGo(): Promise<void> {
    this.#unwanted = true
    await this.#closeUnused()
  }

  async #closeUnused(): Promise<void> {
    if (this.#users > 0) return
    const reader = await this.reader.catch(() => undefined)
    await reader?.close()
  }
}

/**
 * Readers of many projects with few open files. What is given out opens its project again when it was closed meanwhile, so
 * whoever holds one between two questions need not care.
 */
export class SharedReaders {
  readonly #database: Pick<Database, 'openReader'>
  readonly #open: LRUCache<ProjectKey, OpenReader>

  constructor(options: SharedReadersOptions, database: Pick<Database, 'openReader'>) {
    this.#database = database
    this.#open = new LRUCache({
      max: options.openReaders,
      ttl: options.idleReaderMs,
      updateAgeOnGet: true,
      dispose: (open) => void open.letGo(),
    })
  }

  /** @throws DatabaseError STORE_NOT_FOUND */
  async reader(project: ProjectKey): Promise<ProjectReader> {
    await this.#opened(project).reader
    return new SharedReader((question) => this.#opened(project).use(question))
  }

  /** Closes a project's files. */
  async drop(project: ProjectKey): Promise<void> {
    const open = this.#open.peek(project)
    this.#open.delete(project)
    await open?.letGo()
  }

  /** Closes what nobody has asked for a while. */
  sweep(): void {
    this.#open.purgeStale()
  }

  async stop(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.allSettled(all.map((open) => open.letGo()))
  }

  #opened(project: ProjectKey): OpenReader {
    const known = this.#open.get(project)
    if (known) return known
    const open = new OpenReader(this.#database.openReader(project))
    this.#open.set(project, open)
    open.reader.catch(() => {
      if (this.#open.peek(project) === open) this.#open.delete(project)
    })
    return open
  }
}

type Ask = <T>(question: (reader: ProjectReader) => MaybePromise<T>) => Promise<T>

/** A reader without files of its own: each question finds the open ones, or opens them. */
class SharedReader implements ProjectReader {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  tip() {
    return this.#ask((reader) => reader.tip())
  }

  definition(kind?: string) {
    return this.#ask((reader) => reader.definition(kind))
  }

  definitionGet(...args: Parameters<ProjectReader['definitionGet']>) {
    return this.#ask((reader) => reader.definitionGet(...args))
  }

  batch(height: bigint) {
    return this.#ask((reader) => reader.batch(height))
  }

  messages(height: bigint) {
    return this.#ask((reader) => reader.messages(height))
  }

  messageById(id: Uint8Array) {
    return this.#ask((reader) => reader.messageById(id))
  }

  listMessages(...args: Parameters<ProjectReader['listMessages']>) {
    return this.#ask((reader) => reader.listMessages(...args))
  }

  listLogs(...args: Parameters<ProjectReader['listLogs']>) {
    return this.#ask((reader) => reader.listLogs(...args))
  }

  listKv(...args: Parameters<ProjectReader['listKv']>) {
    return this.#ask((reader) => reader.listKv(...args))
  }

  heightSince(...args: Parameters<ProjectReader['heightSince']>) {
    return this.#ask((reader) => reader.heightSince(...args))
  }

  countEvents(...args: Parameters<ProjectReader['countEvents']>) {
    return this.#ask((reader) => reader.countEvents(...args))
  }

  outboxPending(...args: Parameters<ProjectReader['outboxPending']>) {
    return this.#ask((reader) => reader.outboxPending(...args))
  }

  outbox(...args: Parameters<ProjectReader['outbox']>) {
    return this.#ask((reader) => reader.outbox(...args))
  }

  query(...args: Parameters<ProjectReader['query']>) {
    return this.#ask((reader) => reader.query(...args))
  }

  /** The files are shared; who opened them closes them. */
  close() {}
}
