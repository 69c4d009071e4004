import { dirname } from 'node:path'
import type { ApiClient } from '../api-client.ts'
import { applyPlan } from '../deploy/apply.ts'
import { buildDesired } from '../deploy/build-desired.ts'
import { fetchCurrent } from '../deploy/fetch-current.ts'
import { checkChains, loadProjectFile } from '../deploy/load-file.ts'
import { isEmpty, planDeployment } from '../deploy/plan.ts'
import type { CurrentProject } from '../deploy/state.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import type { ProjectFile } from '../project-file/schema.ts'
import { FileWatch } from './file-watch.ts'
import { followProject } from './follow.ts'
import { areAsBefore, type Digests, digestsOf } from './inputs.ts'
import { ModuleCache } from './module-cache.ts'
import { ProjectFiles } from './project-files.ts'
import type { Screen } from './screen.ts'
import { Sender } from './sender.ts'

export interface SessionOptions {
  /** Absolute path of the project file. */
  readonly path: string
  /** How messages call it. */
  readonly name: string
  /** Absolute paths of files or folders with events: sent at the beginning, and when they are saved. */
  readonly events: readonly string[]
  /** Key of the device that sends what names none. @default the first of the project file, else `dev` */
  readonly device?: string
}

/** Events that wait for the first deployment at most. */
const maxEarly = 1000

/**
 * Keeps a project on a node equal to its files, until the signal: every save becomes a deployment, which is a message of the
 * project's log. Events before it run the old module, events behind it the new one, and none is lost between them.
 */
export class DevSession {
  readonly #io: CliIo
  readonly #api: ApiClient
  readonly #screen: Screen
  readonly #options: SessionOptions
  readonly #modules: ModuleCache
  readonly #watch: FileWatch
  readonly #files: ProjectFiles
  #project: string | undefined
  #sender: Sender | undefined
  #following: Promise<void> | undefined
  #deploying: Promise<void> | undefined
  #isStale = false
  /** All files as the last deployment, or attempt, read them, or had before; undefined: it is to be tried again. */
  #seen: Digests | undefined
  /** The last attempt failed at the node: a save repeats it, whatever it changes. */
  #isOwed = false
  #isReady = false
  readonly #early: string[] = []
  #signal: AbortSignal = new AbortController().signal

