import type { HttpDeps } from './deps.ts'
import type { EventStreams } from './event-stream.ts'
import type { HttpLimits } from './options.ts'
import type { Ownership } from './ownership.ts'

/** What the groups of routes are made with. */
export interface RouteContext {
  readonly deps: HttpDeps
  readonly own: Ownership
  readonly limits: HttpLimits
  readonly streams: EventStreams
}
