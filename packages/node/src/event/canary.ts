import { type Sfid, sha256, Writer } from '@w3bstream/protocol'
import type { Applet } from '../project/definition.ts'

/** Who sent a message. */
export interface Sender {
  /** Empty: no device did. */
  readonly publisherId: Sfid | ''
  readonly messageId: Uint8Array
}

/** A version that takes a share of the senders. */
export interface Canary<R> {
  /** Where its messages go. */
  readonly route: R
  takes(sender: Sender): boolean
}

const domain = new TextEncoder().encode('w3bstream/canary/v1')

/**
 * Which senders a canary takes follows from the hash of applet, height of its beginning, and device; for a message that no
 * device sent, its id. So a device stays where it is, and a growing share only adds devices. Part of the history: every
 * member decides alike.
 */
export function canaryOf<R>(appletId: Sfid, canary: NonNullable<Applet['canary']>, route: R): Canary<R> {
  const { startHeight, percent } = canary
  const salt = new Writer().raw(domain).text(appletId).text(startHeight).finish()
  const input = new Writer(128)
  return {
    route,
    takes: ({ publisherId, messageId }) => {
      input.clear().raw(salt)
      if (publisherId === '') input.raw(messageId)
      else input.text(publisherId)
      const [a = 0, b = 0, c = 0, d = 0] = sha256(input.view())
      // Compared as whole numbers: the first 32 bits of the hash, as a part of all that there are.
      return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) * 100 < percent * 2 ** 32
    },
  }
}
