import { mkdir, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { commitDigest, didKeyFromPublicKey, fromHex, type ProjectKey } from '@w3bstream/protocol'
import { defaultAccountsOptions } from '../account/account.ts'
import { createAccounts } from '../account/accounts.ts'
import type { TransactionOutcome } from '../chain/chain.ts'
import { parseChains } from '../chain/chain-table.ts'
import { createDispatcher } from '../chain/dispatcher.ts'
import { networks } from '../chain/networks.ts'
import { openChains } from '../chain/open-chains.ts'
import { algorithms } from '../consensus/index.ts'
import { openControl } from '../database/control/control.ts'
import { databases } from '../database/index.ts'
import { schemaProblems } from '../database/schema-problems.ts'
import { snapshotsDirectory } from '../database/snapshot/snapshots.ts'
import { TokenIndex } from '../device/devices.ts'
import { publisherToken } from '../device/token.ts'
import type { Service } from '../endpoint/endpoint.ts'
import { sourceName } from '../endpoint/http/deps.ts'
import { createHttpEndpoint } from '../endpoint/http/http-endpoint.ts'
import { createRpcEndpoint } from '../endpoint/rpc/rpc-endpoint.ts'
import { EventCounter } from '../event/event-counter.ts'
import { EventManager } from '../event/event-manager.ts'
import { createPool } from '../event/executor/pool/pool.ts'
import { flowStatus } from '../event/flow/status.ts'
import { Ingest } from '../event/ingest.ts'
import { defaultProjectSettings } from '../project/definition.ts'
import { ProjectIndex } from '../project/project-index.ts'
import { defaultProjectsOptions, NodeProjects } from '../project/projects.ts'
import { exportReceipt } from '../project/receipt-export.ts'
import { uncertifiedCommits } from '../project/uncertified.ts'
import { counter, createMetrics } from '../telemetry/metrics.ts'
import { createPinoLogger } from '../telemetry/pino-logger.ts'
import { vfsKinds } from '../vfs/index.ts'
import { VfsKeeper } from '../vfs/keeper.ts'
import { openWallet } from '../wallet/open-wallet.ts'
import { lockDirectory } from './data-directory.ts'
import { executorServices } from './executor-services.ts'
import { health } from './health.ts'
import { createMqttServices } from './mqtt-services.ts'
import type { NodeOptions } from './options.ts'
import { countPublishers } from './publisher-gauge.ts'
import { createSchedule } from './schedule-services.ts'
import { Services } from './services.ts'
import { createSettle } from './settle-services.ts'
import { unfinishedWork } from './unfinished-work.ts'
import { version } from './version.ts'
import { VfsReferences } from './vfs-references.ts'
import { createVfsService } from './vfs-service.ts'

/** Where a running node is reached. */
export interface NodeAddresses {
  readonly http?: string
  readonly event?: string
  readonly mqtt?: string
  readonly mqttWs?: string
}

export interface Node {
  start(): Promise<void>
  /** Drains and stops; at the latest when the signal aborts. */
  stop(signal?: AbortSignal): Promise<void>
  readonly addresses: NodeAddresses
  /** Present after the first start with an administrator password that was made up: to be shown once. */
  readonly firstStart: { readonly adminPassword: string } | undefined
}

/**
 * Builds a node: every part with the parts it needs, from the disk up to the ports. The written order is the order of the
 * start; the stop is its reverse, so that nothing arrives that cannot be stored.
 */
export async function createNode(options: NodeOptions): Promise<Node> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const unlock = await lockDirectory(options.dataDir)
  try {
    return await buildNode(options, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function buildNode(options: NodeOptions, unlock: () => Promise<void>): Promise<Node> {
  const { dataDir, limits } = options
  const logger = createPinoLogger({ level: options.logLevel, format: options.logFormat })
  const metrics = createMetrics()
  const now = () => Date.now()
  let ready = false
  let firstStart: Node['firstStart']
  let starting: Promise<void> | undefined

  const control = openControl(join(dataDir, 'control.db'))
  const storage = { kind: 'sqlite', directory: join(dataDir, 'projects') } as const
  const database = databases[storage.kind](storage)
  const vfs = vfsKinds.disk({ directory: join(dataDir, 'vfs'), limitBytes: limits.vfsBytes })
  const wallet = await openWallet({ directory: dataDir, passphrase: options.keystorePassphrase }, { control, logger })
  const derive = wallet.derive.bind(wallet)

  const chainTable = parseChains(options.chains)
  const chains = openChains({ chains: chainTable }, { control, wallet, logger })
  const accounts = createAccounts(
    { control, wallet, signKey: derive('login-token', new Uint8Array(0)), logger },
    {
      jwt: { ...defaultAccountsOptions.jwt, lifeMs: options.sessionMs },
      siwe: {
        ...defaultAccountsOptions.siwe,
        chainIds: chainTable.map(({ chainID }) => chainID).filter((id) => id !== 0),
        domains: [...defaultAccountsOptions.siwe.domains, ...options.loginDomains],
      },
      whiteList: options.whiteList,
    },
  )

  const stopped = counter(metrics, 'w3b_handlers_stopped_total', 'Handlers that the watchdog stopped.', ['project'])
  const executor = createPool(
    {
      workers: options.workers,
      database: storage,
      modulesDirectory: join(dataDir, 'vfs'),
      moduleBytes: limits.moduleBytes,
      snapshots: {
        directory: snapshotsDirectory(dataDir),
        every: options.snapshotEvery,
        keep: options.snapshotKeep,
      },
      liveModules: 256,
      watchMs: 50,
      wallClockMs: (project) =>
        (projects.definitionNow(project)?.settings ?? defaultProjectSettings).limits.wallClockMs,
    },
    {
      services: executorServices(chains),
      logger: logger.child('executor'),
      onStopped: (key) => stopped.inc({ project: index.byKey(key)?.name ?? key }),
    },
  )
  const manager = new EventManager(
    {
      mailbox: { messages: limits.mailboxMessages, bytes: limits.mailboxBytes },
      batch: { messages: limits.batchMessages, bytes: limits.batchBytes },
      batchWaitMs: limits.batchWaitMs,
      turnMs: limits.turnMs,
      openProjects: limits.openProjects,
      idleProjectMs: limits.idleProjectMs,
    },
    {
      executor,
      consensus: algorithms.poa,
      sign: (commit) => wallet.signAsNode(commitDigest(commit)),
      address: fromHex(wallet.nodeAddress, 20),
      now,
      logger: logger.child('event'),
      uncertified: async (project) => uncertifiedCommits(await projects.reader(project)),
      onOpen: (project) => projects.opening(project),
      onClosed: (project, unfinished) => projects.closed(project, unfinished || schedule.isBehind(project)),
      onCommitted(project, batch, { waiting }) {
        const { height, logs, effects, definitionChanges: changes } = batch
        projects.committed(project, { height, messages: waiting.length, logs, effects: effects.length, changes })
        schedule.committed(project, batch)
        settle.committed(project, batch, (index) => waiting[index]!.message.publisherKey)
      },
    },
  )

  const index = new ProjectIndex(control)
  const devices = new TokenIndex(
    { cachedTokens: 100_000 },
    {
      control,
      derive,
      didKey: didKeyFromPublicKey,
      projectByKey: (key) => index.byKey(key),
      reader: (key) => projects.reader(key),
    },
  )
  const projects = new NodeProjects(defaultProjectsOptions, {
    index,
    database,
    now,
    logger: logger.child('projects'),
    submit: (key, message) => manager.submit(key, message),
    async close(key) {
      settle.forget(key)
      await dispatcher.forget(key)
      await manager.close(key)
      // The last batches were committed meanwhile.
      settle.forget(key)
      schedule.forget(key)
    },
    indexDevices: (key, changes) => devices.index(key, changes),
    forgetDevices(key) {
      devices.removeProject(key)
      schedule.forget(key)
    },
    token: (key, publisher) => publisherToken(derive, key, publisher),
  })

  const schedule = createSchedule({ control, index, projects, manager, metrics, logger, now })
  const dispatcher = createDispatcher(
    {},
    {
      chains,
      logger,
      metrics,
      projectName: (key) => index.byKey(key)?.name ?? key,
      outboxOf: async (key) => {
        const reader = await projects.reader(key)
        return {
          outboxPending: () => reader.outboxPending(),
          outboxUpdate: (changes) => manager.updateOutbox(key, changes),
        }
      },
      onSettled: async (key, effectId, outcome: TransactionOutcome) => {
        projects.settled(key, effectId, outcome.state)
        await settle.transactionEnded(key, effectId, outcome)
      },
    },
  )
  const settle = createSettle(options, {
    dispatch: (key, rows) => dispatcher.enqueue(key, rows),
    publishMqtt: (key, topic, payload) => mqtt.publish(key, topic, payload),
    submit: (key, message) => schedule.submitAnswer(key, message),
    onSettled: (key, id, state) => projects.settled(key, id, state),
    ...{ chains, projects, manager, metrics, now, logger },
  })

  countPublishers(metrics, index)
  const door = new Ingest(
    { payloadBytes: limits.payloadBytes, envelopeWindowMs: 300_000, pushItems: 1000 },
    {
      manager,
      traffic: schedule.traffic,
      projects,
      devices,
      authenticateAccount: (token) => accounts.authenticateAccount(token),
      events: new EventCounter(
        counter(metrics, 'inbound_events_metrics', 'Events that came in by HTTP, MQTT, RPC and data push.', [
          'account',
          'project',
          'publisher',
          'eventtype',
        ]),
      ),
      now,
    },
  )
  const exportOf = async (key: ProjectKey, messageId: Uint8Array) =>
    exportReceipt(await projects.reader(key), key, messageId)
  const nodeInfo = { version, builtMs: now() }
  const rpc = createRpcEndpoint(
    { source: sourceName(nodeInfo) },
    {
      door,
      projects,
      exportReceipt: exportOf,
      nodeInfo: () => ({ version, address: wallet.nodeAddress }),
      logger,
      metrics,
    },
  )
  const tls = options.tls && {
    cert: await readFile(options.tls.certFile, 'utf8'),
    key: await readFile(options.tls.keyFile, 'utf8'),
  }
  const references = new VfsReferences({ accounts, projects, database })
  const vfsKeeper = new VfsKeeper({ vfs, references: (signal) => references.find(signal) })
  const http = createHttpEndpoint(
    {
      host: options.host,
      port: options.httpPort,
      eventHost: options.deviceHost,
      eventPort: options.eventPort,
      tls,
      limits: { payloadBytes: limits.payloadBytes, fileBytes: limits.moduleBytes, connections: limits.httpConnections },
    },
    {
      door,
      accounts,
      projects,
      wallet,
      vfs,
      vfsKeeper,
      rpc,
      chains: chains.list(),
      publicChains: new Set(networks),
      inspectModule: (bytes) => executor.inspectModule(bytes),
      schemaProblems,
      flowStatus,
      exportReceipt: exportOf,
      removeLogs: (key, instanceId) => manager.removeLogs(key, instanceId),
      logger,
      metrics,
      nodeInfo,
      health: () => health({ ready: () => ready, control, executor, mqtt }),
      ready: () => ready,
    },
  )
  const mqtt = createMqttServices(options, { door, projects, logger, metrics })

  const collector = createVfsService({ vfs, keeper: vfsKeeper, logger: logger.child('vfs'), metrics })
  const registry: Service = { name: 'projects', start: () => projects.start(), stop: () => projects.stop() }
  const admin: Service = {
    name: 'admin',
    async start() {
      const outcome = await accounts.ensureAdmin({ password: options.adminPassword })
      if (outcome.created && outcome.password !== undefined) firstStart = { adminPassword: outcome.password }
    },
    stop: () => Promise.resolve(),
  }
  const unfinished = unfinishedWork({ index, projects, manager, settle, schedule, logger })
  // Written order is start order. Endpoints come last: they open when everything behind them stands.
  const services = new Services(
    [
      accounts,
      admin,
      chains,
      manager,
      registry,
      collector,
      ...schedule.services,
      unfinished,
      dispatcher,
      ...mqtt.services,
      rpc,
      http,
    ],
    logger,
  )

  return {
    async start() {
      starting = services.start()
      await starting
      settle.open()
      schedule.open()
      ready = true
      logger.info('ready', { version, dataDir, address: wallet.nodeAddress })
    },
    async stop(signal) {
      // What is half started would go on beside the stop, and find its files closed.
      await starting?.catch(() => undefined)
      ready = false
      settle.close()
      try {
        await services.stop(signal)
      } finally {
        wallet.close()
        index.flush()
        control.close()
        await unlock()
      }
    },
    get addresses() {
      const { management, event } = http.addresses()
      const scheme = tls ? 'https' : 'http'
      const url = (address: AddressInfo) => `${scheme}://${address.address}:${address.port}`
      return { http: url(management), ...(event ? { event: url(event) } : {}), ...mqtt.addresses() }
    },
    get firstStart() {
      return firstStart
    },
  }
}
