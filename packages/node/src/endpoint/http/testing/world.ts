import { hash, randomBytes } from 'node:crypto'
import type { Accounts, AccountsOptions } from '../../../account/account.ts'
import { createAccounts } from '../../../account/accounts.ts'
import { openControl } from '../../../database/control/control.ts'
import { schemaProblems } from '../../../database/schema-problems.ts'
import { EngineError } from '../../../engine/errors.ts'
import { flowStatus } from '../../../event/flow/status.ts'
import { silentLogger } from '../../../telemetry/logger.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import { type References, VfsKeeper } from '../../../vfs/keeper.ts'
import { openMemoryVfs } from '../../../vfs/memory/memory-vfs.ts'
import type { HttpDeps } from '../deps.ts'
import { createHttpEndpoint, type HttpEndpoint } from '../http-endpoint.ts'
import type { HttpLimits, HttpOptions } from '../options.ts'
import { MemoryDoor } from './memory-door.ts'
import { MemoryProjects } from './memory-projects.ts'
import { MemoryWallet } from './memory-wallet.ts'

export const adminPassword = 'iotex.W3B.admin'

/** An endpoint that listens, with what the tests need to reach around it. */
export interface World {
  readonly endpoint: HttpEndpoint
  readonly accounts: Accounts
  readonly door: MemoryDoor
  readonly deps: HttpDeps
  /** Base URL of the management API, with its path. */
  readonly api: string
  readonly management: string
  readonly events: string
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly http?: Partial<Omit<HttpOptions, 'limits'>>
  readonly limits?: Partial<HttpLimits>
  readonly accounts?: Partial<AccountsOptions>
  readonly deps?: Partial<HttpDeps>
}

const publicChain = { chainID: 4689, name: 'iotex-mainnet', endpoint: 'https://babel-api.mainnet.iotex.io/rpc' }

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const wallet = new MemoryWallet()
  const control = openControl(':memory:')
  const accounts = createAccounts({ control, wallet, signKey: randomBytes(32), logger: silentLogger }, options.accounts)
  await accounts.ensureAdmin({ password: adminPassword })
  const projects = new MemoryProjects()
  const door = new MemoryDoor(accounts, projects)
  const vfs = openMemoryVfs()
  const deps: HttpDeps = {
    door,
    accounts,
    projects,
    wallet,
    vfs,
    vfsKeeper: new VfsKeeper({ vfs, references: () => uploads(accounts) }),
    chains: [
      publicChain,
      {
        chainID: 1,
        name: 'ethereum-mainnet',
        endpoint: 'https://user:pw@eth.example:8545/v3/SECRETKEY?k=1',
      },
      { chainID: 0, name: 'solana-devnet', endpoint: 'https://api.devnet.solana.com' },
    ],
    publicChains: new Set([publicChain]),
    schemaProblems,
    flowStatus,
    inspectModule: (bytes) => inspect(bytes, door),
    exportReceipt: async (key, id) => (await (await projects.reader(key)).messageById(id)) && { version: 1 },
    removeLogs: async (key, instanceId) => {
      const { logs } = projects.at(key).history
      logs.splice(0, logs.length, ...logs.filter((log) => log.instanceId !== instanceId))
    },
    logger: silentLogger,
    metrics: createMetrics(),
    nodeInfo: { version: '0.1.0', builtMs: Date.UTC(2026, 0, 2) },
    health: () => ({ 'Database/control': 'ok' }),
    ready: () => true,
    ...options.deps,
  }
  const endpoint = createHttpEndpoint(
    { port: 0, eventPort: 0, eventHost: '127.0.0.1', ...options.http, limits: options.limits },
    deps,
  )
  await endpoint.start()
  const { management, event } = endpoint.addresses()
  const url = (port: number | undefined) => `http://127.0.0.1:${port}`
  return {
    endpoint,
    accounts,
    door,
    deps,
    api: `${url(management.port)}/srv-applet-mgr/v0`,
    management: url(management.port),
    events: url(event?.port),
    stop: async () => {
      await endpoint.stop()
      await accounts.stop()
      control.close()
    },
  }
}

async function uploads({ resources, files }: Accounts): Promise<References> {
  return new Map([...resources.owned(), ...files.owned()].map(({ hash, accountId }) => [hash, [accountId]]))
}

/** The part of WebAssembly's interface that is used here; TypeScript's library has it only for browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    validate(bytes: Uint8Array): boolean
    readonly Module: { new (bytes: Uint8Array): object; exports(module: object): { name: string; kind: string }[] }
  }
}

/** What V8 says of a module; enough to tell good ones from bad. */
async function inspect(bytes: Uint8Array, door: MemoryDoor) {
  if (!WebAssembly.validate(bytes))
    throw new EngineError({ code: 'MODULE_INVALID', problems: ['not a module', 'no handler'] })
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).filter(({ kind }) => kind === 'function')
  const handlers = exports.map(({ name }) => name)
  const prepared = { name: 'prepared', bytes }
  const report = { codeHash: hash('sha256', bytes, 'hex'), handlers, reducers: handlers, imports: [], prepared }
  door.handlers.set(report.codeHash, report.handlers)
  return report
}

/** The smallest applet: a memory, and `start` which answers 0. */
export const smallApplet = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 18, 2, 6, 0x6d, 0x65,
  0x6d, 0x6f, 0x72, 0x79, 2, 0, 5, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0, 10, 6, 1, 4, 0, 0x41, 0, 0x0b,
])
