import type { Sfid } from '@w3bstream/protocol'
import type { DatabaseSchema } from '../database/database.ts'
import type { Flow } from './flow.ts'

/**
 * What a project consists of. It is part of the project's state: it changes only by {@link ProjectChange}s that went through
 * the project's log as messages, so every member has the same at every height. Ids derive from the history.
 */
export interface ProjectDefinition {
  readonly project: ProjectRecord
  readonly settings: ProjectSettings
  readonly env: readonly (readonly [string, string])[]
  readonly database: DatabaseSchema
  /** As it was configured; null when it never was. */
  readonly flow: Flow | null
  readonly assets: readonly Asset[]
  readonly applets: ReadonlyMap<Sfid, Applet>
  readonly instances: ReadonlyMap<Sfid, Instance>
  readonly strategies: ReadonlyMap<Sfid, Strategy>
  readonly cronJobs: ReadonlyMap<Sfid, CronJob>
  readonly trafficLimits: ReadonlyMap<Sfid, TrafficLimit>
}

/** A file that the project deploys; applets read it below `/assets`. */
export interface Asset {
  /** Names separated by `/`. */
  readonly path: string
  /** SHA-256, hexadecimal: its name in the VFS. */
  readonly hash: string
  /** Bytes. */
  readonly size: number
}

export interface ProjectRecord {
  readonly projectId: Sfid
  readonly accountId: Sfid
  /** Full name. */
  readonly name: string
  /** Anonymous events are accepted. */
  readonly public: boolean
  readonly version: string
  readonly protocol: string
  readonly description: string
  readonly state: 'active' | 'paused'
  readonly createdMs: number
  readonly updatedMs: number
}

/** Options of a project that decide how its messages are executed. */
export interface ProjectSettings {
  /** Undo the writes of a handler that returned a negative number. @default false */
  readonly rollbackOnNegative: boolean
  /** Events of a type that no strategy names go to the strategies of type DEFAULT. @default true */
  readonly defaultFallback: boolean
  /** How long retries are recognised, milliseconds. @default 86_400_000 (a day) */
  readonly idempotencyWindowMs: number
  /** Share of its thread that a busy project gets beside others, relative to theirs. @default 1 */
  readonly weight: number
  /** Hosts that outbound HTTP may reach: `api.example.com`, `*.example.com`, with `:port` unless 443. @default none */
  readonly outboundHosts: readonly string[]
  readonly limits: {
    readonly fuel: number
    readonly stackBytes: number
    readonly tableEntries: number
    readonly memoryPages: number
    readonly wallClockMs: number
    readonly logLines: number
    readonly logLineBytes: number
    readonly hostCalls: number
    readonly transferBytes: number
    readonly kvValueBytes: number
    readonly kvKeyBytes: number
    readonly sqlRows: number
    readonly sqlResultBytes: number
    readonly effects: number
    /** Bytes of one file of the project's directory. */
    readonly fileBytes: number
    /** Files and directories of the project. */
    readonly files: number
    /** Bytes of all files of the project together. */
    readonly projectFileBytes: number
    /** Bytes of the scratch files of one call. */
    readonly scratchBytes: number
  }
}

export const defaultProjectSettings: ProjectSettings = {
  rollbackOnNegative: false,
  defaultFallback: true,
  idempotencyWindowMs: 86_400_000,
  weight: 1,
  outboundHosts: [],
  limits: {
    fuel: 1_000_000_000,
    stackBytes: 512 * 1024,
    tableEntries: 65_536,
    memoryPages: 512,
    wallClockMs: 5000,
    logLines: 1000,
    logLineBytes: 4096,
    hostCalls: 1_000_000,
    transferBytes: 4 * 1024 * 1024,
    kvValueBytes: 1024 * 1024,
    kvKeyBytes: 1024,
    sqlRows: 10_000,
    sqlResultBytes: 4 * 1024 * 1024,
    effects: 256,
    fileBytes: 4 * 1024 * 1024,
    files: 10_000,
    projectFileBytes: 64 * 1024 * 1024,
    scratchBytes: 16 * 1024 * 1024,
  },
}

/** An uploaded module. */
export interface AppletModule {
  readonly resourceId: Sfid
  /** SHA-256 of the module, hexadecimal: its name in the VFS. */
  readonly codeHash: string
  readonly md5: string
  readonly fileName: string
}

