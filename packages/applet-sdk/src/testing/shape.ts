/** Checks of JSON that a person wrote: every mistake at once, each with its place. */
export type Check = (value: unknown, place: string, mistakes: string[]) => void

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function primitive(type: 'string' | 'number' | 'boolean', words: string): Check {
  return (value, place, mistakes) => {
    if (typeof value !== type) mistakes.push(`${place}: must be ${words}`)
  }
}

export const text = primitive('string', 'text')
export const flag = primitive('boolean', 'true or false')
export const anything: Check = () => undefined

export const integer: Check = (value, place, mistakes) => {
  if (!Number.isSafeInteger(value)) mistakes.push(`${place}: must be a whole number`)
}

export const hex: Check = (value, place, mistakes) => {
  if (typeof value !== 'string' || !/^(0x)?([0-9a-fA-F]{2})*$/.test(value)) {
    mistakes.push(`${place}: must be hexadecimal digits, two for a byte`)
  }
}

export function list(item: Check): Check {
  return (value, place, mistakes) => {
    if (!Array.isArray(value)) mistakes.push(`${place}: must be a list`)
    else for (const [index, element] of value.entries()) item(element, `${place}[${index}]`, mistakes)
  }
}

/** Any names, values of one kind. */
export function record(item: Check): Check {
  return (value, place, mistakes) => {
    if (!isObject(value)) mistakes.push(`${place}: must be an object`)
    else for (const [name, member] of Object.entries(value)) item(member, `${place}.${name}`, mistakes)
  }
}

/** These names and no others. */
export function shape(members: Record<string, Check>, required: readonly string[] = []): Check {
  return (value, place, mistakes) => {
    if (!isObject(value)) {
      mistakes.push(`${place}: must be an object`)
      return
    }
    for (const name of required) if (!Object.hasOwn(value, name)) mistakes.push(`${place}.${name}: is missing`)
    for (const [name, member] of Object.entries(value)) {
      const check = Object.hasOwn(members, name) ? members[name] : undefined
      if (check) check(member, `${place}.${name}`, mistakes)
      else mistakes.push(`${place}.${name}: is not known here (known: ${Object.keys(members).join(', ')})`)
    }
  }
}
