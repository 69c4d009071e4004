/** What the schema library says of a value. */
export interface Complaint {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly message: string
  readonly params: { readonly requiredProperties?: readonly string[] }
}

/** The parts of JSON Schema by which alternatives are told apart. */
interface Alternative {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly required?: readonly string[]
  readonly anyOf?: readonly Alternative[]
}

/**
 * Complaints about a value that fits none of several alternatives, made readable: when its type shows which one was meant,
 * what is wrong with it as that one; otherwise one complaint that names all of them.
 */
export function meantOnly(schema: unknown, value: unknown, complaints: readonly Complaint[]): Complaint[] {
  return complaints
    .filter(({ keyword }) => keyword === 'anyOf')
    .sort((a, b) => a.schemaPath.length - b.schemaPath.length)
    .reduce(
      (left, choice) => {
        // Already dropped with the alternative that it belongs to.
        if (!left.includes(choice)) return left
        const { anyOf = [] } = at(schema, choice.schemaPath.slice(1)) as Alternative
        const meant = anyOf.findIndex((one) => isMeant(one, at(value, choice.instancePath)))
        const inside = `${choice.schemaPath}/anyOf/`
        const kept = left.filter(
          (one) =>
            one !== choice &&
            (!one.schemaPath.startsWith(inside) ||
              !isWithin(one.instancePath, choice.instancePath) ||
              isWithin(one.schemaPath, `${inside}${meant}`)),
        )
        if (meant >= 0) return kept
        return [...kept, { ...choice, message: `must be ${[...new Set(anyOf.flatMap(namesOf))].join(' or ')}` }]
      },
      [...complaints],
    )
}

function isMeant(one: Alternative, value: unknown): boolean {
  if (one.anyOf) return one.anyOf.some((inner) => isMeant(inner, value))
  if (one.type === 'array') return Array.isArray(value)
  if (one.type !== 'object') return one.enum === undefined && one.pattern === undefined && typeof value === one.type
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return (one.required ?? []).some((name) => Object.hasOwn(value, name))
}

function namesOf(one: Alternative): string[] {
  if (one.anyOf) return one.anyOf.flatMap(namesOf)
  if (one.enum) return one.enum.map((choice) => JSON.stringify(choice))
  if (one.pattern) return [`text like ${one.pattern}`]
  if (one.type === 'object') return [`{${(one.required ?? []).join(', ')}}`]
  return [one.type ?? 'something else']
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

/** What a JSON pointer leads to (RFC 6901). */
function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((place, step) => (place as Record<string, unknown> | undefined)?.[step], value)
}
