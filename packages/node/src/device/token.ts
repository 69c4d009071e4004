import type { ProjectKey } from '@w3bstream/protocol'
import type { Publisher } from '../project/definition.ts'

/** HMAC under a secret of the node (`Wallet.derive`). */
export type Derive = (purpose: string, body: Uint8Array) => Uint8Array

const prefix = 'w3b_'
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const randomLength = 12

/**
 * A device's token: `w3b_` and base64url of `1_<unix seconds>_<12 characters>`, as devices and tools expect it. The
 * characters (72 bits) follow from the node's secret and the device, so that the token can be shown again and is stored
 * nowhere; rotating counts the version up.
 */
export function publisherToken(derive: Derive, project: ProjectKey, publisher: Publisher): string {
  const body = new TextEncoder().encode(`${project}\n${publisher.publisherId}\n${publisher.tokenVersion}`)
  const bytes = derive('publisher-token', body)
  const visible = Array.from(bytes.subarray(0, randomLength), (byte) => alphabet[byte & 63]).join('')
  const text = `1_${Math.floor(publisher.createdMs / 1000)}_${visible}`
  return prefix + Buffer.from(text).toString('base64url')
}
