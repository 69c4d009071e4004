import type { ProjectKey } from '@w3bstream/protocol'
import type { Logger } from '../../telemetry/logger.ts'
import type { AccountIdentity, Door, Identity } from '../endpoint.ts'
import type { Budget } from './budget.ts'
import type { Client } from './client.ts'
import type { Flusher } from './flusher.ts'
import type { MqttMetrics } from './metrics.ts'
import type { MqttLimits } from './options.ts'
import type { Router } from './router.ts'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'
import type { Sessions } from './sessions.ts'
import type { Wills } from './wills.ts'

/**
 * The project of that full name when it belongs to the account, otherwise undefined. Needed because the door knows
 * accounts only as senders, and reading is this endpoint's own business.
 */
export type ResolveProject = (
  account: AccountIdentity,
  channel: string,
) => ProjectKey | undefined | Promise<ProjectKey | undefined>

/** What the parts of the endpoint share. */
export interface Broker {
  readonly door: Door
  readonly resolveProject: ResolveProject
  readonly limits: MqttLimits
  readonly metrics: MqttMetrics
  readonly logger: Logger
  readonly router: Router
  readonly sessions: Sessions
  readonly store: SessionStore
  readonly wills: Wills
  readonly flusher: Flusher
  /** Bytes between arrival and commit. */
  readonly inflight: Budget
  /** Bytes of unfinished packets. */
  readonly partial: Budget
  /** `srv-applet-mgr@<version>`, in error answers. */
  readonly source: string
  readonly stopping: boolean
  /** Who is connected, by session. */
  readonly clients: Map<Session, Client>
}

/**
 * Who a session belongs to. Client identifiers are unique per principal only, so that nobody can take over, or read the
 * queue of, a session of somebody else by guessing its name.
 */
export function principalOf(identity: Identity | undefined): string {
  if (!identity) return 'anonymous'
  return identity.type === 'publisher'
    ? `device:${identity.project}:${identity.publisherKey}`
    : `account:${identity.accountId}`
}
