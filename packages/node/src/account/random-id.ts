import { randomBytes } from 'node:crypto'
import { type Sfid, sfidFromBytes } from '@w3bstream/protocol'

/** An id of something that belongs to this node only (accounts, resources): 63 random bits. */
export function randomSfid(): Sfid {
  return sfidFromBytes(randomBytes(8))
}
