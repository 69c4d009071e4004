import { parseDuration } from '../../util/go-duration.ts'
import { alignedStart } from '../../util/traffic-window.ts'
import type { TrafficLimit } from '../definition.ts'
import {
  type Accepted,
  type Application,
  type Change,
  type ChangeHandlers,
  found,
  given,
  Refused,
} from './application.ts'

/** Shortest and longest period, milliseconds. */
const minMs = 1000
const maxMs = 366 * 86_400_000

export const trafficChanges: ChangeHandlers<'traffic.create' | 'traffic.update' | 'traffic.remove'> = {
  'traffic.create': create,
  'traffic.update': update,
  'traffic.remove': (application, { trafficLimitId }) => {
    limitOf(application, trafficLimitId)
    application.editor.remove('trafficLimit', trafficLimitId)
    return { ok: true }
  },
}

function create(application: Application, change: Change<'traffic.create'>): Accepted {
  const { apiType, scope = 'PROJECT', threshold, duration } = change
  if (apiType === 'BLOCKCHAIN' && scope === 'DEVICE')
    throw new Refused('badRequest', 'transactions are limited for the project as a whole')
  const limits = application.editor.all<TrafficLimit>('trafficLimit')
  if (limits.some((limit) => limit.apiType === apiType && limit.scope === scope))
    throw new Refused('TrafficLimitConflict', `the project has a limit for ${apiType} of scope ${scope}`)
  const trafficLimitId = application.id('trafficLimit')
  return put(application, { trafficLimitId, apiType, scope, threshold, duration, startMs: 0, ...application.stamp })
}

function update(application: Application, change: Change<'traffic.update'>): Accepted {
  const { op: _, trafficLimitId, ...fields } = change
  const { timeMs } = application.context
  return put(application, { ...limitOf(application, trafficLimitId), ...given(fields), updatedMs: timeMs })
}

function put(application: Application, limit: TrafficLimit): Accepted {
  const { threshold, duration, trafficLimitId } = limit
  if (!Number.isSafeInteger(threshold) || threshold < 0)
    throw new Refused('badRequest', 'threshold must be a whole number, 0 or more')
  const ms = parseDuration(duration)
  if (ms === undefined || ms < minMs || ms > maxMs)
    throw new Refused('badRequest', `duration "${duration}" must lie between 1s and 8784h, such as 24h or 1h30m`)
  const value: TrafficLimit = { ...limit, startMs: alignedStart(application.context.timeMs, ms) }
  application.editor.put('trafficLimit', trafficLimitId, value)
  return { ok: true, id: trafficLimitId, value }
}

/** @throws Refused TrafficLimitNotFound */
function limitOf({ editor }: Application, id: string): TrafficLimit {
  const limits = editor.all<TrafficLimit>('trafficLimit')
  return found(
    limits.find((limit) => limit.trafficLimitId === id),
    'TrafficLimitNotFound',
    id,
  )
}
