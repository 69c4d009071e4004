import type { TSchema } from 'typebox'
import { Settings } from 'typebox/system'
import { Value } from 'typebox/value'
import { suggest } from './suggest.ts'

/** A mistake by its place in the value, before lines are known. */
export interface ShapeProblem {
  readonly path: readonly (string | number)[]
  /** The mistake is the key itself, not its value. */
  readonly atKey?: boolean
  readonly message: string
}

type SchemaError = ReturnType<typeof Value.Errors>[number]

/** Enough for any file a person wrote; the library would stop at 8. */
const maxErrors = 500

/** Compares a value with a schema: every mistake, in words, in the order of the schema. */
export function checkShape(schema: TSchema, value: unknown): ShapeProblem[] {
  const errors = allErrors(schema, value)
  const dropped = alternatives(schema, value, errors)
  return errors.filter((error) => !dropped.has(error)).flatMap((error) => explain(schema, value, error))
}

function allErrors(schema: TSchema, value: unknown): SchemaError[] {
  const before = Settings.Get().maxErrors
  Settings.Set({ maxErrors })
  try {
    return Value.Errors(schema, value)
  } finally {
    Settings.Set({ maxErrors: before })
  }
}

/** Errors about alternatives that the value was not meant to be: the one of the value's own type counts. */
function alternatives(schema: TSchema, value: unknown, errors: readonly SchemaError[]): Set<SchemaError> {
  const dropped = new Set<SchemaError>()
  for (const choice of errors.filter((error) => error.keyword === 'anyOf')) {
    const branches = (at(schema, choice.schemaPath.slice(1)) as { anyOf: JsonSchema[] }).anyOf
    const meant = branches.findIndex((branch) => typeFits(branch, at(value, choice.instancePath)))
    if (meant >= 0) dropped.add(choice)
    for (const error of errors) {
      const inside =
        error.schemaPath.startsWith(`${choice.schemaPath}/anyOf/`) && error.instancePath.startsWith(choice.instancePath)
      if (
        inside &&
        !error.schemaPath.startsWith(`${choice.schemaPath}/anyOf/${meant}/`) &&
        !error.schemaPath.endsWith(`/anyOf/${meant}`)
      )
        dropped.add(error)
    }
  }
  return dropped
}

/** The parts of JSON Schema that are read here. */
interface JsonSchema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly patternProperties?: Readonly<Record<string, unknown>>
  readonly anyOf?: readonly JsonSchema[]
}

function explain(schema: TSchema, value: unknown, error: SchemaError): ShapeProblem[] {
  const path = pointerParts(error.instancePath, value)
  const part = (at(schema, error.schemaPath.slice(1)) ?? {}) as JsonSchema
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    // The refusal of each key is told by its object.
    case 'boolean':
      return []
    case 'additionalProperties':
      return (params.additionalProperties as string[]).map((key) => ({
        path: [...path, key],
        atKey: true,
        message: unknownKey(key, part),
      }))
    case 'required':
      return (params.requiredProperties as string[]).map((key) => ({ path, message: `lacks "${key}"` }))
    case 'anyOf':
      return [{ path, message: `wanted ${(part.anyOf ?? []).map(kindOf).join(' or ')}` }]
    case 'enum':
      return [{ path, message: wrongChoice(at(value, error.instancePath), part) }]
    case 'const':
      return [{ path, message: `wanted ${JSON.stringify(params.allowedValue)}` }]
    case 'pattern':
      return [
        { path, message: `"${cut(at(value, error.instancePath))}" does not match ${part.pattern ?? params.pattern}` },
      ]
    case 'type':
      return [{ path, message: wrongType(at(value, error.instancePath), part) }]
    default:
      return [{ path, message: error.message }]
  }
}

function unknownKey(key: string, part: JsonSchema): string {
  const known = Object.keys(part.properties ?? {})
  const patterns = Object.keys(part.patternProperties ?? {})
  if (known.length === 0 && patterns.length > 0) return `"${cut(key)}" does not match ${patterns.join(' or ')}`
  const meant = suggest(key, known)
  return `unknown key "${cut(key)}"${meant ? `; did you mean "${meant}"?` : `; known are ${known.join(', ')}`}`
}

/** A text where a map of one key is wanted most likely is that key's value. */
function wrongType(given: unknown, part: JsonSchema): string {
  const keys = Object.keys(part.properties ?? {})
  const form = keys.length === 1 && typeof given === 'string' ? ` such as { ${keys[0]}: ${cut(given)} }` : ''
  return `wanted ${kindOf(part)}${form}, found ${found(given)}`
}

function wrongChoice(given: unknown, part: JsonSchema): string {
  const choices = part.enum ?? []
  const meant = typeof given === 'string' ? suggest(given, choices) : undefined
  return `"${cut(given)}" is none of ${choices.join(', ')}${meant ? `; did you mean "${meant}"?` : ''}`
}

function kindOf(schema: JsonSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  const names: Record<string, string> = { object: 'a map', array: 'a list', integer: 'a whole number', string: 'text' }
  return names[schema.type ?? ''] ?? (schema.type === 'boolean' ? 'true or false' : `a ${schema.type}`)
}

function found(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : JSON.stringify(value)
}

function typeFits(schema: JsonSchema, value: unknown): boolean {
  if (schema.enum) return typeof value === 'string'
  if (schema.type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (schema.type === 'integer') return typeof value === 'number'
  if (schema.type === 'array') return Array.isArray(value)
  return schema.type === typeof value || (schema.type === 'null' && value === null)
}

function cut(value: unknown): string {
  const text = String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The value that a JSON pointer leads to (RFC 6901). */
function at(value: unknown, pointer: string): unknown {
  let place = value
  for (const part of split(pointer)) place = (place as Record<string, unknown> | undefined)?.[part]
  return place
}

function split(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The pointer's parts, with numbers where lists are entered. */
function pointerParts(pointer: string, value: unknown): (string | number)[] {
  let place = value
  return split(pointer).map((part) => {
    const key = Array.isArray(place) ? Number(part) : part
    place = (place as Record<string, unknown> | undefined)?.[part]
    return key
  })
}
