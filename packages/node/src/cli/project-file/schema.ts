import { type Static, type TProperties, Type } from 'typebox'
import { didKeyPattern, didKeyProblem } from '../../util/did-key.ts'
import { cronSchema, trafficSchema } from './schema-clock.ts'
import { flowSchema } from './schema-flow.ts'
import { consensusSchema, factSchema, retentionSchema } from './schema-network.ts'
import { rawDatabaseSchema, tableSchema } from './schema-tables.ts'

/** An object that refuses keys it does not know. */
function closed<P extends TProperties>(properties: P, description: string) {
  return Type.Object(properties, { additionalProperties: false, description })
}

const routeSchema = closed(
  {
    event: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Event type that is routed; DEFAULT also takes types nobody names.',
    }),
    handler: Type.String({ minLength: 1, maxLength: 255, description: 'Exported function of the applet.' }),
    metrics: Type.Optional(
      Type.Boolean({
        description: 'Collect lat/latitude and long/longitude of JSON payloads as metrics. Default false.',
      }),
    ),
  },
  'Which events go to which handler.',
)

const appletSchema = closed(
  {
    name: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,64}$', description: 'Name of the applet in its project.' }),
    source: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'AssemblyScript entry file, relative to this file; built at deployment.',
      }),
    ),
    wasm: Type.Optional(
      Type.String({ minLength: 1, description: 'WebAssembly module, relative to this file. Either this or source.' }),
    ),
    routes: Type.Optional(
      Type.Array(routeSchema, { minItems: 1, maxItems: 256, description: 'Default: DEFAULT to the handler start.' }),
    ),
    kv: Type.Optional(
      closed(
        {
          shared: Type.String({
            pattern: '^[a-zA-Z0-9_.-]{1,64}$',
            description: 'Applets of the project with the same prefix share their keys.',
          }),
        },
        'Whose keys the applet sees. Default: its own only.',
      ),
    ),
  },
  'A WebAssembly module and the events it handles.',
)

const didKeyForm = new RegExp(`^${didKeyPattern}$`)

const deviceSchema = closed(
  {
    key: Type.String({ minLength: 1, maxLength: 255, description: 'What identifies the device in the project.' }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'For people. Default: the key.' })),
    publicKey: Type.Optional(
      Type.Refine(
        Type.String({
          pattern: `^${didKeyPattern}$`,
          description: 'did:key under which the device signs its messages.',
        }),
        // Of what the pattern refuses, one complaint is enough.
        (text) => !didKeyForm.test(text) || didKeyProblem(text) === undefined,
        (text) => didKeyProblem(text) ?? '',
      ),
    ),
  },
  'A device that may publish.',
)

const count = (description: string, minimum = 1) =>
  Type.Optional(Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description }))

const limitsSchema = closed(
  {
    fuel: count('Computing of a handler call, units of docs/spec/fuel.md. Default 1000000000.', 1000),
    stackBytes: count('Stack of nested calls, bytes. Default 512 KiB.', 4096),
    tableEntries: count('Entries of a table that grows. Default 65536.', 0),
    memoryPages: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_536,
        description: 'Memory of a handler call, pages of 64 KiB. Default 512.',
      }),
    ),
    wallClockMs: count('Longest run of a handler call, milliseconds. Default 5000.'),
    logLines: count('Log lines of a call; more are dropped. Default 1000.', 0),
    logLineBytes: count('Bytes of a log line; the rest is cut. Default 4096.'),
    hostCalls: count('Host function calls of a call. Default 1000000.', 0),
    transferBytes: count('Bytes that one host call hands over. Default 4 MiB.'),
    kvValueBytes: count('Bytes of a stored value. Default 1 MiB.'),
    kvKeyBytes: count('Bytes of a key. Default 1024.'),
    sqlRows: count('Rows of a query result. Default 10000.'),
    sqlResultBytes: count('Bytes of a query result. Default 4 MiB.'),
    effects: count('Transactions and messages that a call may ask for. Default 256.', 0),
    fileBytes: count('Bytes of one file of the project. Default 4 MiB.', 0),
    files: count('Files and directories of the project. Default 10000.', 0),
    projectFileBytes: count('Bytes of all files of the project. Default 64 MiB.', 0),
    scratchBytes: count('Bytes of the scratch files of a call. Default 16 MiB.', 0),
  },
  'What a handler call may take. Keys left out have their defaults.',
)

const settingsSchema = closed(
  {
    rollbackOnNegative: Type.Optional(
      Type.Boolean({ description: 'Undo the writes of a handler that returned a negative number. Default false.' }),
    ),
    defaultFallback: Type.Optional(
      Type.Boolean({ description: 'Send events of unrouted types to the routes of DEFAULT. Default true.' }),
    ),
    idempotencyWindowMs: count('How long a repeated idempotency key is recognised, milliseconds. Default one day.', 0),
    weight: count('Share of its thread that the project gets when others are busy too. Default 1.'),
    outboundHosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 260 }), {
        maxItems: 100,
        description: 'Hosts that applets may reach by HTTP, such as api.example.com or *.example.com. Default none.',
      }),
    ),
  },
  'How messages are executed. Keys left out have their defaults.',
)

const chainsSchema = closed(
  {
    operator: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Operator account that sends the transactions of this project.',
      }),
    ),
    required: Type.Optional(
      Type.Array(Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1 })]), {
        maxItems: 64,
        description: 'Chains, by id or name, that the node must know; checked at deployment.',
      }),
    ),
  },
  'Chains that the project acts on.',
)

/** The project file, version 1. A section that is left out is left alone on the node. */
export const projectFileSchema = Type.Object(
  {
    version: Type.Literal(1, { description: 'Version of this format.' }),
    name: Type.String({ pattern: '^[a-z0-9_]{1,32}$', description: 'Name of the project at its node.' }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    public: Type.Optional(Type.Boolean({ description: 'Accept events without a token.' })),
    applets: Type.Optional(
      Type.Array(appletSchema, { maxItems: 64, description: 'All applets; others of the project are removed.' }),
    ),
    devices: Type.Optional(
      Type.Array(deviceSchema, {
        maxItems: 10_000,
        description: 'Devices; others stay unless --prune-devices is given.',
      }),
    ),
    env: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }), Type.String({ maxLength: 65_536 }), {
        additionalProperties: false,
        description:
          'All variables that applets read; others of the project are removed. Values may name variables of the deployment.',
      }),
    ),
    assets: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 512 }), Type.String({ minLength: 1 }), {
        additionalProperties: false,
        maxProperties: 1000,
        description:
          'All files that applets read below /assets, by their path there: files relative to this one. Others of the project are removed.',
      }),
    ),
    tables: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$' }), tableSchema, {
        additionalProperties: false,
        description: 'SQL tables by name. Only additions are applied to tables that exist.',
      }),
    ),
    database: Type.Optional(rawDatabaseSchema),
    limits: Type.Optional(limitsSchema),
    settings: Type.Optional(settingsSchema),
    cron: Type.Optional(cronSchema),
    traffic: Type.Optional(trafficSchema),
    flow: Type.Optional(flowSchema),
    chains: Type.Optional(chainsSchema),
    consensus: Type.Optional(consensusSchema),
    minNodes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, description: 'Nodes needed before the project operates. Default 1.' }),
    ),
    retention: Type.Optional(retentionSchema),
    facts: Type.Optional(
      Type.Array(factSchema, { maxItems: 64, description: 'Statements about readings to be proven.' }),
    ),
  },
  { additionalProperties: false, title: 'W3bstream project file' },
)

export type ProjectFile = Static<typeof projectFileSchema>
