import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { ApiError, type FieldError } from '../api-error.ts'
import { type Complaint, meantOnly } from './alternatives.ts'

/** A JSON schema, as far as the functions here look at it. */
interface Plain {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly items?: Plain
  readonly properties?: Readonly<Record<string, Plain>>
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
    const complaints = meantOnly(schema, value, allErrors(() => validator.Errors(value)) as unknown as Complaint[])
    return { value, errors: mostTelling(complaints.flatMap((complaint) => toFields(complaint, part))) }
  }
}

/** Complaints about one part of a request that are told; the library would stop at 8. */
const maxErrors = 100

function allErrors<T>(find: () => T): T {
  const before = Settings.Get().maxErrors
  Settings.Set({ maxErrors })
  try {
    return find()
  } finally {
    Settings.Set({ maxErrors: before })
  }
}

/** @throws ApiError badRequest naming every field */
export function checkAll(parts: readonly { check: Check; value: unknown }[]): unknown[] {
  const results = parts.map(({ check, value }) => check(value))
  const fields = results.flatMap(({ errors }) => errors)
  if (fields.length > 0) throw new ApiError('badRequest', '', { fields })
  return results.map(({ value }) => value)
}

const missing = 'missing required field'

/**
 * A check and what else is wrong with the value. The schema's own complaints come first; as long as no more than fields is
 * missing, the rest of the value is examined as well, so that its sender hears of everything at once.
 */
export function alsoCheck(check: Check, problems: (value: unknown) => readonly FieldError[]): Check {
  return (given) => {
    const { value, errors } = check(given)
    if (errors.length === 0 || !errors.every(({ msg }) => msg === missing)) return { value, errors }
    const told = ({ field }: FieldError) => errors.some((error) => error.field.startsWith(field))
    return { value, errors: [...errors, ...problems(value).filter((problem) => !told(problem))] }
  }
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
      msg: missing,
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

/** One complaint per field. */
function mostTelling(fields: FieldError[]): FieldError[] {
  return [...new Map(fields.map((field) => [field.field, field])).values()]
}
