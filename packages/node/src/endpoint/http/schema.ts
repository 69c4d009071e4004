import Type from 'typebox'
import { didKeyPattern, didKeyProblem } from '../../util/did-key.ts'

/** Parts of the schemas of requests and answers. They validate, and they are the OpenAPI document. */

export const Id = Type.String({ pattern: '^[0-9]{1,19}$', description: 'id, decimal' })
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339' })
export const QueryTime = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$',
  description: 'RFC 3339',
})
export const ShortName = Type.String({ pattern: '^[a-z0-9_]{1,32}$', description: 'name of a project of the caller' })
/** Names that people choose, of devices, keys, operators. */
export const Label = Type.String({ minLength: 1, maxLength: 128 })
/** A device's public key; empty for none. */
export const PublicKey = Type.Refine(
  Type.String({
    maxLength: 512,
    pattern: `^(${didKeyPattern})?$`,
    description: 'did:key under which the device signs',
  }),
  (text) => text === '' || didKeyProblem(text) === undefined,
  (text) => didKeyProblem(text) ?? '',
)
export const EventType = Type.String({ minLength: 1, maxLength: 256 })
/** What it means is examined where it is applied. */
export const CronExpression = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'five fields, or six with seconds first; @yearly … @hourly; @every with a duration. In UTC',
})
export const Threshold = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'in each period' })
export const Duration = Type.String({
  pattern: '^(\\d{1,9}(\\.\\d{1,9})?(ms|s|m|h|d))+$',
  maxLength: 64,
  description: 'length of a period, such as 24h or 1h30m',
})
export const AnyProjectName = Type.String({
  pattern: '^[a-z0-9_]{1,128}$',
  description: 'name of a project of the caller, or the full name of any',
})
export const HandlerName = Type.String({ minLength: 1, maxLength: 256 })

/** A file, by its content id or its SHA-256. */
export const FileId = Type.String({
  pattern: '^[0-9A-Za-z]{1,128}$',
  description: 'content id (CIDv1, raw, SHA-256), or SHA-256, hexadecimal',
})

export const Ids = Type.Optional(Type.Array(Id, { maxItems: 1000 }))
export const Labels = Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 1000 }))

export const paging = {
  size: Type.Optional(Type.Integer({ minimum: -1, default: 10, description: 'rows; -1 for all' })),
  offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
}

export const times = { createdAt: Time, updatedAt: Time }

/** `data` is null when there is none, as the reference answers. */
export function List<T extends Type.TSchema>(row: T) {
  return Type.Object({ data: Type.Union([Type.Array(row), Type.Null()]), total: Type.Integer() })
}

/** The answer of a list operation. */
export function toList<T>(page: { data: readonly T[]; total: number }): { data: T[] | null; total: number } {
  return { data: page.data.length > 0 ? [...page.data] : null, total: page.total }
}

/** One page of rows that are all at hand. */
export function pageOf<T>(rows: readonly T[], { size = 10, offset = 0 }: { size?: number; offset?: number }) {
  return toList({ data: rows.slice(offset, size < 0 ? undefined : offset + size), total: rows.length })
}

/** Whether a filter lets a value through; an absent or empty one lets all through. */
export function passes<T>(filter: readonly T[] | undefined, value: T): boolean {
  return !filter?.length || filter.includes(value)
}
