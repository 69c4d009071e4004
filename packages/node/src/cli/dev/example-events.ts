import { basename, extname } from 'node:path'

/** An event to be sent to the project. */
export interface ExampleEvent {
  /** Event type. */
  readonly event: string
  /** Key of the device that sends it; undefined: the one of the session. */
  readonly device?: string
  readonly payload: Uint8Array
}

/** Events of one file at most. */
const maxEvents = 10_000

const members = new Set(['event', 'device', 'payload'])

/**
 * The events of a file. JSON with `event` and `payload` (and `device`), or a list of such, are events as they say; anything
 * else is the payload of one event, of the type that the file is named after when the project has a route for it, else
 * `DEFAULT`.
 * @throws RangeError for more than 10,000 events
 */
export function eventsOf(path: string, bytes: Uint8Array, eventTypes: ReadonlySet<string>): readonly ExampleEvent[] {
  const described = describedEvents(Buffer.from(bytes).toString())
  if (described) return described
  const name = basename(path, extname(path))
  return [{ event: eventTypes.has(name) ? name : 'DEFAULT', payload: bytes }]
}

/**
 * An event that a person or a script typed: `{"event":…,"payload":…}`, or `TYPE PAYLOAD`, or a payload alone. What begins like
 * JSON is no type.
 */
export function eventsOfLine(line: string): readonly ExampleEvent[] {
  const text = line.trim()
  const described = describedEvents(text)
  if (described) return described
  const [, type, payload] = /^([A-Za-z_][\w.:-]*)(?:\s+([\s\S]*))?$/.exec(text) ?? []
  if (type === undefined) return [{ event: 'DEFAULT', payload: Buffer.from(text) }]
  return [{ event: type, payload: Buffer.from(payload ?? '') }]
}

function describedEvents(text: string): readonly ExampleEvent[] | undefined {
  const value = parsed(text)
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every(isDescribed)) return undefined
  if (list.length > maxEvents) throw new RangeError(`more than ${maxEvents} events`)
  return list.map(({ event = 'DEFAULT', device, payload }) => ({
    event,
    ...(device !== undefined && { device }),
    payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  }))
}

function isDescribed(value: unknown): value is { event?: string; device?: string; payload: unknown } {
  if (typeof value !== 'object' || value === null || !('payload' in value)) return false
  const { event = '', device = '' } = value as { event?: unknown; device?: unknown }
  const isKnown = Object.keys(value).every((name) => members.has(name))
  return isKnown && ('event' in value || 'device' in value) && typeof event === 'string' && typeof device === 'string'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
