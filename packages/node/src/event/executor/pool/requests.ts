import type { ProjectKey } from '@w3bstream/protocol'
import type { Running } from './watchdog.ts'
import type { Request } from './wire.ts'

/** Place of a request among those that a new thread is given; the project whose guest ended the last one comes late. */
export function rank(request: Request, culprit: ProjectKey | undefined): number {
  if (request.type === 'stop') return 2
  if (request.type === 'inspect') return 0
  return projectOf(request) === culprit ? 1 : 0
}

export function projectOf(request: Request): ProjectKey | undefined {
  if (request.type === 'execute') return request.batch.project
  return 'project' in request ? request.project : undefined
}

export function isBatchOf(request: Request, project: ProjectKey | undefined): boolean {
  return request.type === 'execute' && request.batch.project === project
}

/** The same batch, with a handler run that is reported as stopped, not run. */
export function asStopped(request: Request, { messageIndex, ordinal }: Running): Request {
  if (request.type !== 'execute') return request
  return { ...request, stopped: [...request.stopped, { messageIndex, ordinal }] }
}