/** Runs the module that it names, except where its canary does. */
export interface Applet extends AppletModule {
  readonly appletId: Sfid
  readonly name: string
  /** Number of the {@link AppletVersion} whose module this is. */
  readonly version: number
  /** Number of the last version there is; higher than {@link version} while a canary runs, and after it was given up. */
  readonly latestVersion: number
  readonly canary?: Canary
  readonly createdMs: number
  readonly updatedMs: number
}

/** A version that runs for a share of the devices only. It shares keys, tables and files of the applet. */
export interface Canary extends AppletModule {
  readonly version: number
  /** Whole percent of the devices, 0 to 100. */
  readonly percent: number
  /** Height of its beginning, decimal: what decides beside the ids which devices it runs for. */
  readonly startHeight: string
}

/**
 * A deployment of a module. Kept as definition rows of kind `appletVersion` with the id `<appletId>/<version>`, read from
 * the store, not held in memory. The row stays when the applet is removed: what it ran may be executed again from the log.
 */
export interface AppletVersion extends AppletModule {
  readonly appletId: Sfid
  /** From 1, without gaps. */
  readonly version: number
  readonly op: 'deploy' | 'rollback' | 'canary'
  /** Of a rollback: the version whose module came back. */
  readonly of?: number
  /** What became of a canary; the latest 100 steps. */
  readonly steps: readonly VersionStep[]
  /** Account that deployed it; empty when it was not the management API that did. */
  readonly by: Sfid | ''
  readonly note: string
  /** Where in the history: batch, decimal, and message. */
  readonly height: string
  readonly index: number
  readonly timeMs: number
}

export interface VersionStep extends Pick<AppletVersion, 'by' | 'height' | 'index' | 'timeMs'> {
  readonly op: 'share' | 'promote' | 'abort'
  /** Of `share`: whole percent of the devices from here on. */
  readonly percent?: number
}

export interface Instance {
  readonly instanceId: Sfid
  readonly appletId: Sfid
  readonly state: 'STARTED' | 'STOPPED'
  readonly cache: { readonly mode: 'MEMORY' | 'REDIS'; readonly prefix: string }
  readonly createdMs: number
  readonly updatedMs: number
}

export interface Strategy {
  readonly strategyId: Sfid
  readonly appletId: Sfid
  readonly eventType: string
  readonly handler: string
  readonly autoCollectMetric: boolean
  readonly createdMs: number
  readonly updatedMs: number
}

/** An event that the node makes by the clock. */
export interface CronJob {
  readonly cronJobId: Sfid
  /** As `util/cron-schedule.ts` reads it. */
  readonly expression: string
  readonly eventType: string
  /** What becomes of times at which the node did not run or the project was paused. @default 'once' */
  readonly missed: MissedPolicy
  /** Times behind this one count, milliseconds; `@every` counts from it. */
  readonly sinceMs: number
  readonly createdMs: number
  readonly updatedMs: number
}

