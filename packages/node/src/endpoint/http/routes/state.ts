import { decodeEffectBody, toHex } from '@w3bstream/protocol'
import Type, { type Static } from 'typebox'
import { localHash } from '../../../chain/chain.ts'
import type { OutboxRow as StoredEffect } from '../../../database/database.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { Id, List, paging, ShortName, Time, toList } from '../schema.ts'

const KvRow = Type.Object({
  appletID: Type.Optional(Type.String({ description: 'whose key it is' })),
  shared: Type.Optional(Type.String({ description: 'for keys that applets share: the prefix under which they do' })),
  node: Type.Optional(Type.String({ description: 'for what the node keeps for the project, such as flows: its name' })),
  key: Type.String(),
  valueBase64: Type.String(),
})
const OutboxRow = Type.Object({
  effectID: Type.String(),
  height: Type.String(),
  index: Type.Integer(),
  kind: Type.String(),
  state: Type.String(),
  attempts: Type.Integer(),
  detail: Type.String(),
  hash: Type.Optional(Type.String({ description: 'of the transaction' })),
  call: Type.Optional(Type.String({ description: 'method and URL of a call' })),
  metric: Type.Optional(Type.Unknown({ description: 'what was measured' })),
  updatedAt: Time,
})
const params = Type.Object({ p: ShortName })
const group = 'Project'
/** How namespaces of keys are written in the store (docs/spec/history.md). */
const appletSpace = 'applet:'
const sharedSpace = 'prefix:'

interface StoredKey {
  readonly namespace: string
  readonly key: string
  readonly value: Uint8Array
}

/** What the applets keep, and what they asked the node to do. */
export function stateRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'GET',
      path: '/kv/x/:p/datalist',
      summary: 'Keys and values of the applets',
      group,
      params,
      query: Type.Object({
        appletID: Type.Optional(Id),
        shared: Type.Optional(
          Type.String({ maxLength: 256, description: 'keys that applets share under this prefix' }),
        ),
        prefix: Type.Optional(Type.String({ maxLength: 1024, description: 'key starts with' })),
        ...paging,
      }),
      answer: List(KvRow),
      handle: async ({ params, query, account }) => {
        const reader = await projects.reader(own.project(account, params.p).key)
        const { prefix, size, offset } = query
        const { data, total } = await reader.listKv({ namespace: namespaceOf(query), prefix, size, offset })
        return toList({ data: data.map(kvRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/outbox/x/:p/datalist',
      summary: 'Effects: transactions and messages that the applets asked for, and what became of them',
      group,
      params,
      query: Type.Object({
        state: Type.Optional(Type.Enum(['INIT', 'PENDING', 'IN_BLOCK', 'CONFIRMED', 'FAILED'])),
        kind: Type.Optional(Type.String({ maxLength: 32 })),
        height: Type.Optional(Type.String({ pattern: '^[0-9]{1,19}$' })),
        ...paging,
      }),
      answer: List(OutboxRow),
      handle: async ({ params, query, account }) => {
        const reader = await projects.reader(own.project(account, params.p).key)
        const { height, ...filter } = query
        const { data, total } = await reader.outbox({
          ...filter,
          height: height === undefined ? undefined : BigInt(height),
        })
        return toList({ data: data.map(outboxRow), total })
      },
    }),
  ]
}

/** The namespace of an applet, or of applets that share a prefix. @throws ApiError badRequest for both at once */
function namespaceOf({ appletID, shared }: { appletID?: string; shared?: string }): string | undefined {
  if (appletID !== undefined && shared !== undefined) {
    const msg = 'give appletID or shared, not both'
    throw new ApiError('badRequest', '', { fields: [{ field: 'shared', msg, in: 'query' }] })
  }
  if (shared !== undefined) return `${sharedSpace}${shared}`
  return appletID === undefined ? undefined : `${appletSpace}${appletID}`
}

function kvRow({ namespace, key, value }: StoredKey): Static<typeof KvRow> {
  return { ...ownerOf(namespace), key, valueBase64: Buffer.from(value).toString('base64') }
}

function ownerOf(namespace: string): Pick<Static<typeof KvRow>, 'appletID' | 'shared' | 'node'> {
  if (namespace.startsWith(sharedSpace)) return { shared: namespace.slice(sharedSpace.length) }
  return namespace.startsWith(appletSpace) ? { appletID: namespace.slice(appletSpace.length) } : { node: namespace }
}

function outboxRow(row: StoredEffect): Static<typeof OutboxRow> {
  return {
    effectID: toHex(row.id),
    height: row.height.toString(),
    index: row.index,
    kind: row.kind,
    state: row.state,
    attempts: row.attempts,
    detail: row.detail,
    hash: localHash(row.local),
    ...asked(row),
    updatedAt: rfc3339(row.updatedMs),
  }
}

/** What an applet wanted to know or to be known. A row that cannot be read has ended, and says why. */
function asked({ kind, body }: StoredEffect): Pick<Static<typeof OutboxRow>, 'call' | 'metric'> {
  if (kind !== 'api' && kind !== 'metric') return {}
  try {
    const effect = decodeEffectBody(body)
    if (effect.kind === 'api') return { call: `${effect.method} ${effect.url}` }
    return effect.kind === 'metric' ? { metric: JSON.parse(effect.json) as unknown } : {}
  } catch {
    return {}
  }
}