  constructor(options: SessionOptions, deps: { io: CliIo; api: ApiClient; screen: Screen }) {
    this.#options = options
    this.#io = deps.io
    this.#api = deps.api
    this.#screen = deps.screen
    this.#files = new ProjectFiles(options.path, options.events)
    this.#modules = new ModuleCache(deps.io)
    this.#watch = new FileWatch(
      (files) => this.#changed(files),
      (file) => this.#isInput(file) || this.#files.hasEvents(file),
    )
  }

  /** Resolves when the signal has ended everything. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const aborted = new Promise((done) => signal.addEventListener('abort', done, { once: true }))
    try {
      this.#request()
      await Promise.race([this.#deploying, aborted])
      if (!signal.aborted) await aborted
    } finally {
      this.#watch.close()
      await this.#deploying
      await this.#following
    }
  }

  /** An event that somebody typed; one that comes before the first deployment waits for it. */
  line(text: string): void {
    if (text.trim() === '') return
    if (this.#isReady) void this.#sender?.line(text)
    else if (this.#early.length < maxEarly) this.#early.push(text)
    else
      this.#screen.failed(new CliError({ code: 'CLI_USAGE', detail: `more than ${maxEarly} events before the start` }))
  }

  #changed(files: ReadonlySet<string>): void {
    if (this.#isOwed) this.#seen = undefined
    this.#request()
    for (const file of files) if (this.#files.hasEvents(file)) void this.#sender?.file(file)
  }

  #isInput(file: string): boolean {
    return this.#files.parts.includes(file) || this.#modules.sources.has(file)
  }

  /** One deployment at a time; what is saved meanwhile makes one more. */
  #request(): void {
    this.#isStale = true
    this.#deploying ??= this.#deployWhileStale().finally(() => {
      this.#deploying = undefined
    })
  }

  async #deployWhileStale(): Promise<void> {
    while (this.#isStale && !this.#signal.aborted) {
      this.#isStale = false
      // Before anything is read: what is saved from here on is seen.
      this.#watchAll()
      if (this.#seen && (await areAsBefore(this.#seen))) continue
      this.#seen = await digestsOf([...this.#files.parts, ...this.#modules.sources.keys()])
      try {
        await this.#deploy()
        this.#isOwed = false
      } catch (error) {
        this.#isOwed = isOfNode(error)
        if (!this.#signal.aborted) this.#screen.refused(error)
      }
      this.#seen = new Map([...(this.#seen ?? []), ...this.#modules.takeRead()])
      // What was saved while it lasted, in whatever directory: the last save counts.
      this.#isStale = true
    }
  }

  #watchAll(): void {
    this.#watch.set(new Set([...this.#files.directories(), ...this.#modules.directories]))
  }

  async #deploy(): Promise<void> {
    const { path, name } = this.#options
    const began = performance.now()
    const file = await loadProjectFile(path, name, this.#io)
    const project = this.#project ?? file.name
    if (file.name !== project)
      throw new CliError({ code: 'CLI_USAGE', detail: `the project is ${project}: end and begin anew to rename it` })
    this.#files.content = file
    this.#seen = new Map([...(await digestsOf(this.#files.parts)), ...(this.#seen ?? [])])
    const operator = await checkChains(this.#api, file)
    const desired = await buildDesired(file, dirname(path), operator, this.#modules.make)
    const compileMs = this.#modules.takeCompileMs()
    const plan = planDeployment(desired, await fetchCurrent(this.#api, file.name))
    if (isEmpty(plan)) this.#screen.unchanged()
    else {
      await applyPlan(this.#api, file.name, plan)
      this.#screen.deployed(file.name, plan, { compileMs, deployMs: performance.now() - began })
    }
    const current = await fetchCurrent(this.#api, file.name)
    if (current) await this.#begin(file, current)
  }

  /** Follows what happens from the first deployment on, and sends the first events. */
  async #begin(file: ProjectFile, current: CurrentProject): Promise<void> {
    this.#screen.names(
      new Map(current.publishers.map(({ publisherId, key }) => [publisherId, key])),
      new Map(current.applets.map(({ appletId, name }) => [appletId, name])),
    )
    const isFirst = this.#sender === undefined
    this.#project = file.name
    this.#sender ??= new Sender(this.#api, file.name, this.#screen)
    this.#sender.device = this.#options.device ?? file.devices?.[0]?.key ?? 'dev'
    this.#sender.eventTypes = new Set(current.strategies.map(({ eventType }) => eventType))
    if (!isFirst) return
    const opened = Promise.withResolvers<void>()
    this.#following = this.#follow(file.name, opened.resolve).finally(opened.resolve)
    await opened.promise
    this.#watchAll()
    this.#screen.ready(file.name, this.#watch.size)
    for (const path of await this.#files.firstEvents()) void this.#sender.file(path)
    this.#isReady = true
    for (const text of this.#early.splice(0)) this.line(text)
  }

  #follow(project: string, opened: () => void): Promise<void> {
    const follower = {
      log: (line: Parameters<Screen['log']>[0]) => this.#screen.log(line),
      receipt: (row: Parameters<Screen['receipt']>[2]) => this.#screen.receipt(this.#api, project, row),
      interrupted: (reason: string) => this.#screen.note(`the stream of the node broke (${reason}): opened again`),
    }
    return followProject(this.#api, project, follower, { signal: this.#signal, opened })
  }
}

/** Whether it may go well with the same files. */
function isOfNode(error: unknown): boolean {
  return error instanceof CliError && (error.fault.code === 'CLI_UNREACHABLE' || error.fault.code === 'CLI_API')
}
