import type { DatabaseSchema } from '../../database/database.ts'
import type {
  Applet,
  CronJob,
  Instance,
  ProjectRecord,
  ProjectSettings,
  Publisher,
  Strategy,
  StrategyInput,
  TrafficLimit,
} from '../../project/definition.ts'
import type { Flow } from '../../project/flow.ts'

/** What a project file asks for, with its modules built. A part that is undefined is left as it is on the node. */
export interface DesiredProject {
  readonly name: string
  readonly description?: string
  readonly public?: boolean
  readonly applets?: readonly DesiredApplet[]
  readonly devices?: readonly DesiredDevice[]
  readonly env?: Readonly<Record<string, string>>
  /** Files below `/assets`. */
  readonly assets?: readonly DesiredAsset[]
  readonly database?: DatabaseSchema
  /** Complete: what the file leaves out has its default. */
  readonly settings?: Pick<ProjectSettings, 'rollbackOnNegative' | 'defaultFallback' | 'idempotencyWindowMs'>
  readonly limits?: ProjectSettings['limits']
  readonly cron?: readonly Pick<CronJob, 'expression' | 'eventType' | 'missed'>[]
  readonly traffic?: readonly Pick<TrafficLimit, 'apiType' | 'scope' | 'threshold' | 'duration'>[]
  readonly flow?: Flow
  readonly operator?: { readonly operatorId: string; readonly name: string }
}

export interface DesiredApplet {
  readonly name: string
  readonly fileName: string
  readonly wasm: Uint8Array
  /** SHA-256 of the module, hexadecimal without prefix. */
  readonly codeHash: string
  readonly strategies: readonly Required<StrategyInput>[]
  readonly cache: Instance['cache']
}

export interface DesiredAsset {
  /** Below `/assets`. */
  readonly path: string
  readonly cid: string
  /** SHA-256, hexadecimal without prefix. */
  readonly hash: string
  readonly bytes: Uint8Array
}

interface DesiredDevice {
  readonly key: string
  readonly name: string
  /** Undefined: left as it is. */
  readonly publicKey?: string
}

/** What a node holds of a project, as its management API shows it. */
export interface CurrentProject {
  readonly project: Pick<ProjectRecord, 'projectId' | 'name' | 'public' | 'description' | 'state'> & {
    /** Full name: what devices publish to. */
    readonly channel: string
    /** The 32 bytes by which receipts and signed envelopes name the project, `0x…`. */
    readonly projectKey: string
  }
  readonly settings: ProjectSettings
  readonly env: readonly (readonly [string, string])[]
  readonly assets: readonly { readonly path: string; readonly cid: string; readonly size: number }[]
  readonly database: DatabaseSchema
  readonly applets: readonly Applet[]
  readonly instances: readonly Instance[]
  readonly strategies: readonly Strategy[]
  readonly cronJobs: readonly CronJob[]
  readonly trafficLimits: readonly TrafficLimit[]
  readonly flow?: Flow | null
  readonly publishers: readonly Pick<Publisher, 'publisherId' | 'key' | 'name' | 'publicKey'>[]
  /** Id of the operator bound to the project. */
  readonly operatorId?: string
}
