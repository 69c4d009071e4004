import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ApiError, type FieldError } from '../api-error.ts'

/** A JSON schema, as far as the functions here look at it. */
interface Plain {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly items?: Plain
  readonly properties?: Readonly<Record<string, Plain>>
}

interface Complaint {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: { readonly requiredProperties?: readonly string[] }
}

/** Gives a value the schema's spelling, and lists what is wrong with it. */
export type Check = (value: unknown) => { value: unknown; errors: FieldError[] }

/**
 * A check of one part of a request. Values of path and query are texts and become what the schema wants; texts of an enum
 * are taken in any case, as the reference takes them.
 */
export function compileCheck(schema: TSchema, part: FieldError['in']): Check {
  const validator = Compile(schema)
  const isText = part === 'query' || part === 'path'
  return (given) => {
    const value = adapt(schema as Plain, given, isText)
    if (validator.Check(value)) return { value, errors: [] }
    const complaints = validator.Errors(value) as unknown as Complaint[]
    return { value, errors: mostTelling(complaints.flatMap((complaint) => toFields(complaint, part))) }
  }
}

/** @throws ApiError badRequest naming every field */
export function checkAll(parts: readonly { check: Check; value: unknown }[]): unknown[] {
  const results = parts.map(({ check, value }) => check(value))
  const fields = results.flatMap(({ errors }) => errors)
  if (fields.length > 0) throw new ApiError('badRequest', '', { fields })
  return results.map(({ value }) => value)
}

function adapt(schema: Plain, value: unknown, isText: boolean): unknown {
  if (typeof value === 'string') return adaptText(schema, value, isText)
  if (Array.isArray(value)) return schema.items ? value.map((item) => adapt(schema.items!, item, isText)) : value
  if (typeof value !== 'object' || value === null || !schema.properties) return value
  const { properties } = schema
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const wanted = Object.hasOwn(properties, name) ? properties[name] : undefined
      return [name, wanted ? adapt(wanted, member, isText) : member]
    }),
  )
}

function adaptText(schema: Plain, text: string, isText: boolean): unknown {
  if (schema.enum)
    return schema.enum.find((v) => typeof v === 'string' && v.toLowerCase() === text.toLowerCase()) ?? text
  if (!isText) return text
  if (schema.type === 'array') return [adapt(schema.items ?? {}, text, true)]
  if (schema.type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function toFields({ keyword, instancePath, message, params }: Complaint, part: FieldError['in']): FieldError[] {
  if (keyword === 'required')
    return (params.requiredProperties ?? []).map((name) => ({
      field: fieldName(`${instancePath}/${name}`),
      msg: 'missing required field',
      in: part,
    }))
  return [{ field: fieldName(instancePath), msg: message, in: part }]
}

/** `/privileges/0/perm` to `privileges[0].perm`. */
function fieldName(path: string): string {
  return path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((name, step) => (/^\d+$/.test(step) ? `${name}[${step}]` : name ? `${name}.${step}` : step), '')
}

/** One complaint per field: of alternatives that all failed, the last, which sums them up. */
function mostTelling(fields: FieldError[]): FieldError[] {
  return [...new Map(fields.map((field) => [field.field, field])).values()]
}
