/**
 * Devices of projects: their tokens and the identities that stand for them on connections. What a device is (name, key,
 * public key) is part of its project's definition; this component only finds it.
 */
import type { ProjectKey } from '@w3bstream/protocol'
import type { PublisherIdentity } from '../endpoint/endpoint.ts'
import type { Publisher } from '../project/definition.ts'
import type { ProjectEntry } from '../project/project.ts'

export interface Devices {
  /** Whose token this is; nothing when it is not a device's. */
  authenticate(token: string): PublisherIdentity | undefined
  /** The identity that stands for a device that was found otherwise. */
  identity(project: ProjectEntry, publisher: Publisher): PublisherIdentity
  /** @param publicKey as in the envelope: multicodec prefix and key */
  byPublicKey(project: ProjectKey, publicKey: Uint8Array): Promise<Publisher | undefined>
}
