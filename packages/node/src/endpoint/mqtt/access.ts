import type { ProjectKey } from '@w3bstream/protocol'
import type { AccountIdentity, Identity } from '../endpoint.ts'
import type { ResolveProject } from './broker.ts'
import { firstLevel, type ParsedFilter } from './topics.ts'

/** Where a device finds the answers to its messages. */
export function ackTopic(publisherKey: string): string {
  return `ack/${publisherKey}`
}

/** What a connection may read. */
export interface Reader {
  readonly identity: Identity | undefined
  /** The user name of CONNECT: an account names the project there that its filters are about. */
  readonly userName: string | undefined
}

/**
 * The project whose messages a filter may see; undefined when it may see none.
 *
 * - A device reads the answers to its own messages and nothing else.
 * - An account (login token, or access key that may read projects) reads topics of its own projects: when its user name
 *   is a project's full name, any filter, within that project; otherwise filters that begin with the project's full name.
 * - Who did not say who he is reads nothing.
 */
export function readableProject(
  reader: Reader,
  filter: ParsedFilter,
  resolve: ResolveProject,
): ProjectKey | undefined | Promise<ProjectKey | undefined> {
  const { identity, userName } = reader
  if (!identity?.valid) return undefined
  if (identity.type === 'publisher') {
    // A key may look like a wildcard; then there is no filter that means only it.
    const own = !filter.wildcard && filter.path === ackTopic(identity.publisherKey)
    return own ? identity.project : undefined
  }
  if (!identity.permits('Project', 'READONLY')) return undefined
  return resolveOwn(identity, userName, firstLevel(filter.path), resolve)
}

async function resolveOwn(
  account: AccountIdentity,
  userName: string | undefined,
  channel: string,
  resolve: ResolveProject,
): Promise<ProjectKey | undefined> {
  const named = userName ? await resolve(account, userName) : undefined
  return named ?? (/[+#]/.test(channel) ? undefined : resolve(account, channel))
}
