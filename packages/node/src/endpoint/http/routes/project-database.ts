import Type, { type Static } from 'typebox'
import type { SqlParam, SqlResult, SqlValue } from '../../../database/database.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { ShortName } from '../schema.ts'

const Int = Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,19}$' })])
const Typed = Type.Union([
  Type.Object({ int32: Int }),
  Type.Object({ int64: Int }),
  Type.Object({ float32: Type.Number() }),
  Type.Object({ float64: Type.Number() }),
  Type.Object({ string: Type.String() }),
  Type.Object({ bool: Type.Boolean() }),
  Type.Object({ bytes: Type.String({ description: 'base64' }) }),
  Type.Object({ time: Type.String({ description: 'RFC 3339' }) }),
])
const Param = Type.Union([Type.Null(), Type.Boolean(), Type.Number(), Type.String(), Typed])

const Query = Type.Object({
  statement: Type.String({ minLength: 1, maxLength: 65_536 }),
  params: Type.Optional(Type.Array(Param, { maxItems: 1000 })),
})

/** The owner's look into the tables of the applets. */
export function projectDatabaseRoutes({ deps, own, limits }: RouteContext): Route[] {
  return [
    route({
      method: 'POST',
      path: '/project_database/x/:p/query',
      summary: 'Read the tables: one SELECT in the dialect of applets',
      group: 'Project',
      access: 'READONLY',
      params: Type.Object({ p: ShortName }),
      body: Query,
      answer: Type.Object({ data: Type.Array(Type.Record(Type.String(), Type.Unknown())) }),
      handle: async ({ params, body, account }) => {
        const reader = await deps.projects.reader(own.project(account, params.p).key)
        const request = { statement: body.statement, params: (body.params ?? []).map(toParam) }
        return {
          data: toRows(
            await reader.query(request, { rows: limits.queryRows, bytes: limits.queryBytes, timeMs: limits.queryMs }),
          ),
        }
      },
    }),
  ]
}

function toParam(value: Static<typeof Param>): SqlParam {
  if (value === null) return { type: 'null' }
  if (typeof value === 'boolean') return { type: 'bool', value }
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { type: 'int64', value: BigInt(value) } : { type: 'float64', value }
  return typedParam(value)
}

function typedParam(value: Static<typeof Typed>): SqlParam {
  if ('int32' in value) return { type: 'int32', value: BigInt(value.int32) }
  if ('int64' in value) return { type: 'int64', value: BigInt(value.int64) }
  if ('float32' in value) return { type: 'float32', value: value.float32 }
  if ('float64' in value) return { type: 'float64', value: value.float64 }
  if ('string' in value) return { type: 'string', value: value.string }
  if ('bool' in value) return { type: 'bool', value: value.bool }
  if ('bytes' in value) return { type: 'bytes', value: readBase64(value.bytes) }
  return { type: 'time', value: value.time }
}

/** With or without padding, as the published kits write it. */
function readBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new ApiError('InvalidSql', 'bytes: not base64')
  return Buffer.from(text, 'base64')
}

function toRows({ columns, rows }: SqlResult): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, toJson(row[i] ?? null)])))
}

/** Whole numbers are written exactly, also above 2^53. */
function toJson(value: SqlValue): unknown {
  if (typeof value === 'bigint') return rawJson(value.toString())
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

/** `JSON.rawJSON` is in V8 since Node.js 21 and not yet in TypeScript's library. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