/** Missed firings are left out, or the last one is made up for, or all (the last 1000 of them). */
export const missedPolicies = ['skip', 'once', 'all'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

/** How much may happen in each period. */
export interface TrafficLimit {
  readonly trafficLimitId: Sfid
  /** `EVENT`: events that come in; `BLOCKCHAIN`: transactions that applets send. */
  readonly apiType: 'EVENT' | 'BLOCKCHAIN'
  /** The project as a whole, or each of its devices; the latter for events only. */
  readonly scope: 'PROJECT' | 'DEVICE'
  readonly threshold: number
  /** Length of a period as it was given, such as `24h`. */
  readonly duration: string
  /** Where the periods begin, milliseconds: the start of a day, hour or minute, in UTC. */
  readonly startMs: number
  readonly createdMs: number
  readonly updatedMs: number
}

/** A device of the project. Kept as definition rows of kind `publisher`, read from the store, not held in memory. */
export interface Publisher {
  readonly publisherId: Sfid
  readonly name: string
  readonly key: string
  /** A `did:key` under which the device signs; empty when it has a token only. */
  readonly publicKey: string
  /** Counts rotations of the token. */
  readonly tokenVersion: number
  readonly createdMs: number
  readonly updatedMs: number
}

export interface StrategyInput {
  readonly eventType: string
  readonly handler: string
  readonly autoCollectMetric?: boolean
}

/** A change of the definition, as it stands in the payload (JSON) of a message of kind `config`. */
export type ProjectChange =
  | {
      op: 'project.create'
      projectId: Sfid
      accountId: Sfid
      name: string
      public?: boolean
      version?: string
      protocol?: string
      description?: string
    }
  | {
      op: 'project.update'
      public?: boolean
      version?: string
      protocol?: string
      description?: string
      state?: 'active' | 'paused'
    }
  | { op: 'settings.put'; settings: DeepPartial<ProjectSettings> }
  | { op: 'env.put'; env: readonly (readonly [string, string])[] }
  | { op: 'database.put'; database: DatabaseSchema }
  | { op: 'flow.put'; flow: Flow | null }
  /** Takes the place of all that there are. */
  | { op: 'assets.put'; assets: readonly Asset[] }
  | ({
      op: 'applet.create'
      name: string
      cache?: Partial<Instance['cache']>
      strategies?: readonly StrategyInput[]
    } & AppletModule &
      Deployed)
  | ({
      op: 'applet.update'
      appletId: Sfid
      name?: string
      cache?: Partial<Instance['cache']>
      strategies?: readonly StrategyInput[]
    } & Partial<AppletModule> &
      Deployed)
  | { op: 'applet.remove'; appletId: Sfid }
  /** Makes an older version's module the one that runs. */
  | ({ op: 'applet.rollback'; appletId: Sfid; version: number } & Deployed)
  /** With a module: begins a canary. Without: changes the share of the one that runs. */
  | ({ op: 'applet.canary'; appletId: Sfid; percent: number } & Partial<AppletModule> & Deployed)
  /** The canary becomes what runs for all. */
  | { op: 'applet.promote'; appletId: Sfid; by?: Sfid }
  /** The canary ends, and what ran beside it runs for all. */
  | { op: 'applet.abort'; appletId: Sfid; by?: Sfid }
  | { op: 'instance.create'; appletId: Sfid; cache?: Partial<Instance['cache']> }
  | { op: 'instance.state'; instanceId: Sfid; state: Instance['state'] }
  | { op: 'instance.remove'; instanceId: Sfid }
  | { op: 'strategy.create'; appletId: Sfid; eventType: string; handler: string; autoCollectMetric?: boolean }
  | {
      op: 'strategy.update'
      strategyId: Sfid
      appletId?: Sfid
      eventType?: string
      handler?: string
      autoCollectMetric?: boolean
    }
  | { op: 'strategy.remove'; strategyId: Sfid }
  | { op: 'cron.create'; expression: string; eventType?: string; missed?: MissedPolicy }
  | { op: 'cron.update'; cronJobId: Sfid; expression?: string; eventType?: string; missed?: MissedPolicy }
  | { op: 'cron.remove'; cronJobId: Sfid }
  | {
      op: 'traffic.create'
      apiType: TrafficLimit['apiType']
      scope?: TrafficLimit['scope']
      threshold: number
      duration: string
    }
  | { op: 'traffic.update'; trafficLimitId: Sfid; threshold?: number; duration?: string }
  | { op: 'traffic.remove'; trafficLimitId: Sfid }
  | { op: 'publisher.create'; name: string; key: string; publicKey?: string }
  | { op: 'publisher.upsert'; name: string; key: string; publicKey?: string }
  | { op: 'publisher.update'; publisherId: Sfid; name?: string; key?: string; publicKey?: string }
  | { op: 'publisher.rotate'; publisherId: Sfid }
  | { op: 'publisher.remove'; publisherId: Sfid }
  /** All of them or none: what a deployment is made of. */
  | { op: 'all'; changes: readonly ProjectChange[] }

/** Who deploys and why. `by` is set by the management API, not by its caller. */
interface Deployed {
  by?: Sfid
  note?: string
}

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : { [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] }

/** What a change came to, as JSON in the result of its receipt. */
export type ChangeResult =
  /** `id` of what was created, `value` its row. Of `all`: `values` in order. */
  | { ok: true; id?: Sfid; value?: unknown; values?: readonly ChangeResult[] }
  /** `code` is a key of `endpoint/api-error.ts`. */
  | { ok: false; code: string; desc: string }
