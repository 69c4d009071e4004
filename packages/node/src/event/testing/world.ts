import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  commitDigest,
  decodeReceipt,
  fromHex,
  type Message,
  type ProjectKey,
  type Receipt,
  sfidFromBytes,
  toHex,
} from '@w3bstream/protocol'
import { algorithms } from '../../consensus/index.ts'
import type { Database } from '../../database/database.ts'
import { type DatabaseKind, databases } from '../../database/index.ts'
import { createEngine } from '../../engine/index.ts'
import { noFiles } from '../../engine/wasi/files/host-files.ts'
import type { ChangeResult, ProjectChange } from '../../project/definition.ts'
import { uncertifiedCommits } from '../../project/uncertified.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { openDiskVfs } from '../../vfs/disk/disk-vfs.ts'
import type { Vfs } from '../../vfs/vfs.ts'
import { ethereumAddress } from '../../wallet/address.ts'
import { signDigest } from '../../wallet/signing.ts'
import type { Executor, ExecutorServices, TimedBatch } from '../executor/executor.ts'
import { createInlineExecutor } from '../executor/inline/inline.ts'
import { createPool, type PoolOptions } from '../executor/pool/pool.ts'
import type { AssetSource } from '../host/handler-host.ts'
import { LiveModules } from '../live-modules.ts'
import { Pipeline, type PipelineDeps, type PipelineOptions } from '../pipeline.ts'

const fixtures = new URL('../../../test/interop/guests/fixtures/', import.meta.url)
const nodeKey = new Uint8Array(32).fill(0x42)

/** A project without files. */
export const noAssets: AssetSource = { of: () => noFiles.assets }

export const noServices: ExecutorServices = {
  sign: () => Promise.reject(new Error('no chain here')),
  release() {},
  call: () => Promise.reject(new Error('no chain here')),
}

export interface WorldOptions {
  readonly database?: DatabaseKind
  readonly services?: Partial<ExecutorServices>
  readonly pipeline?: Partial<PipelineOptions>
  readonly pool?: Partial<PoolOptions>
  readonly now?: () => number
  /** Told of each batch, beside {@link World.batches}. */
  readonly onCommitted?: (batch: TimedBatch) => void
}

/** A node's message path without endpoints: real store, engine, consensus and pipeline on a temporary directory. */
export class World {
  readonly address = fromHex(ethereumAddress(nodeKey), 20)
  readonly batches: TimedBatch[] = []
  readonly directory: string
  readonly #pipelines: Pipeline[] = []
  readonly database: Database
  readonly vfs: Vfs
  readonly executor: Executor
  readonly #options: WorldOptions
  #nonce = 0

