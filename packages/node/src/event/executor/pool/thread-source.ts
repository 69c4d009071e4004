import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { threadStackMiB } from '../../../engine/index.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { backoffMs } from '../../../util/backoff.ts'
import type { ExecutorOptions } from '../executor.ts'
import { createProgressMemory } from './watchdog.ts'
import type { FromWorker, WorkerData } from './wire.ts'

/** A worker with the memory in which it says what it runs. */
export interface Thread {
  readonly worker: Worker
  readonly progress: SharedArrayBuffer
}

const defaultHeapMiB = 512

/** Rest before the next thread when threads end before they are ready, milliseconds. */
const birthRest = { minMs: 100, maxMs: 10_000 }

/**
 * Where threads come from. The first is made at once. From the first project on ({@link keepSpare}) one is kept ready, so
 * that who lost a thread goes on at once: a node that does nothing does not pay for it. When threads end before they are ready (memory of the machine, files that are gone), the next ones wait longer and
 * longer.
 */
export class ThreadSource {
  readonly #options: ExecutorOptions
  readonly #logger: Logger
  #spare: Thread | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #waiting: ((thread: Thread) => void)[] = []
  /** Threads in a row that ended before they were ready. */
  #failures = 0
  #keepsSpare = false
  #stopped = false

  constructor(options: ExecutorOptions, logger: Logger) {
    this.#options = options
    this.#logger = logger
    this.#prepare()
  }

  /** From now on a thread is kept ready beside those that are taken. */
  keepSpare(): void {
    this.#keepsSpare = true
    if (this.#waiting.length === 0) this.#prepare()
  }

  /** Calls back with a thread, at once if one is there. */
  take(use: (thread: Thread) => void): void {
    this.#waiting.push(use)
    this.#prepare()
    this.#handOut()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    await this.#spare?.worker.terminate()
  }

  #handOut(): void {
    while (this.#spare && this.#waiting.length > 0) {
      const thread = this.#spare
      this.#spare = undefined
      // Before it is used: what its user sends may end it.
      if (this.#keepsSpare || this.#waiting.length > 1) this.#prepare()
      thread.worker.ref()
      this.#waiting.shift()!(thread)
    }
  }

  /** Makes a spare thread, now or after the rest that failures impose. */
  #prepare(): void {
    if (this.#stopped || this.#spare || this.#timer) return
    if (this.#failures === 0) this.#spawn()
    else this.#timer = setTimeout(() => this.#rested(), backoffMs(this.#failures, birthRest)).unref()
  }

  #rested(): void {
    this.#timer = undefined
    this.#spawn()
    this.#handOut()
  }

  #spawn(): void {
    const progress = createProgressMemory()
    const workerData: WorkerData = { options: plainOptions(this.#options), progress }
    const resourceLimits = {
      maxOldGenerationSizeMb: this.#options.threadHeapMiB ?? defaultHeapMiB,
      stackSizeMb: threadStackMiB,
    }
    const worker = new Worker(entry(), { name: 'executor', workerData, resourceLimits })
    const thread = { worker, progress }
    let ready = false
    const onMessage = ({ type }: FromWorker) => {
      if (type !== 'ready') return
      ready = true
      this.#failures = 0
      worker.off('message', onMessage)
    }
    worker.on('message', onMessage)
    worker.on('error', (error) => this.#logger.error('an executor thread failed', {}, error))
    worker.once('exit', () => this.#ended(thread, ready))
    worker.unref()
    this.#spare = thread
  }

  #ended(thread: Thread, ready: boolean): void {
    if (!ready) this.#failures++
    if (this.#spare !== thread) return
    this.#spare = undefined
    this.#prepare()
    this.#handOut()
  }
}

/** Only what a thread needs and a message can carry. */
function plainOptions({
  workers,
  database,
  modulesDirectory,
  moduleBytes,
  snapshots,
  liveModules,
}: ExecutorOptions): ExecutorOptions {
  return { workers, database, modulesDirectory, moduleBytes, ...(snapshots && { snapshots }), liveModules }
}

/** The built package has the entry beside this code as JavaScript; a checkout runs the source. */
function entry(): URL {
  const source = new URL('./worker.ts', import.meta.url)
  return existsSync(fileURLToPath(source)) ? source : new URL('./worker.js', import.meta.url)
}
