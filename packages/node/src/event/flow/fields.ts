import { readJson } from './json.ts'

/** What a sink is given: the last operator's payload, and the window that it comes from. */
export interface FlowResult {
  readonly payload: Uint8Array
  /** Key of the group; empty without GROUP. */
  readonly group: string
  /** Absent without WINDOW. */
  readonly window?: { readonly startMs: number; readonly endMs: number; readonly count: number }
}

/** A result that its sink cannot take. The text goes to the log. */
export class SinkRefusal extends Error {}

/** The fields of one result by name: those of the payload, a JSON object, with dots for what lies deeper. */
export class Fields {
  readonly #result: FlowResult
  #object: unknown

  constructor(result: FlowResult) {
    this.#result = result
  }

  /** Undefined where there is no such field. @throws SinkRefusal when the payload is no JSON object */
  get(name: string): unknown {
    const { payload, group, window } = this.#result
    switch (name) {
      case '$group':
        return group
      case '$start':
        return window?.startMs
      case '$end':
        return window?.endMs
      case '$count':
        return window?.count
      case '$payload':
        return decode(payload)
      default:
        return name.split('.').reduce<unknown>(member, this.#parsed())
    }
  }

  /** The field as text: what is no text is written as JSON. @throws SinkRefusal when there is none */
  text(name: string): string {
    const value = this.get(name)
    if (value === undefined || value === null) throw new SinkRefusal(`there is no field "${name}"`)
    return asText(value)
  }

  #parsed(): unknown {
    if (this.#object !== undefined) return this.#object
    const read = readJson(decode(this.#result.payload))
    if ('problem' in read) throw new SinkRefusal(`the payload is ${read.problem}`)
    const { value } = read
    if (typeof value !== 'object' || value === null) throw new SinkRefusal('the payload is no JSON object')
    this.#object = value
    return value
  }
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SinkRefusal('the payload is not UTF-8')
  }
}