  private constructor(directory: string, options: WorldOptions) {
    this.directory = directory
    this.#options = options
    const kind = options.database ?? 'sqlite'
    this.database = databases[kind]({ directory: join(directory, 'projects') })
    this.vfs = openDiskVfs({ directory: join(directory, 'vfs') })
    const services = { ...noServices, ...options.services }
    const engine = createEngine()
    const blocking = new Set(
      kind === 'sqlite' ? (['chain', 'api'] as const) : (['chain', 'api', 'kv', 'sql', 'files'] as const),
    )
    this.executor = options.pool
      ? createPool(
          {
            workers: 1,
            database: { kind: 'sqlite', directory: join(directory, 'projects') },
            modulesDirectory: join(directory, 'vfs'),
            moduleBytes: 16 * 1024 * 1024,
            liveModules: 16,
            watchMs: 10,
            wallClockMs: () => 300,
            ...options.pool,
          },
          { services, logger: silentLogger },
        )
      : createInlineExecutor({
          database: this.database,
          engine,
          services,
          modules: new LiveModules(engine, this.vfs, { liveModules: 16, blocking }),
        })
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'w3b-event-')), options)
    await world.executor.start()
    return world
  }

  async close(): Promise<void> {
    await Promise.all(this.#pipelines.map((pipeline) => pipeline.drain()))
    await this.executor.stop()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** A project's pipeline; `key` of one that exists continues it. */
  async project(key: ProjectKey = toHex(randomBytes(32))): Promise<TestProject> {
    const options: PipelineOptions = {
      mailbox: { messages: 1000, bytes: 1e8 },
      batch: { messages: 100, bytes: 1e7 },
      batchWaitMs: 0,
      turnMs: 50,
      ...this.#options.pipeline,
    }
    const pipeline = new Pipeline(key, options, {
      ...this.pipelineDeps(),
      executor: this.executor,
      openStore: () => this.executor.open(key),
      onCommitted: (batch) => {
        this.batches.push(batch)
        this.#options.onCommitted?.(batch)
      },
    })
    await pipeline.open()
    this.#pipelines.push(pipeline)
    return new TestProject(this, key, pipeline)
  }

  /** What a pipeline needs besides the executor. */
  pipelineDeps(): Omit<PipelineDeps, 'executor' | 'openStore' | 'onCommitted'> {
    return {
      consensus: algorithms.poa,
      sign: (commit) => signDigest(nodeKey, 'ECDSA', commitDigest(commit)),
      address: this.address,
      now: this.#options.now ?? Date.now,
      logger: silentLogger,
      uncertified: async (key) => {
        const reader = await this.database.openReader(key)
        const commits = await uncertifiedCommits(reader)
        await reader.close()
        return commits
      },
    }
  }

  /** The bytes of a guest of `test/interop/guests`, put into the VFS. @returns its hash */
  store(fixture: string): Promise<string> {
    return this.vfs.put(readFileSync(new URL(`${fixture}.wasm`, fixtures)))
  }

  message(over: Partial<Message> = {}): Message {
    const nonce = new Uint8Array(8)
    new DataView(nonce.buffer).setFloat64(0, this.#nonce++)
    return {
      kind: 'data',
      receivedMs: 1_700_000_000_000,
      nonce,
      origin: { type: 'vouched' },
      publisherId: '77',
      publisherKey: 'd1',
      eventType: 'DEFAULT',
      eventId: `e${this.#nonce}`,
      timestampMs: 1_700_000_000_000,
      topic: '',
      idempotencyKey: '',
      payload: new Uint8Array(0),
      ...over,
    }
  }
}

export class TestProject {
  readonly key: ProjectKey
  readonly pipeline: Pipeline
  readonly #world: World

  constructor(world: World, key: ProjectKey, pipeline: Pipeline) {
    this.#world = world
    this.key = key
    this.pipeline = pipeline
  }

  async submit(over: Partial<Message> = {}): Promise<Receipt> {
    const { receipt } = await this.pipeline.offer(this.#world.message(over))
    return decodeReceipt(receipt)
  }

  event(text: string, over: Partial<Message> = {}): Promise<Receipt> {
    return this.submit({ payload: new TextEncoder().encode(text), ...over })
  }

  async change(change: ProjectChange): Promise<ChangeResult> {
    const payload = new TextEncoder().encode(JSON.stringify(change))
    const { detail } = await this.submit({ kind: 'config', eventType: '', publisherId: '', publisherKey: '', payload })
    return JSON.parse(detail) as ChangeResult
  }

  /** Makes the project and deploys guests: fixture → routes from event type to handler. */
  async deploy(guests: Record<string, Record<string, string>>): Promise<void> {
    const projectId = sfidFromBytes(fromHex(this.key, 32))
    await this.change({ op: 'project.create', projectId, accountId: '8', name: 'aid_8_test' })
    for (const [fixture, routes] of Object.entries(guests)) {
      const strategies = Object.entries(routes).map(([eventType, handler]) => ({ eventType, handler }))
      const codeHash = await this.#world.store(fixture)
      await this.change({
        op: 'applet.create',
        name: fixture,
        resourceId: '1',
        codeHash,
        md5: '',
        fileName: '',
        strategies,
      })
    }
  }

  /** The project's log lines, oldest first. */
  async logs(): Promise<string[]> {
    const reader = await this.#world.database.openReader(this.key)
    const { data } = await reader.listLogs({ size: -1 })
    await reader.close()
    return data.map((row) => row.message).reverse()
  }
}
