import Type, { type Static, type TSchema } from 'typebox'
import type { Resources } from '../../account/resource.ts'
import type { UploadedFiles } from '../../account/uploaded-file.ts'
import { type Asset, defaultProjectSettings, missedPolicies, type ProjectChange } from '../../project/definition.ts'
import { ApiError, type FieldError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import { AssetsChange, completeAssets } from './asset-change.ts'
import { DatabaseConfig, databaseOf, EnvConfig } from './config-schema.ts'
import { FlowConfig } from './flow-schema.ts'
import { CronExpression, Duration, EventType, HandlerName, Id, Label, PublicKey, Threshold } from './schema.ts'
import { type Check, compileCheck } from './validate.ts'

const Text = Type.Optional(Type.String({ maxLength: 4096 }))
const Cache = Type.Optional(
  Type.Object({
    mode: Type.Optional(Type.Enum(['MEMORY', 'REDIS'])),
    prefix: Type.Optional(Type.String({ maxLength: 256 })),
  }),
)
const StrategyInput = Type.Object({
  eventType: EventType,
  handler: HandlerName,
  autoCollectMetric: Type.Optional(Type.Boolean()),
})
const Strategies = Type.Optional(Type.Array(StrategyInput, { maxItems: 1000 }))
const State = Type.Enum(['STARTED', 'STOPPED'])
const Whole = Type.Optional(Type.Integer({ minimum: 0 }))
const Settings = Type.Object(
  {
    rollbackOnNegative: Type.Optional(Type.Boolean()),
    defaultFallback: Type.Optional(Type.Boolean()),
    idempotencyWindowMs: Whole,
    weight: Whole,
    outboundHosts: Type.Optional(Type.Array(Type.String({ maxLength: 260 }), { maxItems: 100 })),
    limits: Type.Optional(
      Type.Object(Object.fromEntries(Object.keys(defaultProjectSettings.limits).map((name) => [name, Whole])), {
        additionalProperties: false,
      }),
    ),
  },
  { additionalProperties: false },
)
const device = { name: Label, key: Label, publicKey: Type.Optional(PublicKey) }
const Note = Type.Optional(Type.String({ maxLength: 256 }))
const module = { name: Text, resourceId: Id, cache: Cache, strategies: Strategies, note: Note }
const strategy = { appletId: Id, ...StrategyInput.properties }

const cron = {
  expression: CronExpression,
  eventType: Type.Optional(EventType),
  missed: Type.Optional(Type.Enum([...missedPolicies])),
}
const budget = { threshold: Threshold, duration: Duration }

/** What an owner may change, by operation; the rest of each object. */
const operations = {
  'project.update': Type.Object({
    public: Type.Optional(Type.Boolean()),
    version: Text,
    protocol: Text,
    description: Text,
    state: Type.Optional(Type.Enum(['active', 'paused'])),
  }),
  'settings.put': Type.Object({ settings: Settings }),
  'env.put': Type.Object({ env: EnvConfig.properties.env }),
  'database.put': Type.Object({ database: DatabaseConfig }),
  'flow.put': Type.Object({ flow: FlowConfig }),
  'assets.put': AssetsChange,
  'applet.create': Type.Object(module),
  'applet.update': Type.Object({ appletId: Id, ...module, resourceId: Type.Optional(Id) }),
  'applet.remove': Type.Object({ appletId: Id }),
  'applet.rollback': Type.Object({ appletId: Id, version: Type.Integer({ minimum: 1 }), note: Note }),
  'applet.canary': Type.Object({
    appletId: Id,
    percent: Type.Integer({ minimum: 0, maximum: 100 }),
    resourceId: Type.Optional(Id),
    note: Note,
  }),
  'applet.promote': Type.Object({ appletId: Id }),
  'applet.abort': Type.Object({ appletId: Id }),
  'instance.create': Type.Object({ appletId: Id, cache: Cache }),
  'instance.state': Type.Object({ instanceId: Id, state: State }),
  'instance.remove': Type.Object({ instanceId: Id }),
  'strategy.create': Type.Object(strategy),
  'strategy.update': Type.Object({ strategyId: Id, ...Type.Partial(Type.Object(strategy)).properties }),
  'strategy.remove': Type.Object({ strategyId: Id }),
  'cron.create': Type.Object(cron),
  'cron.update': Type.Object({ cronJobId: Id, ...Type.Partial(Type.Object(cron)).properties }),
  'cron.remove': Type.Object({ cronJobId: Id }),
  'traffic.create': Type.Object({
    apiType: Type.Enum(['EVENT', 'BLOCKCHAIN']),
    scope: Type.Optional(Type.Enum(['PROJECT', 'DEVICE'])),
    ...budget,
  }),
  'traffic.update': Type.Object({ trafficLimitId: Id, ...Type.Partial(Type.Object(budget)).properties }),
  'traffic.remove': Type.Object({ trafficLimitId: Id }),
  'publisher.create': Type.Object(device),
  'publisher.upsert': Type.Object(device),
  'publisher.update': Type.Object({ publisherId: Id, ...Type.Partial(Type.Object(device)).properties }),
  'publisher.rotate': Type.Object({ publisherId: Id }),
  'publisher.remove': Type.Object({ publisherId: Id }),
} satisfies Record<string, TSchema>

/** A list of changes; what each operation takes is checked by {@link readChanges}. */
export const Changes = Type.Array(Type.Object({ op: Type.Enum(Object.keys(operations)) }), { maxItems: 1000 })

const checks = new Map<string, Check>(
  Object.entries(operations).map(([op, schema]) => [op, compileCheck(schema, 'body')]),
)

/** Where the things lie that changes name. */
export interface ChangeSources {
  readonly resources: Resources
  readonly files: UploadedFiles
  /** Those that the project has. */
  readonly assets: readonly Asset[]
}

/**
 * Changes as the project takes them. A module is named by its resource; what the caller says of its hash is not asked.
 * @throws ApiError badRequest naming every wrong field; ResourceNotFound, NoResourcePermission, FileNotFound
 */
export function readChanges(
  given: Static<typeof Changes>,
  account: AccountIdentity,
  sources: ChangeSources,
): ProjectChange[] {
  const results = given.map((change) => ({ op: change.op, ...checks.get(change.op)!(change) }))
  const fields = results.flatMap(({ errors }, i) => errors.map((error) => within(`changes[${i}]`, error)))
  if (fields.length > 0) throw new ApiError('badRequest', '', { fields })
  return results.map(({ op, value }) => complete({ ...known(op, value as object), op }, account, sources))
}

/** The fields of the operation. Others would end up in the project's rows: the hash of a module that is another's, say. */
function known(op: string, value: object): Record<string, unknown> {
  const { properties } = operations[op as keyof typeof operations]
  return Object.fromEntries(Object.entries(value).filter(([name]) => Object.hasOwn(properties, name)))
}

function complete(
  change: Record<string, unknown>,
  account: AccountIdentity,
  { resources, files, assets }: ChangeSources,
): ProjectChange {
  if (change.op === 'assets.put') return completeAssets(change as Static<typeof AssetsChange>, account, files, assets)
  if (change.op === 'database.put')
    return { op: 'database.put', database: databaseOf(change.database as Static<typeof DatabaseConfig>) }
  if (change.op === 'env.put') return { op: 'env.put', env: (change.env ?? []) as [string, string][] }
  if (!deployments.has(change.op as string)) return change as ProjectChange
  const named = change.op === 'applet.create' ? { ...change, name: change.name ?? '' } : change
  const deployed = { ...named, by: account.accountId }
  if (typeof change.resourceId !== 'string') return deployed as unknown as ProjectChange
  const { resourceId, codeHash, md5, fileName } = resources.get(account.accountId, change.resourceId)
  return { ...deployed, resourceId, codeHash, md5, fileName } as unknown as ProjectChange
}

/** What the history of an applet names the account of. */
const deployments = new Set<string>([
  'applet.create',
  'applet.update',
  'applet.rollback',
  'applet.canary',
  'applet.promote',
  'applet.abort',
])

function within(prefix: string, { field, ...rest }: FieldError): FieldError {
  return { field: field ? `${prefix}.${field}` : prefix, ...rest }
}
