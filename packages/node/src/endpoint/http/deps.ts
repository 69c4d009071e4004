import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { Accounts } from '../../account/account.ts'
import type { ChainConfig } from '../../chain/chain.ts'
import type { DatabaseSchema, Page, ProjectReader } from '../../database/database.ts'
import type { ProjectDefinition } from '../../project/definition.ts'
import type { FlowStatus } from '../../project/flow.ts'
import type { Projects } from '../../project/project.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { VfsKeeper } from '../../vfs/keeper.ts'
import type { Vfs } from '../../vfs/vfs.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import type { Door } from '../endpoint.ts'

/** What an examination of a module found. */
export interface ModuleReport {
  readonly codeHash: string
  readonly handlers: readonly string[]
  /** Functions that REDUCE of a flow may name. */
  readonly reducers: readonly string[]
  readonly imports: readonly string[]
  /** The module as it will be run, to be kept beside the original under this name. */
  readonly prepared: { readonly name: string; readonly bytes: Uint8Array }
}

/** Another protocol that this endpoint's port carries: bodies of POST requests, and upgrades to WebSocket. */
export interface RpcMount {
  readonly path: string
  readonly bodyLimit: number
  /** Answers a body; nothing when there is nothing to answer. */
  handleHttp(body: Uint8Array, token: string | undefined): Promise<Uint8Array | undefined>
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface HttpDeps {
  readonly door: Door
  readonly accounts: Accounts
  readonly projects: Projects
  readonly wallet: Wallet
  readonly vfs: Vfs
  readonly vfsKeeper: VfsKeeper
  readonly chains: readonly ChainConfig[]
  /** Those whose endpoints the program brings along, which hold nobody's keys. */
  readonly publicChains?: ReadonlySet<ChainConfig>
  /** Examines a module, in a thread of its own. @throws EngineError MODULE_INVALID */
  inspectModule(bytes: Uint8Array): Promise<ModuleReport>
  /** What the flow of a project keeps, a page of its open windows; undefined when it has no flow. */
  flowStatus(reader: ProjectReader, definition: ProjectDefinition, page: Page): Promise<FlowStatus | undefined>
  /** Everything that is wrong with the tables of a configuration, each after its path; members of them may be missing. */
  schemaProblems(schema: DatabaseSchema): readonly string[]
  /** A receipt as the JSON file that `w3bstream receipt verify` reads. */
  exportReceipt(project: ProjectKey, messageId: Uint8Array): Promise<unknown | undefined>
  /** Forgets the log lines of an instance. Absent when the store of projects cannot. */
  removeLogs?(project: ProjectKey, instanceId: Sfid): Promise<void>
  /** JSON-RPC, served on the management port. */
  readonly rpc?: RpcMount
  readonly logger: Logger
  readonly metrics: Metrics
  readonly nodeInfo: NodeInfo
  /** Each checked part with `ok` or what is wrong. */
  health(): Record<string, string> | Promise<Record<string, string>>
  /** False while the node starts and stops. */
  ready(): boolean
}

export interface NodeInfo {
  /** Three numbers, such as `0.1.0`. */
  readonly version: string
  /** When this program was built, or started, milliseconds. */
  readonly builtMs: number
}

/** The name of the node in error answers. */
export function sourceName({ version }: NodeInfo): string {
  return `srv-applet-mgr@v${version}`
}
